/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets through libpcap: from a capture file (pcap, pcapng), or copies of those on an interface. Verdicts
 * are discarded.
 */
#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/wire.h"
#include "capture/pcap_private.h"

enum {
	SNAPLEN = 65535,
	KERNEL_BUFFER = 32 << 20,
	PATIENCE_MS = 200 /* how long recv() waits before flags are looked at */
};

struct pcap_source {
	struct capture base;
	pcap_t        *pcap;
	const char    *name; /* borrowed: file or interface */
	uint8_t        link;
	uint64_t       read; /* packets of a file */
	/* of an interface */
	uint32_t          ifindex; /* 0: several, each packet names its own */
	struct tap_counts *counts;
	struct pcap_stat  last;
	uint64_t          next_look; /* ns */
	struct diag_rate  rate;
};

/* Captures count seconds without a sign, to the year 2106. */
static uint64_t nanoseconds(const struct pcap_pkthdr *h)
{
	uint64_t seconds = sizeof(h->ts.tv_sec) == sizeof(uint32_t) ? (uint32_t)h->ts.tv_sec : (uint64_t)h->ts.tv_sec;

	/* the handle is opened for nanoseconds: tv_usec holds them */
	return seconds * NS_PER_S + (uint64_t)h->ts.tv_usec;
}

static struct raw_packet packet_of(const struct pcap_source *s, const struct pcap_pkthdr *h,
                                   const u_char *data)
{
	return (struct raw_packet){ .data = span_of(data, h->caplen), .link = s->link, .ts = nanoseconds(h),
		                    .ifin = s->ifindex, .cut = h->caplen < h->len };
}

static int file_recv(struct capture *c, struct raw_packet burst[static CAPTURE_BURST])
{
	struct pcap_source *s = (struct pcap_source *)c;
	struct pcap_pkthdr *h;
	const u_char       *data;
	int                 r = pcap_next_ex(s->pcap, &h, &data);

	if (r == PCAP_ERROR_BREAK)
		return -EPIPE;
	if (r != 1 && feof(pcap_file(s->pcap)))
		return -ENODATA;
	if (r != 1) {
		diag_error("file", "%s: %s", s->name, pcap_geterr(s->pcap));
		return -EIO;
	}
	burst[0] = packet_of(s, h, data);
	burst[0].file = s->name;
	burst[0].number = ++s->read;
	return 1;
}

/* Reports packets that the kernel had no room for, once a second: silence would look like a quiet
 * network. */
static void look_at_counts(struct pcap_source *s, uint64_t now)
{
	struct pcap_stat st;
	uint32_t         lost;

	if (now < s->next_look || pcap_stats(s->pcap, &st) < 0)
		return;
	s->next_look = now + NS_PER_S;
	lost = st.ps_drop - s->last.ps_drop; /* the kernel's counters may wrap around */
	s->counts->received += st.ps_recv - s->last.ps_recv;
	s->counts->dropped += lost;
	s->last = st;
	if (lost && diag_may(&s->rate, now))
		diag_warn("capture", "%s: the kernel dropped packets because its buffer was full, %llu so far",
		          s->name, (unsigned long long)s->counts->dropped);
}

/* The interface of a packet from "any" is in its header (LINKTYPE_LINUX_SLL2). */
static uint32_t sll2_ifindex(struct span frame)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(frame, &err, false);

	wire_skip(&w, 4);
	return wire_u32(&w);
}

static int live_recv(struct capture *c, struct raw_packet burst[static CAPTURE_BURST])
{
	struct pcap_source *s = (struct pcap_source *)c;
	struct pcap_pkthdr *h;
	const u_char       *data;
	int                 r = pcap_next_ex(s->pcap, &h, &data);

	if (r < 0) {
		diag_error("capture", "%s: %s", s->name, pcap_geterr(s->pcap));
		return -EIO;
	}
	look_at_counts(s, r ? nanoseconds(h) : clock_now());
	if (r == 0)
		return 0;
	burst[0] = packet_of(s, h, data);
	if (s->link == LINK_SLL2)
		burst[0].ifin = sll2_ifindex(burst[0].data);
	return 1;
}

void pcap_no_verdict(struct capture *c, const struct raw_packet *raw, struct verdict v)
{
	(void)c, (void)raw, (void)v;
}

int pcap_no_flush(struct capture *c)
{
	(void)c;
	return 0;
}

static void pcap_source_close(struct capture *c)
{
	struct pcap_source *s = (struct pcap_source *)c;

	if (s->counts)
		look_at_counts(s, UINT64_MAX - NS_PER_S);
	if (s->pcap)
		pcap_close(s->pcap);
	free(s);
}

static const struct {
	int     dlt;
	uint8_t link;
} links[] = {
	{ DLT_EN10MB, LINK_ETHERNET }, { DLT_RAW, LINK_IP },      { DLT_IPV4, LINK_IP },
	{ DLT_IPV6, LINK_IP },         { DLT_LINUX_SLL, LINK_SLL }, { DLT_LINUX_SLL2, LINK_SLL2 },
	{ DLT_NULL, LINK_LOOPBACK },   { DLT_LOOP, LINK_LOOPBACK }, { DLT_PPP, LINK_PPP },
	{ DLT_PPP_SERIAL, LINK_PPP },  { DLT_PPP_ETHER, LINK_PPPOE }, { DLT_NFLOG, LINK_NFLOG },
	{ DLT_C_HDLC, LINK_HDLC },     { DLT_PPP_WITH_DIR, LINK_PPP_DIR },
	{ DLT_IEEE802_11, LINK_WLAN }, { DLT_IEEE802_11_RADIO, LINK_RADIOTAP },
	{ DLT_PPI, LINK_PPI },
};

