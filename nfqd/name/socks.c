/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client asks a SOCKS proxy for: versions 4 and 4a, and 5 (RFC 1928). Version 5 begins with a
 * greeting, and perhaps a user name with a password (RFC 1929), on the same stream; they can be read
 * without the proxy's answers between them. After the request the client speaks to the host that it asked
 * for.
 */
#include "base/addr.h"
#include "name/parsers.h"

enum {
	CONNECT = 1,
	BIND = 2,
	TOR_RESOLVE = 0xf0,
	METHOD_LAST = 9, /* IANA's socks-methods; those from PRIVATE on are for private use */
	METHOD_PRIVATE = 0x80,
	AUTH_VERSION = 1,
	ADDRESS_4 = 1,
	ADDRESS_NAME = 3,
	ADDRESS_6 = 4
};

static void add_name(struct span text, struct names *out)
{
	struct name name = { .seen_in = SEEN_SOCKS };

	if (name_canonical(&name, text))
		names_add(out, &name);
}

static void add_address(struct span bytes, struct names *out)
{
	struct addr a = { .len = (uint8_t)bytes.n };
	char        text[ADDR_TEXT];

	if (bytes.n == 0)
		return;
	memcpy(a.b, bytes.p, bytes.n);
	addr_text(&a, text);
	add_name(span_str(text), out);
}

/* Text that ends in NUL, as version 4 has it; anything but text is another protocol. */
static struct span read_text(struct wire *w)
{
	struct span text = span_of(w->pos, 0);

	while (*w->err == WIRE_OK) {
		uint8_t c = wire_u8(w);

		if (*w->err != WIRE_OK || c == '\0')
			break;
		if (c < ' ' || c == 0x7f || text.n >= NAME_TEXT)
			wire_fail(w, WIRE_NONE);
		text.n++;
	}
	return text;
}

/* Version 4: command, port, address, user; 4a: 0.0.0.x says that a name follows. */
static enum wire_err request_4(struct wire *w, struct names *out)
{
	uint8_t     command = wire_u8(w);
	struct span address, host = { 0 };

	if (*w->err == WIRE_OK && command != CONNECT && command != BIND)
		return WIRE_NONE;
	wire_skip(w, 2); /* port */
	address = wire_span(w, 4);
	read_text(w);    /* user */
	if (*w->err != WIRE_OK)
		return *w->err;
	if (memcmp(address.p, "\0\0\0", 3) == 0) {
		host = read_text(w);
		if (*w->err == WIRE_OK)
			add_name(host, out);
	} else {
		add_address(address, out);
	}
	out->tunnel = command == CONNECT;
	return *w->err;
}

/* Version 5 after its greeting. In a request for a datagram relay, the address is the client's. */
static enum wire_err request_5(struct wire *w, struct names *out)
{
	uint8_t     command = wire_u8(w), reserved = wire_u8(w), kind = wire_u8(w);
	struct span host = { 0 };

	if (*w->err != WIRE_OK)
		return *w->err;
	if (reserved != 0)
		return WIRE_NONE;
	if (kind == ADDRESS_4 || kind == ADDRESS_6)
		host = wire_span(w, kind == ADDRESS_4 ? 4 : 16);
	else if (kind == ADDRESS_NAME)
		host = wire_span(w, wire_u8(w));
	else
		return WIRE_NONE;
	wire_skip(w, 2); /* port */
	if (*w->err != WIRE_OK)
		return *w->err;
	if (command == CONNECT || command == BIND || command == TOR_RESOLVE)
		(kind == ADDRESS_NAME ? add_name : add_address)(host, out);
	out->tunnel = command == CONNECT;
	return WIRE_OK;
}

/* The methods that the client offers; each must be a known one. */
static enum wire_err greeting(struct wire *w)
{
	uint8_t n = wire_u8(w);

	if (*w->err == WIRE_OK && n == 0)
		return WIRE_NONE;
	for (; n > 0 && *w->err == WIRE_OK; n--) {
		uint8_t method = wire_u8(w);

		if (*w->err == WIRE_OK && method > METHOD_LAST && method < METHOD_PRIVATE)
			return WIRE_NONE;
	}
	return *w->err;
}

static enum wire_err version_5(struct wire *w, struct names *out)
{
	enum wire_err r = greeting(w);
	uint8_t       version;

	if (r != WIRE_OK)
		return r;
	version = wire_u8(w);
	if (*w->err == WIRE_OK && version == AUTH_VERSION) {
		wire_skip(w, wire_u8(w)); /* user */
		wire_skip(w, wire_u8(w)); /* password */
		version = wire_u8(w);
	}
	if (*w->err != WIRE_OK)
		return *w->err;
	return version == 5 ? request_5(w, out) : WIRE_NONE;
}

enum wire_err socks_names(struct wire *w, struct names *out)
{
	uint8_t version = wire_u8(w);

	names_begin(out, APP_SOCKS);
	if (*w->err != WIRE_OK)
		return *w->err;
	return version == 4 ? request_4(w, out) : version == 5 ? version_5(w, out) : WIRE_NONE;
}

/* A request of version 4 is short enough to be read whole. */
enum wire_err socks_guess(struct wire w)
{
	struct names out;
	uint8_t      version = wire_u8(&w);

	if (*w.err != WIRE_OK)
		return *w.err == WIRE_MORE ? WIRE_MORE : WIRE_NONE;
	out.n = 0;
	return version == 4 ? request_4(&w, &out) : version == 5 ? greeting(&w) : WIRE_NONE;
}
