/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a TLS server answers, with a certificate made to order by GnuTLS. */
#ifndef TESTS_LIB_CERT_H
#define TESTS_LIB_CERT_H

#include <stdio.h>

#include <gnutls/x509.h>

#include "hello.h"

/* One self-signed certificate in DER. cn: NULL, none; names: alternative names, blanks between. */
static inline void cert_der(struct bytes *b, const char *cn, const char *names)
{
	static gnutls_x509_privkey_t key;
	gnutls_x509_crt_t            crt;
	gnutls_datum_t               der;
	char                         list[20000], *rest = list;

	if (!key && (gnutls_x509_privkey_init(&key) < 0 ||
	             gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 256, 0) < 0))
		abort();
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_activation_time(crt, 1700000000);
	gnutls_x509_crt_set_expiration_time(crt, 1900000000);
	if (cn)
		gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
		                              (unsigned)strlen(cn));
	snprintf(list, sizeof(list), "%s", names);
	for (char *name; (name = strsep(&rest, " "));)
		if (*name)
			gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
			                                     (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
	gnutls_x509_crt_set_key(crt, key);
	if (gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_UNKNOWN, 0) < 0 ||
	    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) < 0)
		abort(); /* a test that is wrong itself */
	bytes_put(b, der.data, der.size);
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(crt);
}

static inline void cert_server_hello(struct bytes *b, uint16_t version, struct span extensions)
{
	size_t body;

	bytes_num(b, 1, 2);
	body = bytes_open(b, 3);
	bytes_num(b, 2, version);
	bytes_fill(b, 0xb6, 32);
	bytes_num(b, 1, 0);
	bytes_put(b, "\300\57\0", 3);
	if (extensions.n)
		bytes_block(b, 2, extensions);
	bytes_close(b, body, 3);
}

/* The Certificate message: the server's own and n bytes of another behind it. */
static inline void cert_message(struct bytes *b, struct span der, size_t n)
{
	size_t body, list, other;

	bytes_num(b, 1, 11);
	body = bytes_open(b, 3);
	list = bytes_open(b, 3);
	bytes_block(b, 3, der);
	if (n) {
		other = bytes_open(b, 3);
		bytes_fill(b, 0x30, n);
		bytes_close(b, other, 3);
	}
	bytes_close(b, list, 3);
	bytes_close(b, body, 3);
}

/* ServerHello, Certificate and ServerHelloDone without records. */
static inline void cert_flight(struct bytes *b, uint16_t version, struct span der)
{
	cert_server_hello(b, version, span_of("", 0));
	cert_message(b, der, 0);
	bytes_put(b, "\16\0\0\0", 4);
}

#endif
