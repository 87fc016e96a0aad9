/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is refused before a page is looked for, and who asks. */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "accounts.h"
#include "request.h"
#include "sessions.h"

enum { PATH_MAX_BYTES = 256, GROUPS = 64 };

const char *header_of(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* ---- Host: what a browser was led here by ---- */

static bool is_host(const struct console *c, const char *host, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(host, name, n) != 0)
		return false;
	return (host[n] == ':' && strcmp(host + n + 1, c->port) == 0) || (!host[n] && strcmp(c->port, c->tls ? "443" : "80") == 0);
}

/* A name that leads here by another's DNS (rebinding) is not in the list. */
static bool host_ok(const struct request *r, const char *host)
{
	const struct console *c = r->server->console;
	bool                  ok;

	if (r->is_unix)
		return true;
	if (!host)
		return false;
	ok = is_host(c, host, c->host);
	if (listen_is_local(c->host))
		ok |= is_host(c, host, "localhost");
	for (unsigned i = 0; !ok && i < c->options.n_hosts; i++)
		ok = is_host(c, host, c->options.hosts[i]);
	return ok;
}

/* More than one line of a header that decides something. */
struct repeats {
	const char *name;
	unsigned    n;
};

static enum MHD_Result count(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct repeats *c = ctx;

	(void)kind, (void)value;
	c->n += strcasecmp(key, c->name) == 0;
	return MHD_YES;
}

static bool is_repeated(const struct request *r, const char *name)
{
	struct repeats c = { name, 0 };

	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count, &c);
	return c.n > 1;
}

static const struct {
	const char *name, *why;
	bool        once; /* it may be there, but once */
} headers[] = {
	{ "Upgrade", "no other protocol is spoken here", false },
	{ "HTTP2-Settings", "no other protocol is spoken here", false },
	{ "Expect", "no expectation is met here", false },
	{ "Transfer-Encoding", "a body has a length here", false },
	{ "Host", "two hosts", true },
	{ "Origin", "two origins", true },
	{ "Content-Length", "two lengths", true },
};

static bool body_ok(const struct request *r, unsigned *status, const char **why)
{
	const char   *type = header_of(r, "Content-Type"), *length = header_of(r, "Content-Length");
	char         *end = NULL;
	unsigned long n = length ? strtoul(length, &end, 10) : 0;

	*status = 413;
	*why = "the body is too long";
	if (length && (*end || n > FIELDS_BYTES))
		return false;
	if (!r->is_post) {
		*status = 400;
		*why = "a body without need";
		return n == 0;
	}
	*status = 415;
	*why = "a form is application/x-www-form-urlencoded";
	return type && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0;
}

unsigned guard_request(const struct request *r, const char **why)
{
	unsigned status;

	for (unsigned i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		*why = headers[i].why;
		if (headers[i].once ? is_repeated(r, headers[i].name) : header_of(r, headers[i].name) != NULL)
			return 400;
	}
	*why = "a method that is not spoken here";
	if (!r->is_post && strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
		return 405;
	*why = "the path is too long";
	if (strlen(r->path) > PATH_MAX_BYTES)
		return 414;
	*why = "this host is not one of mine (--host names more)";
	if (!host_ok(r, header_of(r, "Host")))
		return 421;
	return body_ok(r, &status, why) ? 0 : status;
}

/* A browser says where a form comes from; one that says neither is none of today's. */
bool guard_is_own_page(const struct request *r)
{
	const char *site = header_of(r, "Sec-Fetch-Site"), *origin = header_of(r, "Origin"), *host = header_of(r, "Host");
	const char *scheme = r->server->console->tls ? "https://" : "http://";
	size_t      n = strlen(scheme);

	if (site && strcmp(site, "same-origin") != 0)
		return false;
	if (origin)
		return host && strncmp(origin, scheme, n) == 0 && strcmp(origin + n, host) == 0;
	return site != NULL;
}

/* ---- who asks ---- */

void guard_cookie(const struct request *r, char out[static TOKEN_TEXT])
{
	const char *name = r->server->console->tls ? "__Host-nfqd" : "nfqd";
	const char *value = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);

	snprintf(out, TOKEN_TEXT, "%s", value && strlen(value) == TOKEN_TEXT - 1 ? value : "");
}

static int fd_of(const struct request *r)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

/* By the kernel: root and the operators' group operate, whoever else the socket's group lets in looks on. */
static void who_by_socket(const struct request *r, struct who *w)
{
	gid_t                 groups[GROUPS];
	socklen_t             size = sizeof(groups), len = sizeof(struct ucred);
	struct ucred          peer;
	const struct console *c = r->server->console;
	const int             fd = fd_of(r);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return;
	w->by_socket = true;
	w->role = peer.uid == 0 || peer.gid == c->operators ? ROLE_OPERATE : ROLE_VIEW;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
		for (size_t i = 0; i < size / sizeof(groups[0]); i++)
			if (groups[i] == c->operators)
				w->role = ROLE_OPERATE;
	snprintf(w->user, sizeof(w->user), peer.uid ? "uid %u" : "root", (unsigned)peer.uid);
	snprintf(w->from, sizeof(w->from), "unix");
}

/* The name of a certificate that the authority of --client-ca signed. False: there is none. */
static bool certificate_name(const struct request *r, char *out, size_t room)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const gnutls_datum_t           *chain;
	unsigned                        n = 0, status = 1;
	gnutls_x509_crt_t               crt;
	bool                            ok;

	if (!info || gnutls_certificate_verify_peers2(info->tls_session, &status) < 0 || status != 0)
		return false;
	chain = gnutls_certificate_get_peers(info->tls_session, &n);
	if (!chain || n == 0 || gnutls_x509_crt_init(&crt) < 0)
		return false;
	ok = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
	     gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, out, &room) == 0;
	gnutls_x509_crt_deinit(crt);
	return ok && account_name_ok(out);
}

static void put_address(const struct request *r, struct who *w)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr          *sa = info ? info->client_addr : NULL;

	if (sa && sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, w->from, sizeof(w->from));
	else if (sa && sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, w->from, sizeof(w->from));
}

struct who guard_who(const struct request *r)
{
	struct console *c = r->server->console;
	struct who      w = { .role = ROLE_NONE };
	char            cookie[TOKEN_TEXT];

	snprintf(w.token, sizeof(w.token), "%s", sessions_anonymous_token(c->sessions));
	if (r->is_unix) {
		who_by_socket(r, &w);
	} else {
		put_address(r, &w);
		guard_cookie(r, cookie);
		/* an account that was removed or changed has no more than the file says now */
		if (sessions_find(c->sessions, cookie, &w) ||
		    (c->options.client_ca && certificate_name(r, w.user, sizeof(w.user))))
			w.role = accounts_role(c->accounts, w.user);
	}
	if (!c->may_operate && w.role == ROLE_OPERATE)
		w.role = ROLE_VIEW;
	return w;
}
