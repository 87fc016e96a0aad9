/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Server-sent events (HTML Living Standard, 9.2) for the live page: each record as the row that the page shows. A stream
 * that does not read is let go; none lives longer than its session. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "pages.h"
#include "request.h"
#include "sessions.h"

enum { STREAMS = 16, BUFFER = 128 << 10, BEAT_LOOKS = 20 };

struct stream {
	struct stream         *next;
	struct server         *server;
	struct MHD_Connection *connection;
	char                   cookie[TOKEN_TEXT]; /* "": not by a session */
	bool                   sleeps, over;
	size_t                 n;
	char                   bytes[BUFFER];
};

static json_int_t next_record;

/* ---- what libmicrohttpd takes ---- */

static ssize_t read_stream(void *ctx, uint64_t pos, char *out, size_t room)
{
	struct stream *s = ctx;
	size_t         n = s->n < room ? s->n : room;

	(void)pos;
	if (n == 0 && s->over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		s->sleeps = true;
		MHD_suspend_connection(s->connection);
		return 0;
	}
	memcpy(out, s->bytes, n);
	memmove(s->bytes, s->bytes + n, s->n - n);
	s->n -= n;
	return (ssize_t)n;
}

static void free_stream(void *ctx)
{
	struct stream  *s = ctx;
	struct stream **at = &s->server->streams;

	while (*at && *at != s)
		at = &(*at)->next;
	if (*at) {
		*at = s->next;
		s->server->n_streams--;
	}
	free(s);
}

static void wake(struct stream *s)
{
	if (!s->sleeps)
		return;
	s->sleeps = false;
	MHD_resume_connection(s->connection);
}

static void add(struct stream *s, const char *text, size_t n)
{
	if (n > BUFFER - s->n) {
		s->n = 0; /* it does not read: what it missed is on the page that it reads again */
		s->over = true;
		return;
	}
	memcpy(s->bytes + s->n, text, n);
	s->n += n;
}

enum MHD_Result stream_begin(struct request *r, const struct who *who)
{
	struct server        *server = r->server;
	struct stream        *s = server->n_streams < STREAMS ? calloc(1, sizeof(*s)) : NULL;
	struct MHD_Response  *response = s ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, s, free_stream) : NULL;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	enum MHD_Result       result;

	if (!response) {
		free(s);
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		result = MHD_queue_response(r->connection, 503, response);
		MHD_destroy_response(response);
		return result;
	}
	s->server = server;
	s->connection = r->connection;
	if (!who->by_socket)
		guard_cookie(r, s->cookie);
	s->next = server->streams;
	server->streams = s;
	server->n_streams++;
	if (info && info->socket_context)
		((struct connection *)info->socket_context)->streams = true;
	add(s, "retry: 3000\n\n", 13);
	add_headers(response, server->console->tls);
	MHD_add_response_header(response, "Content-Type", "text/event-stream; charset=utf-8");
	result = MHD_queue_response(r->connection, 200, response);
	MHD_destroy_response(response);
	return result;
}

/* ---- what comes ---- */

/* As one event, a line of data for each line of text. */
static void put_event(FILE *f, const char *text)
{
	fputs("data: ", f);
	for (; *text; text++) {
		if (*text == '\n' || *text == '\r')
			fputs("\ndata: ", f);
		else
			fputc(*text, f);
	}
	fputs("\n\n", f);
}

static void add_record(FILE *f, const json_t *record)
{
	char  *row = NULL;
	size_t n;
	FILE  *one = open_memstream(&row, &n);

	if (!one)
		return;
	live_row(one, record);
	if (fclose(one) == 0)
		put_event(f, row);
	free(row);
}

/* The events since the last look, as text that the caller frees. */
static char *news(const struct server *s, size_t *n)
{
	struct err    err = { .text = "" };
	json_t       *answer = ask_sightings(s->console, json_pack("{s:s, s:I}", "ask", "records", "after", next_record), &err);
	const json_t *record;
	char         *text = NULL;
	FILE         *f = open_memstream(&text, n);
	size_t        i;

	if (!f) {
		json_decref(answer);
		return NULL;
	}
	json_array_foreach(json_object_get(answer, "records"), i, record)
		add_record(f, record);
	if (answer)
		next_record = json_integer_value(json_object_get(answer, "next"));
	fclose(f);
	json_decref(answer);
	return text;
}

static bool is_signed_in(const struct stream *s)
{
	struct who who;

	return !s->cookie[0] || sessions_find(s->server->console->sessions, s->cookie, &who);
}

void stream_look(struct server *server)
{
	static unsigned looks;
	static uint64_t last;
	const bool      beat = ++looks % BEAT_LOOKS == 0;
	size_t          n = 0;
	char           *text;

	if (!server->streams || clock_monotonic() - last < 400 * NS_PER_MS)
		return;
	last = clock_monotonic();
	text = news(server, &n);
	for (struct stream *s = server->streams; s; s = s->next) {
		s->over |= !is_signed_in(s);
		if (text && n)
			add(s, text, n);
		if (beat)
			add(s, ":\n\n", 3);
		if (s->n || s->over)
			wake(s);
	}
	free(text);
}

void stream_end_all(struct server *server)
{
	for (struct stream *s = server->streams; s; s = s->next) {
		s->over = true;
		s->n = 0;
		wake(s);
	}
	for (unsigned i = 0; server->streams && i < server->n; i++)
		MHD_run(server->daemons[i]);
}
