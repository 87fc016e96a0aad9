/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names in a TLS server's certificate, which TLS 1.2 and older send in the clear (RFC 5246 7.4.2). Only
 * the server's own certificate is read, the first of its chain. GnuTLS reads the X.509; nothing is
 * verified, since the question is which server answers at that address.
 */
#include "name/parsers.h"
#include "name/tls_private.h"

enum { VERSION_13 = 0x0304, HELLO_FIXED = 2 + 32 };

#ifndef NFQD_WITHOUT_CERTIFICATES

#include <gnutls/x509.h>

enum { ALT_NAME_MAX = 1024 };

static void add(const char *text, size_t n, struct names *out)
{
	struct name name = { .seen_in = SEEN_TLS_CERT };

	if (name_canonical(&name, span_of(text, n)))
		names_add(out, &name);
}

/* RFC 6125 6.4.4: the common name, then the names that replaced it. Names that do not fit are left out:
 * a certificate lists its main name first. */
static void certificate_names(gnutls_x509_crt_t crt, struct names *out)
{
	char   text[ALT_NAME_MAX];
	size_t n = sizeof(text);

	if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text, &n) >= 0)
		add(text, n, out);
	for (unsigned i = 0; out->n < NAMES_MAX; i++) {
		int kind;

		n = sizeof(text);
		kind = gnutls_x509_crt_get_subject_alt_name(crt, i, text, &n, NULL);
		if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (kind == GNUTLS_SAN_DNSNAME)
			add(text, n, out);
	}
}

static enum wire_err read_certificate(struct span der, struct names *out)
{
	gnutls_datum_t    datum = { .data = (unsigned char *)der.p, .size = (unsigned)der.n };
	gnutls_x509_crt_t crt;
	enum wire_err     r = WIRE_BAD;

	if (gnutls_x509_crt_init(&crt) < 0)
		return WIRE_BAD;
	if (gnutls_x509_crt_import(crt, &datum, GNUTLS_X509_FMT_DER) >= 0) {
		certificate_names(crt, out);
		r = WIRE_OK;
	}
	gnutls_x509_crt_deinit(crt);
	return r;
}

#else

static enum wire_err read_certificate(struct span der, struct names *out)
{
	(void)der;
	(void)out;
	return WIRE_NONE;
}

#endif

/* The version the server chose; TLS 1.3 stands in an extension (RFC 8446 4.1.3). */
static uint16_t server_hello(struct wire hello)
{
	uint16_t version = wire_u16(&hello);
	struct wire exts;

	wire_skip(&hello, HELLO_FIXED - 2);
	wire_skip(&hello, wire_u8(&hello)); /* session_id */
	wire_skip(&hello, 2 + 1);           /* cipher_suite, compression_method */
	if (wire_left(&hello) == 0)
		return version;
	exts = wire_sub(&hello, wire_u16(&hello));
	while (wire_each(&exts)) {
		uint16_t    type = wire_u16(&exts);
		struct wire ext = wire_sub(&exts, wire_u16(&exts));

		if (type == TLS_EXT_SUPPORTED_VERSIONS)
			version = wire_u16(&ext);
	}
	return version;
}

static enum wire_err handshake(struct wire *w, struct names *out)
{
	bool greeted = false;

	while (wire_each(w)) {
		uint8_t     type = wire_u8(w);
		struct wire body = wire_sub(w, wire_u24(w));

		if (!greeted && *w->err == WIRE_OK && type != TLS_SERVER_HELLO)
			return WIRE_NONE;
		if (type == TLS_SERVER_HELLO && !body.open) {
			out->tls.version = server_hello(body);
			if (out->tls.version >= VERSION_13)
				return WIRE_NONE;
			greeted = true;
		} else if (type == TLS_CERTIFICATE) {
			struct wire list = wire_sub(&body, wire_u24(&body));
			struct span der = wire_span(&list, wire_u24(&list));

			return *w->err == WIRE_OK ? read_certificate(der, out) : *w->err;
		}
	}
	return *w->err == WIRE_OK ? WIRE_NONE : *w->err; /* a session that is resumed */
}

enum wire_err tls_cert_names(struct wire *w, struct names *out)
{
	uint8_t       room[TLS_HANDSHAKE_MAX];
	enum wire_err inner = WIRE_OK, r;
	struct span   bytes;
	struct wire   h;
	bool          open;

	names_begin(out, APP_TLS);
	out->tls = (struct tls_info){ 0 };
	if (wire_left(w) && tls_guess(*w) == WIRE_NONE)
		return WIRE_NONE;
	if (*w->err != WIRE_OK)
		return *w->err;
	bytes = tls_gather(w, TLS_SERVER, room, &open);
	h = wire_of(bytes, &inner, open);
	r = tls_bounded(handshake(&h, out), bytes);
	return r == WIRE_NONE && *w->err == WIRE_BAD ? WIRE_BAD : r;
}
