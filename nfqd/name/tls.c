/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server name in a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3), whatever records and segments carry
 * it. The hello need not be complete: a name is reported as soon as it is there. Encrypted ClientHello is
 * not decrypted; the outer name is the name.
 */
#include "name/tls_private.h"

enum { RECORD_CCS = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, SSL2 = 0x80, SSL2_HEAD = 9 };

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

/* cookie: DTLS has one (RFC 6347 4.2.1). */
static enum wire_err client_hello(struct wire *w, enum seen_in where, bool cookie, struct names *out)
{
	struct wire hello, exts;

	if (wire_u8(w) != TLS_CLIENT_HELLO && *w->err == WIRE_OK)
		wire_fail(w, WIRE_NONE);
	hello = wire_sub(w, wire_u24(w));
	if (*w->err == WIRE_OK && !hello.open)
		out->tls.hello = span_of(hello.pos, wire_left(&hello));
	out->tls.version = wire_u16(&hello);
	wire_skip(&hello, 32);                /* random */
	wire_skip(&hello, wire_u8(&hello));   /* legacy_session_id */
	wire_skip(&hello, cookie ? wire_u8(&hello) : 0);
	wire_skip(&hello, wire_u16(&hello));  /* cipher_suites */
	wire_skip(&hello, wire_u8(&hello));   /* compression_methods */
	if (*w->err == WIRE_OK && hello.pos == hello.end && !hello.open)
		return WIRE_OK;               /* before TLS 1.2 extensions were optional */
	exts = wire_sub(&hello, wire_u16(&hello));
	while (wire_each(&exts)) {
		uint16_t    type = wire_u16(&exts);
		struct wire ext = wire_sub(&exts, wire_u16(&exts));

		if (type == TLS_EXT_SERVER_NAME)
			server_name(ext, where, out);
		else if (type == TLS_EXT_SUPPORTED_VERSIONS)
			supported_versions(ext, &out->tls);
		else if (type == TLS_EXT_ECH)
			out->tls.ech = true;
	}
	return *w->err;
}

static bool holds_message(struct wire record)
{
	size_t n = wire_left(&record);

	if (n < 4)
		return false;
	wire_skip(&record, 1);
	return wire_u24(&record) <= n - 4;
}

struct span tls_gather(struct wire *w, enum tls_side side, uint8_t room[static TLS_HANDSHAKE_MAX],
                       bool *open)
{
	enum wire_err own = WIRE_OK;
	size_t        have = 0;

	*open = w->open;
	while (wire_each(w)) {
		uint8_t     type = wire_u8(w);
		struct wire frag;

		wire_skip(w, 2); /* legacy_record_version */
		frag = wire_sub(w, wire_u16(w));
		size_t n = wire_left(&frag), left = TLS_HANDSHAKE_MAX - have;

		if (*w->err != WIRE_OK)
			break;
		if (type == RECORD_ALERT || (type == RECORD_CCS && side == TLS_CLIENT))
			continue;
		if (type != RECORD_HANDSHAKE) {
			*open = false; /* what follows is no part of a hello */
			break;
		}
		if (side == TLS_CLIENT && have == 0 && holds_message(frag))
			return wire_span(&frag, n);
		memcpy(room + have, frag.pos, n < left ? n : left);
		have += n < left ? n : left;
		if (n > left || (side == TLS_CLIENT && holds_message(wire_of(span_of(room, have), &own, false))))
			break;
	}
	return span_of(room, have);
}

/*
 * RFC 5246 E.2: the hello of clients that may meet an SSL 2.0 server. It has no extensions and so no name.
 * Every byte that is there must fit.
 */
static enum wire_err ssl2_hello(struct wire *w, uint16_t *version)
{
	uint16_t head = wire_u16(w);
	bool     fits = *w->err != WIRE_OK || head >> 15;
	size_t   ciphers, session, challenge;

