/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS ClientHellos built to order (RFC 8446 4.1.2), and records around them. */
#ifndef TESTS_LIB_HELLO_H
#define TESTS_LIB_HELLO_H

#include "bytes.h"

enum hello_flag {
	HELLO_13 = 0x01,         /* supported_versions with TLS 1.3 and 1.2 */
	HELLO_GREASE = 0x02,     /* RFC 8701 values among ciphers, extensions and versions */
	HELLO_PQ = 0x04,         /* a key share of ML-KEM's size: about 1.8 kB in all */
	HELLO_SNI_LAST = 0x08,
	HELLO_NO_EXTS = 0x10,    /* ends behind compression_methods */
	HELLO_EMPTY_EXTS = 0x20,
	HELLO_ECH = 0x40,        /* encrypted_client_hello, 0xfe0d */
	HELLO_ESNI = 0x80,       /* the draft's encrypted_server_name, 0xffce */
	HELLO_SESSION = 0x100,   /* a session id of 32 bytes */
};

struct hello {
	const char *sni;     /* NULL: no server_name extension, unless names */
	struct span
		names; /* instead: what stands in the server_name extension, list length included */
	struct span extra;   /* extensions behind all others, as they are */
	uint16_t    version; /* legacy_version; 0: TLS 1.2 */
	unsigned    flags;
	size_t      pad;     /* bytes of a padding extension; 0: none */
};

static inline void hello_ext(struct bytes *b, uint16_t type, struct span data)
{
	bytes_num(b, 2, type);
	bytes_block(b, 2, data);
}

static inline void hello_filler(struct bytes *b, uint16_t type, size_t n)
{
	bytes_num(b, 2, type);
	bytes_num(b, 2, n);
	bytes_fill(b, 0x5a, n);
}

static inline void hello_sni(struct bytes *b, const struct hello *h)
{
	if (h->names.p) {
		hello_ext(b, 0, h->names);
	} else if (h->sni) {
		size_t n = strlen(h->sni);

		bytes_num(b, 2, 0);
		bytes_num(b, 2, n + 5);
		bytes_num(b, 2, n + 3);
		bytes_num(b, 1, 0);
		bytes_block(b, 2, span_of(h->sni, n));
	}
}

static inline void hello_extensions(struct bytes *b, const struct hello *h)
{
	if (h->flags & HELLO_GREASE)
		hello_ext(b, 0x2a2a, span_of("", 0));
	if (!(h->flags & HELLO_SNI_LAST))
		hello_sni(b, h);
	hello_ext(b, 23, span_of("", 0)); /* extended_master_secret */
	hello_ext(b, 10, span_of("\0\4\0\35\0\27", 6));
	if (h->flags & HELLO_13)
		hello_ext(b, 43, h->flags & HELLO_GREASE ? span_of("\6\72\72\3\4\3\3", 7)
		                                         : span_of("\4\3\4\3\3", 5));
	if (h->flags & HELLO_PQ)
		hello_filler(b, 51, 1216 + 36 + 10);
	if (h->flags & HELLO_ECH)
		hello_filler(b, 0xfe0d, 186);
	if (h->flags & HELLO_ESNI)
		hello_filler(b, 0xffce, 366);
	if (h->pad)
		hello_filler(b, 21, h->pad);
	bytes_add(b, h->extra);
	if (h->flags & HELLO_SNI_LAST)
		hello_sni(b, h);
}

/* The handshake message without any record. */
static inline void hello_build(struct bytes *b, const struct hello *h)
{
	size_t body, exts;

	bytes_num(b, 1, 1); /* client_hello */
	body = bytes_open(b, 3);
	bytes_num(b, 2, h->version ? h->version : 0x0303);
	bytes_fill(b, 0xa5, 32);
	if (h->flags & HELLO_SESSION) {
		bytes_num(b, 1, 32);
		bytes_fill(b, 0x77, 32);
	} else {
		bytes_num(b, 1, 0);
	}
	if (h->flags & HELLO_GREASE)
		bytes_put(b, "\0\6\12\12\23\1\300\57", 8);
	else
		bytes_put(b, "\0\4\23\1\300\57", 6);
	bytes_put(b, "\1\0", 2);
	if (!(h->flags & HELLO_NO_EXTS)) {
		exts = bytes_open(b, 2);
		if (!(h->flags & HELLO_EMPTY_EXTS))
			hello_extensions(b, h);
		bytes_close(b, exts, 2);
	}
	bytes_close(b, body, 3);
}

static inline void hello_record(struct bytes *b, uint8_t type, struct span fragment)
{
	bytes_num(b, 1, type);
	bytes_num(b, 2, 0x0301);
	bytes_block(b, 2, fragment);
}

/* Records of at most first bytes, then of at most rest bytes (0: all that is left). */
static inline void hello_records(struct bytes *b, struct span hs, size_t first, size_t rest)
{
	size_t n = first && first < hs.n ? first : hs.n;

	do {
		hello_record(b, 22, span_of(hs.p, n));
		hs = span_of(hs.p + n, hs.n - n);
		n = rest && rest < hs.n ? rest : hs.n;
	} while (hs.n);
}

/* The hello of SSL 2.0, as clients sent it that offered more (RFC 5246 E.2). */
static inline void hello_ssl2(struct bytes *b, uint16_t version)
{
	bytes_put(b, "\200\56\1", 3);
	bytes_num(b, 2, version);
	bytes_put(b, "\0\25\0\0\0\20", 6); /* seven ciphers, no session, a challenge */
	bytes_fill(b, 0x07, 21);
	bytes_fill(b, 0x5c, 16);
}

/* The usual: one hello in one record. */
static inline void hello_simple(struct bytes *b, const char *sni, unsigned flags)
{
	static struct bytes hs;
	struct hello        h = { .sni = sni, .flags = flags };

	hs.n = 0;
	hello_build(&hs, &h);
	hello_records(b, bytes_span(&hs), 0, 0);
}

#endif
