/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server: libmicrohttpd without threads of its own, woken by one poll(). Everything a client can use up has a
 * limit here: connections, time, headers, body.
 */
#include <ctype.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "request.h"
#include "tls.h"

enum {
	CONNECTIONS = 200,  /* of each listener */
	CROWDED = 150,      /* from here on those without a request make room */
	MEMORY = 32 << 10,  /* of a connection: its headers */
	IDLE_S = 10,        /* nothing came or went */
	REQUEST_MS = 15000, /* for the whole of a request, and until the next one */
	CROWDED_MS = 2000,
	LOOK_MS = 500
};

static uint64_t now_ms(void)
{
	return clock_monotonic() / NS_PER_MS;
}

/* ---- an answer ---- */

void add_headers(struct MHD_Response *response, bool tls)
{
	static const char *const headers[][2] = {
		{ "Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
		                             "frame-ancestors 'none'" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cache-Control", "no-store" },
	};

	for (unsigned i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	if (tls)
		MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
}

static void add_own_headers(struct MHD_Response *response, const struct page *p)
{
	char name[160];

	MHD_add_response_header(response, "Content-Type", p->type ? p->type : "text/html; charset=utf-8");
	if (p->location[0])
		MHD_add_response_header(response, "Location", p->location);
	if (p->cookie[0])
		MHD_add_response_header(response, "Set-Cookie", p->cookie);
	if (p->status == 429)
		MHD_add_response_header(response, "Retry-After", "5");
	if (!p->file_name)
		return;
	snprintf(name, sizeof(name), "attachment; filename=\"%s\"", p->file_name);
	MHD_add_response_header(response, "Content-Disposition", name);
}

static enum MHD_Result send_text(const struct request *r, const struct page *p, char *text, size_t n, bool close)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result      result;

	if (!response) {
		free(text);
		return MHD_NO;
	}
	add_headers(response, r->server->console->tls);
	add_own_headers(response, p);
	if (close)
		MHD_add_response_header(response, "Connection", "close");
	result = MHD_queue_response(r->connection, p->location[0] ? 303 : p->status, response);
	MHD_destroy_response(response);
	return result;
}

/* Before the body was read: the connection ends with it. */
static enum MHD_Result send_refusal(const struct request *r, unsigned status, const char *why)
{
	const struct page p = { .status = status, .type = "text/plain; charset=utf-8" };
	char             *text = NULL;
	int               n = asprintf(&text, "%s\n", why);

	return n < 0 ? MHD_NO : send_text(r, &p, text, (size_t)n, true);
}

static enum MHD_Result send_page(struct request *r)
{
	struct who      who = guard_who(r);
	struct page     p = { .console = r->server->console, .who = &who, .fields = &r->fields, .status = 200 };
	char           *text = NULL;
	size_t          n = 0;
	enum MHD_Result result = MHD_NO;

	if (!r->is_post && strcmp(r->path, "/live/events") == 0 && who.role != ROLE_NONE)
		return stream_begin(r, &who);
	p.f = open_memstream(&text, &n);
	if (!p.f)
		return MHD_NO;
	route(r, &p);
	if (fclose(p.f) == 0)
		result = send_text(r, &p, text, n, false);
	malloc_trim(0); /* a page of many machines leaves much behind */
	return result;
}

/* ---- a request ---- */

static enum MHD_Result take_argument(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct request *r = ctx;

	(void)kind;
	return fields_add(&r->fields, key, value ? value : "") ? MHD_YES : MHD_NO;
}

static enum MHD_Result begin_request(struct request *r)
{
	const char *why;
	unsigned    status = guard_request(r, &why);
	int         n;

	if (status)
		return send_refusal(r, status, why);
	n = MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, NULL, NULL);
	if (n > 0 && (n > FIELDS_MAX || MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, take_argument, r) != n ||
	                    r->fields.n != (unsigned)n))
		return send_refusal(r, 400, "the query is not well formed");
	r->checked = true;
	return MHD_YES;
}

static enum MHD_Result take_body(struct request *r, const char *data, size_t *n)
{
	if (*n > FIELDS_BYTES - r->n_body)
		return MHD_NO;
	memcpy(r->body + r->n_body, data, *n);
	r->n_body += *n;
	*n = 0;
	return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *n, void **state)
{
	struct request *r = *state;

	(void)version;
	if (!r) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON);
		struct server                  *s = ctx;

		r = *state = calloc(1, sizeof(*r));
		if (!r)
			return MHD_NO;
		r->server = s;
		r->connection = connection;
		r->path = url;
		r->method = method;
		r->is_post = strcmp(method, "POST") == 0;
		for (unsigned i = 0; info && i < s->n; i++)
			r->is_unix |= s->daemons[i] == info->daemon && s->is_unix[i];
		return begin_request(r);
	}
	if (!r->checked)
		return MHD_NO;
	if (*n > 0)
		return take_body(r, data, n);
	if (r->is_post && !fields_read(&r->fields, r->body, r->n_body))
		return send_refusal(r, 400, "the form is not well formed");
	return send_page(r);
}

