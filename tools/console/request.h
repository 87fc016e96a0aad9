/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request as the routes see it, and the server that brings it. libmicrohttpd stays in serve.c, guard.c, listen.c and
 * stream.c. */
#ifndef CONSOLE_REQUEST_H
#define CONSOLE_REQUEST_H

#include <microhttpd.h>

#include "console.h"
#include "fields.h"
#include "texts.h"

/* A connection, from its first byte to its end. */
struct connection {
	struct connection *next, **link; /* in the server's list */
	int      fd;
	uint64_t since;   /* ms: the request that is not complete began */
	bool     streams; /* it has a live page, and no limit of time */
};

struct server {
	struct console    *console;
	struct MHD_Daemon *daemons[LISTENERS_MAX];
	bool               is_unix[LISTENERS_MAX];
	unsigned           n;
	struct connection *connections;
	unsigned           n_connections;
	struct stream     *streams;
	unsigned           n_streams;
};

struct request {
	struct server         *server;
	struct MHD_Connection *connection;
	const char            *path, *method;
	bool                   is_post, is_unix, checked;
	struct fields          fields;
	size_t                 n_body;
	char                   body[FIELDS_BYTES + 1];
};

/* guard.c: is there anything about this request for which it is refused before its page is looked for? 0: no; otherwise
 * the HTTP status, with why. */
unsigned guard_request(const struct request *r, const char **why);
/* Of a change: does it come from a page of ours (Origin, Sec-Fetch-Site)? */
bool guard_is_own_page(const struct request *r);
const char *header_of(const struct request *r, const char *name); /* NULL: there is none */
/* The value of our cookie; "": there is none. */
void guard_cookie(const struct request *r, char out[static TOKEN_TEXT]);
/* Who this is, by the kernel, the certificate or the session. */
struct who guard_who(const struct request *r);

/* routes.c: writes the page of a request that is complete. */
void route(struct request *r, struct page *p);

/* sign_in.c */
void page_sign_in(const struct request *r, struct page *p, enum text note);
void page_first(const struct request *r, struct page *p, const char *note);
void post_sign_in(struct request *r, struct page *p);
void post_first(struct request *r, struct page *p);
void post_sign_out(struct request *r, struct page *p);

/* stream.c: the live page's records, as they come. */
enum MHD_Result stream_begin(struct request *r, const struct who *who);
/* Looks for new records and wakes who waits for them. */
void stream_look(struct server *s);
void stream_end_all(struct server *s);

/* serve.c */
int server_open(struct server *s, struct console *c, struct err *err);
/* Until SIGTERM or SIGINT. */
void server_run(struct server *s);
void server_close(struct server *s);
void add_headers(struct MHD_Response *response, bool tls);

/* listen.c: a listening socket, or -1 with err. */
int listen_tcp(struct console *c, struct err *err);
int listen_unix(const char *path, gid_t group, struct err *err);
/* Is it an address of this machine's loopback? */
bool listen_is_local(const char *text);

#endif
