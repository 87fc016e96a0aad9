/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of a TLS client's stream, read by us and by a server of GnuTLS: a name that the server
 * would serve must be among ours. What GnuTLS refuses is not compared.
 */
#include <gnutls/gnutls.h>

#include "fuzz.h"

struct server {
	struct span rest; /* of the client's stream */
	struct name name;
	bool        named;
};

static ssize_t pull(gnutls_transport_ptr_t ctx, void *out, size_t n)
{
	struct server *s = ctx;

	n = n < s->rest.n ? n : s->rest.n;
	if (n)
		memcpy(out, s->rest.p, n);
	s->rest = span_of(s->rest.p + n, s->rest.n - n);
	return (ssize_t)n;
}

static int pull_timeout(gnutls_transport_ptr_t ctx, unsigned ms)
{
	(void)ctx, (void)ms;
	return 1;
}

static ssize_t push(gnutls_transport_ptr_t ctx, const void *data, size_t n)
{
	(void)ctx, (void)data;
	return (ssize_t)n;
}

/* The server has read the hello, and ends here. */
static int on_hello(gnutls_session_t session)
{
	struct server *s = gnutls_transport_get_ptr(session);
	char           text[256];
	size_t         n = sizeof(text);
	unsigned       type;

	if (gnutls_server_name_get(session, text, &n, &type, 0) == 0 && type == GNUTLS_NAME_DNS)
		s->named =
			name_canonical(&s->name, span_of((const uint8_t *)text, strnlen(text, n)));
	return GNUTLS_E_APPLICATION_ERROR_MAX;
}

static void serve(struct server *s, gnutls_certificate_credentials_t cred)
{
	gnutls_session_t session;
	int              r, tries = 0;

	FUZZ_CHECK(gnutls_init(&session, GNUTLS_SERVER) == 0);
	FUZZ_CHECK(gnutls_priority_set_direct(session, "LEGACY:+VERS-ALL", NULL) == 0);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, cred);
	gnutls_handshake_set_post_client_hello_function(session, on_hello);
	gnutls_transport_set_ptr(session, s);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_timeout);
	gnutls_transport_set_push_function(session, push);
	do /* after a warning a server goes on */
		r = gnutls_handshake(session);
	while (r < 0 && !gnutls_error_is_fatal(r) && ++tries < 8);
	gnutls_deinit(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static gnutls_certificate_credentials_t cred;
	struct span                             stream = span_of(data, size);
	struct server                           s = {.rest = stream};
	struct names                            ours;
	unsigned                                i = 0;

	if (!cred)
		FUZZ_CHECK(gnutls_certificate_allocate_credentials(&cred) == 0);
	serve(&s, cred);
	if (!s.named)
		return 0;
	fuzz_parse(tls_names, stream, true, &ours);
	while (i < ours.n && strcmp(ours.v[i].text, s.name.text) != 0)
		i++;
	if (i == ours.n)
		fprintf(stderr, "only GnuTLS sees '%s'\n", s.name.text);
	FUZZ_CHECK(i < ours.n);
	return 0;
}
