/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server name in a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3), whatever records and segments
 * carry it. The hello need not be complete: a name is reported as soon as it is there. Encrypted
 * ClientHello is not opened; the outer name is the name.
 */
#include "name/name.h"

enum {
	RECORD_CCS = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	CLIENT_HELLO = 1,
	EXT_SERVER_NAME = 0,
	EXT_SUPPORTED_VERSIONS = 43,
	HELLO_MAX = 16384
};

/* RFC 6066 3: a list of (type, length, bytes); only host_name(0) is defined. */
static void server_name(struct wire ext, enum seen_in where, struct names *out)
{
	struct wire list = wire_sub(&ext, wire_u16(&ext));

	while (wire_each(&list)) {
		uint8_t     kind = wire_u8(&list);
		struct span host = wire_span(&list, wire_u16(&list));
		struct name name = { .seen_in = (uint8_t)where };

		if (*ext.err == WIRE_OK && kind == 0 && name_canonical(&name, host) &&
		    !names_add(out, &name))
			wire_fail(&list, WIRE_BAD);
	}
}

/* Servers before TLS 1.3 do not read this one: damage in it must not hide a name. */
static void supported_versions(struct wire ext, struct tls_info *info)
{
	enum wire_err own = WIRE_OK;
	struct wire   list;

	ext.err = &own;
	list = wire_sub(&ext, wire_u8(&ext));
	while (wire_each(&list)) {
		uint16_t v = wire_u16(&list);

		/* GREASE values (RFC 8701) have two equal bytes and lie above */
		if (v > info->version && v <= 0x0304)
			info->version = v;
	}
}

static enum wire_err client_hello(struct wire *w, enum seen_in where, struct names *out)
{
	struct wire hello, exts;

	if (wire_u8(w) != CLIENT_HELLO && *w->err == WIRE_OK)
		wire_fail(w, WIRE_NONE);
	hello = wire_sub(w, wire_u24(w));
	out->tls.version = wire_u16(&hello);
	wire_skip(&hello, 32);                /* random */
	wire_skip(&hello, wire_u8(&hello));   /* legacy_session_id */
	wire_skip(&hello, wire_u16(&hello));  /* cipher_suites */
	wire_skip(&hello, wire_u8(&hello));   /* compression_methods */
	if (*w->err == WIRE_OK && hello.pos == hello.end && !hello.open)
		return WIRE_OK;               /* before TLS 1.2 extensions were optional */
	exts = wire_sub(&hello, wire_u16(&hello));
	while (wire_each(&exts)) {
		uint16_t    type = wire_u16(&exts);
		struct wire ext = wire_sub(&exts, wire_u16(&exts));

		if (type == EXT_SERVER_NAME)
			server_name(ext, where, out);
		else if (type == EXT_SUPPORTED_VERSIONS)
			supported_versions(ext, &out->tls);
	}
	return *w->err;
}

/*
 * The handshake bytes of the records at w. One record that holds a whole hello is read in place;
 * otherwise the fragments are gathered into room. *open: more may follow.
 */
static struct span gather(struct wire *w, uint8_t room[static HELLO_MAX], bool *open)
{
	size_t have = 0;

	*open = true;
	while (wire_each(w)) {
		uint8_t     type = wire_u8(w);
		struct wire frag;

		wire_skip(w, 2); /* legacy_record_version */
		frag = wire_sub(w, wire_u16(w));
		if (*w->err != WIRE_OK)
			break;
		size_t n = wire_left(&frag);

		if (type == RECORD_CCS || type == RECORD_ALERT)
			continue;
		if (type != RECORD_HANDSHAKE) {
			*open = false; /* what follows is no part of a hello */
			break;
		}
		if (have == 0 && n >= 4) {
			struct wire head = frag;

			wire_skip(&head, 1);
			if (wire_u24(&head) <= n - 4)
				return wire_span(&frag, n);
		}
		if (n > HELLO_MAX - have) {
			wire_fail(w, WIRE_BAD);
			break;
		}
		memcpy(room + have, frag.pos, n);
		have += n;
	}
	if (!w->open)
		*open = false;
	return span_of(room, have);
}

enum wire_err tls_names(struct wire *w, struct names *out)
{
	uint8_t       room[HELLO_MAX];
	enum wire_err inner = WIRE_OK, r;
	bool          open;
	struct span   hs = gather(w, room, &open);
	struct wire   h = wire_of(hs, &inner, open);

	out->app = APP_TLS;
	out->tls = (struct tls_info){ 0 };
	if (*w->err == WIRE_BAD)
		return WIRE_BAD;
	r = client_hello(&h, SEEN_TLS_SNI, out);
	return r == WIRE_MORE && out->n > 0 ? WIRE_OK : r;
}

enum wire_err quic_tls_names(struct wire *w, struct names *out)
{
	enum wire_err r;

	out->app = APP_QUIC;
	out->tls = (struct tls_info){ 0 };
	r = client_hello(w, SEEN_QUIC_SNI, out);
	return r == WIRE_MORE && out->n > 0 ? WIRE_OK : r;
}

/* A record header of a handshake (or what may come before one), versions SSL 3.0 to TLS 1.3. Every
 * byte that is there must fit. */
enum wire_err tls_guess(struct wire w)
{
	uint8_t  type = wire_u8(&w);
	bool     fits = *w.err != WIRE_OK || (type >= RECORD_CCS && type <= RECORD_HANDSHAKE);
	uint8_t  major = wire_u8(&w);
	uint8_t  minor;
	uint16_t len;

	fits &= *w.err != WIRE_OK || major == 3;
	minor = wire_u8(&w);
	fits &= *w.err != WIRE_OK || minor <= 4;
	len = wire_u16(&w);
	fits &= *w.err != WIRE_OK || len <= HELLO_MAX + 2048;
	return fits ? *w.err : WIRE_NONE;
}