uint8_t pcap_link(int dlt)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].dlt == dlt)
			return links[i].link;
	return LINK_UNKNOWN;
}

const char *pcap_link_text(int dlt)
{
	const char *text = pcap_datalink_val_to_description(dlt);

	return text ? text : "unknown";
}

static int set_link(struct pcap_source *s, struct err *err)
{
	int type = pcap_datalink(s->pcap);

	s->link = pcap_link(type);
	if (s->link != LINK_UNKNOWN)
		return 0;
	return err_set(err, "%s: link type %d (%s) is not supported", s->name, type,
	               pcap_link_text(type));
}

static struct pcap_source *new_source(const struct capture_ops *ops, const char *name, struct err *err)
{
	struct pcap_source *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, "%s: out of memory", name), NULL;
	s->base.ops = ops;
	s->name = name;
	return s;
}

/* A pcapng file begins with a block of type 0x0a0d0d0a in either byte order, a gzipped one with 1f 8b; no
 * other capture begins with the first byte of either. */
static bool begins_with(FILE *f, int byte)
{
	int c = getc(f);

	return c != EOF && ungetc(c, f) == byte;
}

static FILE *open_file(const char *path, struct err *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");

	if (!f)
		return err_set(err, "%s: %s", path, strerror(errno)), NULL;
	if (begins_with(f, 0x1f) && !(f = gzip_open(f)))
		return err_set(err, "%s: out of memory", path), NULL;
	return f;
}

struct capture *pcap_file_open(const char *path, struct err *err)
{
	static const struct capture_ops ops = { "file", file_recv, pcap_no_verdict, pcap_no_flush,
		                                pcap_source_close };
	char                why[PCAP_ERRBUF_SIZE];
	FILE               *f = open_file(path, err);
	struct pcap_source *s;

	if (!f)
		return NULL;
	if (begins_with(f, '\n'))
		return pcapng_open(f, path, err);
	s = new_source(&ops, path, err);
	if (!s)
		goto fail;
	s->pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, why);
	if (s->pcap && set_link(s, err) == 0)
		return &s->base;
	if (!s->pcap) {
		err_set(err, "%s: %s", path, why);
		goto fail;
	}
	pcap_source_close(&s->base);
	return NULL;
fail:
	free(s);
	fclose(f);
	return NULL;
}

/* Reports what libpcap says about a handle that it could not set up. */
static int complain(const struct pcap_source *s, int code, struct err *err)
{
	const char *more = pcap_geterr(s->pcap);

	return err_set(err, "interface %s: %s", s->name, *more ? more : pcap_statustostr(code));
}

static int activate(struct pcap_source *s, struct err *err)
{
	int r;

	pcap_set_snaplen(s->pcap, SNAPLEN);
	pcap_set_promisc(s->pcap, 1);
	pcap_set_immediate_mode(s->pcap, 1);
	pcap_set_timeout(s->pcap, PATIENCE_MS);
	pcap_set_buffer_size(s->pcap, KERNEL_BUFFER);
	pcap_set_tstamp_precision(s->pcap, PCAP_TSTAMP_PRECISION_NANO);
	r = pcap_activate(s->pcap);
	if (r < 0)
		return complain(s, r, err);
	if (r == PCAP_WARNING_PROMISC_NOTSUP)
		diag_debug("capture", "%s has no promiscuous mode", s->name);
	else if (r > 0)
		diag_warn("capture", "%s: %s", s->name, pcap_geterr(s->pcap));
	return 0;
}

static int set_filter(struct pcap_source *s, const char *filter, struct err *err)
{
	struct bpf_program program;
	int                r;

	if (!filter)
		return 0;
	if (pcap_compile(s->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return err_set(err, "filter '%s': %s", filter, pcap_geterr(s->pcap));
	r = pcap_setfilter(s->pcap, &program);
	pcap_freecode(&program);
	return r < 0 ? err_set(err, "filter '%s': %s", filter, pcap_geterr(s->pcap)) : 0;
}

struct capture *pcap_tap_open(const char *device, const char *filter, struct tap_counts *counts,
                               struct err *err)
{
	static const struct capture_ops ops = { "interface", live_recv, pcap_no_verdict, pcap_no_flush,
		                                pcap_source_close };
	char                why[PCAP_ERRBUF_SIZE];
	struct pcap_source *s = new_source(&ops, device, err);

	if (!s)
		return NULL;
	s->pcap = pcap_create(device, why);
	if (!s->pcap) {
		err_set(err, "interface %s: %s", device, why);
		goto fail;
	}
	if (activate(s, err) < 0)
		goto fail;
	/* "any": the newer header says which interface; older libraries have the other one only */
	if (pcap_datalink(s->pcap) == DLT_LINUX_SLL &&
	    pcap_set_datalink(s->pcap, DLT_LINUX_SLL2) < 0)
		diag_debug("capture", "%s: %s", device, pcap_geterr(s->pcap));
	if (set_link(s, err) < 0 || set_filter(s, filter, err) < 0)
		goto fail;
	s->ifindex = if_nametoindex(device);
	s->counts = counts;
	return &s->base;
fail:
	pcap_source_close(&s->base);
	return NULL;
}