	fits &= wire_u8(w) == TLS_CLIENT_HELLO || *w->err != WIRE_OK;
	*version = wire_u16(w);
	fits &= *w->err != WIRE_OK || *version == 2 || (*version >= 0x300 && *version <= 0x304);
	ciphers = wire_u16(w);
	fits &= *w->err != WIRE_OK || (ciphers > 0 && ciphers % 3 == 0);
	session = wire_u16(w);
	fits &= *w->err != WIRE_OK || session == 0 || session == 16;
	challenge = wire_u16(w);
	fits &= *w->err != WIRE_OK ||
	        (challenge >= 16 && challenge <= 32 &&
	         SSL2_HEAD + ciphers + session + challenge == (head & 0x7fff));
	if (!fits)
		return WIRE_NONE;
	if (*w->err == WIRE_OK)
		wire_skip(w, ciphers + session + challenge);
	return *w->err;
}

/* A name decides even when the hello continues: no server reads a second name. */
static enum wire_err stop_at_name(enum wire_err r, const struct names *names)
{
	return r == WIRE_MORE && names->n > 0 ? WIRE_OK : r;
}

enum wire_err tls_names(struct wire *w, struct names *out)
{
	static _Thread_local uint8_t room[TLS_HANDSHAKE_MAX]; /* out->tls.hello may point into it */
	enum wire_err                inner = WIRE_OK;
	bool                         open;
	struct span                  bytes;
	struct wire                  h;

	names_begin(out, APP_TLS);
	out->tls = (struct tls_info){ 0 };
	if (wire_left(w) && w->pos[0] & SSL2)
		return ssl2_hello(w, &out->tls.version);
	bytes = tls_gather(w, TLS_CLIENT, room, &open);
	h = wire_of(bytes, &inner, open);
	if (*w->err == WIRE_BAD)
		return WIRE_BAD;
	return tls_bounded(stop_at_name(client_hello(&h, SEEN_TLS_SNI, false, out), out), bytes);
}

bool tls_begins_hello(struct span first)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(first, &err, true);
	uint8_t       type = 0;
	struct wire   frag = w;

	do {
		type = wire_u8(&w);
		wire_skip(&w, 2);
		frag = wire_sub(&w, wire_u16(&w));
	} while (err == WIRE_OK && (type == RECORD_CCS || type == RECORD_ALERT));
	return type == RECORD_HANDSHAKE && wire_u8(&frag) == TLS_CLIENT_HELLO && err == WIRE_OK;
}

bool tls_begins_handshake(struct span bytes)
{
	return bytes.n && bytes.p[0] == RECORD_HANDSHAKE;
}

enum wire_err quic_tls_names(struct wire *w, struct names *out)
{
	names_begin(out, APP_QUIC);
	out->tls = (struct tls_info){ 0 };
	if (wire_left(w) && w->pos[0] == 'C')
		return gquic_names(w, out);
	return stop_at_name(client_hello(w, SEEN_QUIC_SNI, false, out), out);
}

enum wire_err dtls_names(struct wire *w, struct names *out)
{
	enum wire_err r;

	names_begin(out, APP_TLS);
	out->tls = (struct tls_info){ 0 };
	r = stop_at_name(client_hello(w, SEEN_TLS_SNI, true, out), out);
	out->tls.hello = span_of(NULL, 0); /* its fingerprint would be that of another protocol */
	return r;
}

/* A record header of a handshake (or of what may precede one), SSL 3.0 and above. Every byte that is
 * there must fit. */
static enum wire_err record_guess(struct wire *w)
{
	uint8_t  type = wire_u8(w);
	bool     fits = *w->err != WIRE_OK || (type >= RECORD_CCS && type <= RECORD_HANDSHAKE);
	uint8_t  major = wire_u8(w);
	uint16_t len;

	fits &= *w->err != WIRE_OK || major == 3;
	wire_skip(w, 1); /* no server checks it (RFC 8446 5.1) */
	len = wire_u16(w);
	fits &= *w->err != WIRE_OK || len <= TLS_HANDSHAKE_MAX + 2048;
	return fits ? *w->err : WIRE_NONE;
}

enum wire_err tls_guess(struct wire w)
{
	struct wire first = w;
	uint16_t    version;

	return wire_u8(&first) & SSL2 ? ssl2_hello(&w, &version) : record_guess(&w);
}