/* ---- connections ---- */

static void on_connection(void *ctx, struct MHD_Connection *connection, void **state, enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct server                  *s = ctx;
	struct connection              *c = *state;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return;
		*c = (struct connection){ .fd = info ? info->connect_fd : -1, .since = now_ms(), .next = s->connections, .link = &s->connections };
		if (c->next)
			c->next->link = &c->next;
		s->connections = c;
		s->n_connections++;
		*state = c;
	} else if (c) {
		*c->link = c->next;
		if (c->next)
			c->next->link = c->link;
		s->n_connections--;
		free(c);
		*state = NULL;
	}
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct request                 *r = *state;

	(void)ctx, (void)why;
	if (info && info->socket_context) {
		struct connection *c = info->socket_context;

		c->since = now_ms();
		c->streams = false;
	}
	if (r)
		explicit_bzero(r, sizeof(*r)); /* it may hold a password */
	free(r);
	*state = NULL;
}

/* A client that sends a byte now and then is never idle. */
static void end_slow(const struct server *s)
{
	const uint64_t limit = s->n_connections >= CROWDED ? CROWDED_MS : REQUEST_MS, now = now_ms();

	for (struct connection *c = s->connections; c; c = c->next)
		if (!c->streams && now - c->since > limit)
			shutdown(c->fd, SHUT_RDWR);
}

/* As libmicrohttpd decodes, but for %00, which would end the text for us and not for whoever wrote it. */
static size_t decode(void *ctx, struct MHD_Connection *connection, char *text)
{
	char *out = text;

	(void)ctx, (void)connection;
	for (const char *in = text; *in; in++) {
		unsigned byte;

		if (*in == '%' && isxdigit((unsigned char)in[1]) && isxdigit((unsigned char)in[2]) && sscanf(in + 1, "%2x", &byte) == 1 && byte) {
			*out++ = (char)byte;
			in += 2;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	return (size_t)(out - text);
}

/* ---- start, run, end ---- */

static int start(struct server *s, int fd, bool is_unix, struct err *err)
{
	const bool           tls = s->console->tls && !is_unix;
	struct MHD_OptionItem more[8];
	struct MHD_Daemon   *d;

	tls_options(tls, more);
	d = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, s,
	                     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	                     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
	                     MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
	                     MHD_OPTION_UNESCAPE_CALLBACK, decode, NULL, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
	if (!d) {
		close(fd);
		return err_set(err, "libmicrohttpd does not start: are certificate and key a pair?");
	}
	s->is_unix[s->n] = is_unix;
	s->daemons[s->n++] = d;
	return 0;
}

int server_open(struct server *s, struct console *c, struct err *err)
{
	int fd;

	s->console = c;
	if (strcmp(c->options.listen, "none") != 0) {
		fd = listen_tcp(c, err);
		if (fd < 0 || start(s, fd, false, err) < 0)
			return -1;
	}
	if (c->options.unix_path) {
		fd = listen_unix(c->options.unix_path, c->operators, err);
		if (fd < 0 || start(s, fd, true, err) < 0)
			return -1;
	}
	return s->n ? 0 : err_set(err, "neither --listen nor --unix: nobody could come");
}

/* Milliseconds until something has to be looked at: by us, or by libmicrohttpd (bytes that TLS has decrypted already). */
static int wait_time(const struct server *s)
{
	int              wait = LOOK_MS;
	MHD_UNSIGNED_LONG_LONG ms;

	for (unsigned i = 0; i < s->n; i++)
		if (MHD_get_timeout(s->daemons[i], &ms) == MHD_YES && ms < (MHD_UNSIGNED_LONG_LONG)wait)
			wait = (int)ms;
	return wait;
}

void server_run(struct server *s)
{
	struct pollfd fds[LISTENERS_MAX + 1];

	for (unsigned i = 0; i < s->n; i++)
		fds[i] = (struct pollfd){ MHD_get_daemon_info(s->daemons[i], MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, POLLIN, 0 };
	fds[s->n] = (struct pollfd){ s->console->signals, POLLIN, 0 };
	while (!(fds[s->n].revents & POLLIN)) {
		if (poll(fds, s->n + 1, wait_time(s)) < 0 && errno != EINTR)
			break;
		stream_look(s);
		end_slow(s);
		for (unsigned i = 0; i < s->n; i++)
			MHD_run(s->daemons[i]);
	}
}

void server_close(struct server *s)
{
	stream_end_all(s);
	for (unsigned i = 0; i < s->n; i++)
		MHD_stop_daemon(s->daemons[i]);
	s->n = 0;
	if (s->console->options.unix_path)
		unlink(s->console->options.unix_path); /* from the start's place it is no more ours to remove */
}
