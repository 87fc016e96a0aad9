/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng) that hold packets. libpcap refuses files whose
 * interfaces differ in link type or snapshot length, as in merged captures. Only the blocks that locate
 * packets are read here; everything else in the file is skipped.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/wire.h"
#include "capture/pcap_private.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
	ORDER_MAGIC = 0x1a2b3c4d,
	OPTION_TSRESOL = 9,
	OPTION_TSOFFSET = 14,
	LINKTYPE_RAW = 101, /* everything else has the number of its DLT */
	BLOCK_MAX = 1 << 20,
	INTERFACES_MAX = 4096
};

struct interface {
	uint16_t dlt;
	uint8_t  link;
	uint8_t  resolution; /* of time stamps: 10^-n, with the high bit 2^-n seconds */
	uint32_t snaplen;
	int64_t  offset; /* seconds */
};

struct pcapng {
	struct capture   base;
	FILE            *file;
	const char      *name;
	bool             little; /* the byte order of the section */
	struct interface interfaces[INTERFACES_MAX];
	unsigned         n;
	uint64_t         last; /* ns: for packets without a time */
	uint64_t         read, unread; /* packets; those of an unsupported link type */
	uint8_t          block[BLOCK_MAX];
};

static uint16_t u16(const struct pcapng *s, struct wire *w)
{
	uint16_t v = wire_u16(w);

	return s->little ? __builtin_bswap16(v) : v;
}

static uint32_t u32(const struct pcapng *s, struct wire *w)
{
	uint32_t v = wire_u32(w);

	return s->little ? __builtin_bswap32(v) : v;
}

static uint64_t u64(const struct pcapng *s, struct wire *w)
{
	uint64_t first = u32(s, w), second = u32(s, w);

	return s->little ? second << 32 | first : first << 32 | second;
}

/* ---- blocks -------------------------------------------------------------------------------- */

static int bad(const struct pcapng *s, const char *what)
{
	diag_error("file", "%s: %s", s->name, what);
	return -EIO;
}

/* Reads n bytes, or skips them (to NULL). */
static int take(struct pcapng *s, uint8_t *to, size_t n)
{
	uint8_t waste[4096];

	while (n > 0) {
		size_t want = to || n < sizeof(waste) ? n : sizeof(waste);

		if (fread(to ? to : waste, 1, want, s->file) != want)
			return ferror(s->file) ? bad(s, "cannot be read") : -ENODATA;
		n -= want;
	}
	return 0;
}

/* A section begins: its header gives the byte order of everything up to the next one. */
static int read_order(struct pcapng *s, uint8_t head[static 12])
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(span_of(head + 8, 4), &err, false);
	int           r = take(s, head + 8, 4);
	uint32_t      magic = r < 0 ? 0 : wire_u32(&w);

	if (r < 0)
		return r;
	s->little = magic == __builtin_bswap32(ORDER_MAGIC);
	s->n = 0;
	return s->little || magic == ORDER_MAGIC ? 0 : bad(s, "a section without a byte order");
}

/* The next block: its type, and its body where it is needed. Returns 0, -EPIPE at the end of the file,
 * -ENODATA when it ends inside a block, -EIO. */
static int next_block(struct pcapng *s, uint32_t *type, struct span *body)
{
	uint8_t       head[12];
	size_t        got = fread(head, 1, 8, s->file), had = 8;
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(span_of(head, 8), &err, false);
	uint32_t      length;
	bool          wanted;
	int           r;

	if (got < 8)
		return got == 0 && feof(s->file) ? -EPIPE : -ENODATA;
	if (memcmp(head, "\n\r\r\n", 4) == 0) { /* the same in either order */
		r = read_order(s, head);
		if (r < 0)
			return r;
		had = 12;
	}
	*type = u32(s, &w);
	length = u32(s, &w);
	if (length % 4 || length < had + 4)
		return bad(s, "a block of impossible length");
	wanted = *type == BLOCK_INTERFACE || *type == BLOCK_PACKET || *type == BLOCK_SIMPLE ||
	         *type == BLOCK_ENHANCED;
	if (wanted && length - had > BLOCK_MAX)
		return bad(s, "a packet's block of more than a megabyte");
	*body = span_of(s->block, length - had - 4);
	return take(s, wanted ? s->block : NULL, length - had);
}

static void read_options(const struct pcapng *s, struct wire *w, struct interface *i)
{
	while (wire_each(w)) {
		uint16_t    code = u16(s, w), n = u16(s, w);
		struct wire value = wire_sub(w, n);

		wire_skip(w, -n & 3U);
		if (code == OPTION_TSRESOL)
			i->resolution = wire_u8(&value);
		else if (code == OPTION_TSOFFSET)
			i->offset = (int64_t)u64(s, &value);
	}
}

