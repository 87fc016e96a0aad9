/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a record says about a ClientHello besides its name: the protocols it offers (ALPN), whether it is
 * encrypted, and JA4, the fingerprint of the program that sent it (FoxIO's public definition, the TLS
 * client part). The hello is read a second time for this, and only for a record.
 */
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>

#include "name/parsers.h"
#include "name/tls_private.h"

enum { HASH_TEXT = 12, COUNT_MAX = 99 };

struct numbers {
	unsigned n;
	uint16_t v[TLS_HANDSHAKE_MAX / 2];
};

/* What the fingerprint is made of. */
struct hello {
	struct numbers list; /* the ciphers, later the extensions */
	unsigned       n_ciphers, n_extensions;
	bool           sni;
	struct span    alpn; /* the first one offered */
	struct span    signatures;
	char           ciphers[HASH_TEXT + 1], extensions[HASH_TEXT + 1];
};

/* RFC 8701: 0a0a, 1a1a, ..., fafa. */
static bool is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static int by_number(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void hash_number(struct sha256_ctx *sha, uint16_t v, char before)
{
	char text[6];
	int  n = snprintf(text, sizeof(text), "%c%04x", before, v);

	sha256_update(sha, before ? (size_t)n : (size_t)n - 1, (const uint8_t *)text + !before);
}

/* The sorted list and, in the order in which they stand, the signature algorithms; zeroes for an empty
 * list. */
static void hash_list(struct numbers *list, struct span signatures, char out[HASH_TEXT + 1])
{
	enum wire_err     err = WIRE_OK;
	struct wire       w = wire_of(signatures, &err, false);
	struct sha256_ctx sha;
	uint8_t           digest[HASH_TEXT / 2] = { 0 };
	char              before = '_';

	sha256_init(&sha);
	qsort(list->v, list->n, sizeof(list->v[0]), by_number);
	for (unsigned i = 0; i < list->n; i++)
		hash_number(&sha, list->v[i], i ? ',' : '\0');
	for (; wire_left(&w) >= 2; before = ',')
		hash_number(&sha, wire_u16(&w), before);
	if (list->n)
		sha256_digest(&sha, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void read_ciphers(struct wire w, struct hello *h)
{
	while (wire_each(&w)) {
		uint16_t cipher = wire_u16(&w);

		if (!is_grease(cipher))
			h->list.v[h->list.n++] = cipher;
	}
	h->n_ciphers = h->list.n;
	hash_list(&h->list, span_of(NULL, 0), h->ciphers);
	h->list.n = 0;
}

/* RFC 7301 3.1: a list of (length, bytes). */
static void read_alpn(struct wire ext, struct hello *h, struct tls_detail *out)
{
	struct wire list = wire_sub(&ext, wire_u16(&ext));

	while (wire_each(&list)) {
		struct span id = wire_span(&list, wire_u8(&list));

		if (!h->alpn.p)
			h->alpn = id;
		if (*list.err != WIRE_OK || out->alpn_len + 1 + id.n > sizeof(out->alpn))
			break;
		out->alpn[out->alpn_len++] = (uint8_t)id.n;
		memcpy(out->alpn + out->alpn_len, id.p, id.n);
		out->alpn_len = (uint8_t)(out->alpn_len + id.n);
	}
}

static void read_extensions(struct wire w, struct hello *h, struct tls_detail *out)
{
	while (wire_each(&w)) {
		uint16_t    type = wire_u16(&w);
		struct wire ext = wire_sub(&w, wire_u16(&w));

		if (is_grease(type))
			continue;
		h->n_extensions++;
		if (type == TLS_EXT_SERVER_NAME)
			h->sni = true;
		else if (type == TLS_EXT_ALPN)
			read_alpn(ext, h, out);
		else
			h->list.v[h->list.n++] = type;
		if (type == TLS_EXT_SIGNATURE_ALGORITHMS)
			h->signatures = wire_span(&ext, wire_u16(&ext));
		else if (type == TLS_EXT_ECH)
			out->ech = ECH_GREASE_OR_REAL;
	}
	hash_list(&h->list, h->signatures, h->extensions);
}

/* Outer names that stand for whole providers: a client that asks for one of them wants another name. */
static bool is_public_name(const char *name)
{
	static const char *const names[] = { "cloudflare-ech.com", "public.tls-ech.dev",
		                             "cover.defo.ie" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

bool tls_has_ech(const struct names *names)
{
	return (names->app == APP_TLS || names->app == APP_QUIC) && names->tls.ech;
}

bool tls_is_hidden(const struct names *names)
{
	for (unsigned i = 0; i < names->n; i++)
		if (is_public_name(names->v[i].text))
			return true;
	return false;
}

static const char *version_word(uint16_t version)
{
	static const char *const words[] = { "s3", "10", "11", "12", "13" };

	if (version == 0x0002)
		return "s2";
	return version >= 0x0300 && version <= 0x0304 ? words[version & 7] : "00";
}

static bool is_alnum(uint8_t c)
{
	c = ascii_lower(c);
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* The first and the last character, or those of the bytes in hexadecimal when they are not plain text. */
static void alpn_ends(struct span alpn, char out[3])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t           first, last;

	memcpy(out, "00", 3);
	if (alpn.n == 0)
		return;
	first = alpn.p[0];
	last = alpn.p[alpn.n - 1];
	out[0] = (char)first;
	out[1] = (char)last;
	if (!is_alnum(first) || !is_alnum(last)) {
		out[0] = hex[first >> 4];
		out[1] = hex[last & 15];
	}
}

static void write_ja4(const struct hello *h, struct tls_detail *out)
{
	char     alpn[3];
	unsigned ciphers = h->n_ciphers, extensions = h->n_extensions;

	alpn_ends(h->alpn, alpn);
	snprintf(out->ja4, sizeof(out->ja4), "%c%s%c%02u%02u%s_%s_%s", out->quic ? 'q' : 't',
	         version_word(out->version), h->sni ? 'd' : 'i',
	         ciphers < COUNT_MAX ? ciphers : COUNT_MAX,
	         extensions < COUNT_MAX ? extensions : COUNT_MAX, alpn, h->ciphers, h->extensions);
}

void tls_describe(const struct names *names, struct tls_detail *out)
{
	struct hello  h = { .n_ciphers = 0 };
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(names->tls.hello, &err, false);

	*out = (struct tls_detail){ .version = names->tls.version, .quic = names->tls.quic };
	if (wire_left(&w) == 0)
		return;
	wire_skip(&w, 2 + 32);       /* legacy_version, random */
	wire_skip(&w, wire_u8(&w));  /* legacy_session_id */
	read_ciphers(wire_sub(&w, wire_u16(&w)), &h);
	wire_skip(&w, wire_u8(&w));  /* compression_methods */
	read_extensions(wire_left(&w) ? wire_sub(&w, wire_u16(&w)) : w, &h, out);
	if (out->ech && tls_is_hidden(names))
		out->ech = ECH_LIKELY;
	if (err == WIRE_OK)
		write_ja4(&h, out);
}