static int read_interface(struct pcapng *s, struct wire *w)
{
	struct interface i = { .resolution = 6 };
	uint16_t         linktype = u16(s, w);

	if (s->n == INTERFACES_MAX)
		return bad(s, "more than 4096 interfaces");
	i.dlt = linktype == LINKTYPE_RAW ? DLT_RAW : linktype;
	i.link = pcap_link(i.dlt);
	wire_skip(w, 2);
	i.snaplen = u32(s, w);
	if (*w->err != WIRE_OK)
		return bad(s, "half a description of an interface");
	read_options(s, w, &i); /* damage in them costs the time stamps */
	s->interfaces[s->n++] = i;
	return 0;
}

/* ---- packets ------------------------------------------------------------------------------- */

/* t of 2^-n seconds: a product of 128 bits, which not every machine has. */
static uint64_t binary_nanoseconds(uint64_t t, unsigned n)
{
	uint64_t part = t & ((UINT64_C(1) << n) - 1);
	uint64_t low = (part & UINT32_MAX) * NS_PER_S, high = (part >> 32) * NS_PER_S + (low >> 32);

	return (t >> n) * NS_PER_S + (n < 32 ? low >> n : high >> (n - 32));
}

static uint64_t nanoseconds(const struct interface *i, uint64_t t)
{
	unsigned n = i->resolution & 0x7f;
	uint64_t ns = t;

	if (i->resolution & 0x80)
		ns = n < 64 ? binary_nanoseconds(t, n) : 0;
	for (; !(i->resolution & 0x80) && n < 9; n++)
		ns *= 10;
	for (; !(i->resolution & 0x80) && n > 9; n--)
		ns /= 10;
	return ns + (uint64_t)i->offset * NS_PER_S;
}

/* Returns 1 with a packet, 0 when it cannot be read, or -EIO. */
static int read_packet(struct pcapng *s, uint32_t type, struct wire *w, struct raw_packet *raw)
{
	uint32_t                index = 0, kept, whole;
	uint64_t                t = 0;
	const struct interface *i;

	if (type == BLOCK_PACKET) {
		index = u16(s, w);
		wire_skip(w, 2);
	} else if (type == BLOCK_ENHANCED) {
		index = u32(s, w);
	}
	if (*w->err != WIRE_OK || index >= s->n)
		return bad(s, "a packet of an unknown interface");
	i = &s->interfaces[index];
	if (type != BLOCK_SIMPLE) {
		t = (uint64_t)u32(s, w) << 32;
		t |= u32(s, w);
		kept = u32(s, w);
		whole = u32(s, w);
		s->last = nanoseconds(i, t);
	} else {
		whole = u32(s, w);
		kept = i->snaplen && i->snaplen < whole ? i->snaplen : whole;
	}
	*raw = (struct raw_packet){ .data = wire_span(w, kept), .link = i->link, .ts = s->last,
		                    .cut = kept < whole };
	if (*w->err != WIRE_OK)
		return bad(s, "a packet longer than its block");
	raw->file = s->name;
	raw->number = s->read + s->unread + 1;
	s->read += i->link != LINK_UNKNOWN;
	if (i->link == LINK_UNKNOWN && s->unread++ == 0)
		diag_warn("file", "%s: packets of link type %d (%s) are skipped: not supported",
		          s->name, i->dlt, pcap_link_text(i->dlt));
	return i->link != LINK_UNKNOWN;
}

static int pcapng_recv(struct capture *c, struct raw_packet burst[static CAPTURE_BURST])
{
	struct pcapng *s = (struct pcapng *)c;
	struct span    body;
	uint32_t       type;
	int            r = next_block(s, &type, &body);

	if (r == -EPIPE && s->unread && !s->read)
		return bad(s, "no packet could be read");
	if (r < 0)
		return r;

	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(body, &err, false);

	if (type == BLOCK_INTERFACE)
		return read_interface(s, &w);
	if (type == BLOCK_PACKET || type == BLOCK_SIMPLE || type == BLOCK_ENHANCED)
		return read_packet(s, type, &w, &burst[0]);
	return 0;
}

static void pcapng_close(struct capture *c)
{
	struct pcapng *s = (struct pcapng *)c;

	fclose(s->file);
	free(s);
}

struct capture *pcapng_open(FILE *f, const char *name, struct err *err)
{
	static const struct capture_ops ops = { "file", pcapng_recv, pcap_no_verdict, pcap_no_flush,
		                                pcapng_close };
	struct pcapng *s = calloc(1, sizeof(*s));

	if (!s) {
		fclose(f);
		return err_set(err, "%s: out of memory", name), NULL;
	}
	s->base.ops = &ops;
	s->file = f;
	s->name = name;
	return &s->base;
}
