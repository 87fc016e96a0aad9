/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's questions; a question is a row of the table. One client at a time, with a limit of time for all it does. */
#include "sightings/serve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "sightings/sightings.h"

enum { REQUEST_MAX = 4096, CLIENT_MS = 3000, QUESTION_MS = 4000, KEPT = 128, KEPT_LINE = 4096, GROUPS = 64, NICE_HERE = 5 };

static struct {
	int         listener;
	const char *file;
	gid_t       operators;
} serve = { .listener = -1 };

/* ---- the latest records -------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	uint64_t        next; /* number of the one that comes */
	struct {
		uint32_t n;
		char     line[KEPT_LINE];
	} v[KEPT];
} latest = { .lock = PTHREAD_MUTEX_INITIALIZER };

void serve_note(const char *line, uint32_t n)
{
	if (serve.listener < 0)
		return;
	pthread_mutex_lock(&latest.lock);
	latest.v[latest.next % KEPT].n = n < KEPT_LINE ? n : 0; /* a longer one is in the log */
	if (n < KEPT_LINE)
		memcpy(latest.v[latest.next % KEPT].line, line, n);
	latest.next++;
	pthread_mutex_unlock(&latest.lock);
}

/* ---- a client ------------------------------------------------------------------------------ */

struct client {
	int      fd;
	uint64_t end; /* of its time, in ms */
	bool     failed;
};

static uint64_t now_ms(void)
{
	return clock_now() / (NS_PER_S / 1000);
}

static bool wait_for(struct client *c, short events)
{
	struct pollfd p = { c->fd, events, 0 };
	uint64_t      now = now_ms();

	c->failed |= now >= c->end || now + CLIENT_MS < c->end || poll(&p, 1, (int)(c->end - now)) <= 0;
	return !c->failed;
}

static int put(const char *bytes, size_t n, void *ctx)
{
	struct client *c = ctx;

	while (n > 0 && !c->failed) {
		ssize_t r = write(c->fd, bytes, n);

		if (r > 0) {
			bytes += r;
			n -= (size_t)r;
		} else if (r == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for(c, POLLOUT)) {
			c->failed = true;
		}
	}
	return c->failed ? -1 : 0;
}

static void put_line(struct client *c, const json_t *o)
{
	char  *text = json_dumps(o, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0;

	if (text)
		text[n++] = '\n'; /* where the NUL was */
	c->failed |= !text || put(text, n, c) < 0;
	free(text);
}

/* By the kernel's word about who connected. */
static bool may_change(int fd)
{
	gid_t        groups[GROUPS];
	socklen_t    size = sizeof(groups);
	struct ucred peer;
	socklen_t    len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	if (peer.uid == 0 || peer.gid == serve.operators)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == serve.operators)
			return true;
	return false;
}

/* ---- questions ----------------------------------------------------------------------------- */

struct question {
	const json_t          *o;
	struct client         *client;
	struct sightings      *db;
	struct sightings_which which;
};

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static json_t *ask_hosts(struct question *q, struct err *err)
{
	return sightings_hosts(q->db, &q->which, err);
}

static json_t *ask_host(struct question *q, struct err *err)
{
	const char *id = text(q->o, "id");

	return sightings_host(q->db, id ? id : "", &q->which, err);
}

static json_t *ask_report(struct question *q, struct err *err)
{
	return sightings_report(q->db, &q->which, err);
}

static json_t *ask_coverage(struct question *q, struct err *err)
{
	return sightings_coverage(q->db, &q->which, err);
}

static json_t *ask_events(struct question *q, struct err *err)
{
	return sightings_events(q->db, &q->which, err);
}

static void put_names(void *ctx, const json_t *machine, const json_t *names)
{
	struct question *q = ctx;
	json_t          *line = json_pack("{s:O, s:O}", "machine", machine, "names", names);

	if (!q->client->failed)
		put_line(q->client, line);
	json_decref(line);
}

/* A line for each machine; the answer is the last one. */
static json_t *ask_names(struct question *q, struct err *err)
{
	return sightings_names(q->db, &q->which, put_names, q, err) == 0 ? json_object() : NULL;
}

static json_t *ask_change(struct question *q, struct err *err)
{
	const char *what = text(q->o, "ask"), *id = text(q->o, "id"), *other = text(q->o, "other");

	if (!id || (strcmp(what, "forget") != 0 && !other)) {
		err_set(err, "%s: which machine?", what);
		return NULL;
	}
	if (strcmp(what, "split") == 0)
		return sightings_split(q->db, id, other, err);
	return strcmp(what, "merge") == 0 ? sightings_merge(q->db, id, other, err) : sightings_forget(q->db, id, err);
}

/* Those after a number; all that are kept when that is unknown. */
static json_t *ask_records(struct question *q, struct err *err)
{
	json_t  *all = json_array();
	uint64_t after, next, first;

	(void)err;
	pthread_mutex_lock(&latest.lock);
	next = latest.next;
	first = next > KEPT ? next - KEPT : 0;
	after = (uint64_t)json_integer_value(json_object_get(q->o, "after"));
	if (after < first || after > next)
		after = first;
	for (; after < next; after++)
		if (latest.v[after % KEPT].n)
			json_array_append_new(all, json_loadb(latest.v[after % KEPT].line, latest.v[after % KEPT].n, 0, NULL));
	pthread_mutex_unlock(&latest.lock);
	return json_pack("{s:I, s:o}", "next", (json_int_t)next, "records", all);
}

static const struct row {
	const char *word;
	json_t *(*ask)(struct question *q, struct err *err);
	enum sightings_open how;
	bool                changes, without_db;
} rows[] = {
	{ "hosts", ask_hosts, SIGHTINGS_READ, false, false },    { "host", ask_host, SIGHTINGS_READ, false, false },
	{ "report", ask_report, SIGHTINGS_READ, false, false },  { "names", ask_names, SIGHTINGS_READ, false, false },
	{ "coverage", ask_coverage, SIGHTINGS_READ, false, false }, { "events", ask_events, SIGHTINGS_READ, false, false },
	{ "records", ask_records, SIGHTINGS_READ, false, true }, { "split", ask_change, SIGHTINGS_WRITE, true, false },
	{ "merge", ask_change, SIGHTINGS_WRITE, true, false },   { "forget", ask_change, SIGHTINGS_WRITE, true, false },
};

static json_t *answer(struct client *c, const json_t *o, struct err *err)
{
	const char      *word = text(o, "ask");
	struct question  q = { .o = o, .client = c };
	const struct row *r = rows, *end = rows + sizeof(rows) / sizeof(rows[0]);
	json_t           *a = NULL;

	while (r < end && (!word || strcmp(r->word, word) != 0))
		r++;
	if (r == end || (r->changes && !may_change(c->fd))) {
		err_set(err, "%s", r == end ? "no such question" : "only operators may change the database of machines");
		return NULL;
	}
	q.which.vendor = text(o, "vendor");
	q.which.sort = text(o, "sort");
	q.which.leaked = json_is_true(json_object_get(o, "leaked"));
	q.which.since = json_integer_value(json_object_get(o, "since"));
	q.which.until = json_integer_value(json_object_get(o, "until"));
	if (!r->without_db)
		q.db = sightings_open(serve.file, r->how, NULL, err);
	if (q.db)
		sightings_limit_time(q.db, QUESTION_MS);
	if (r->without_db || q.db)
		a = r->ask(&q, err);
	sightings_close(q.db);
	return a;
}

static void serve_client(struct client *c)
{
	char       request[REQUEST_MAX + 1];
	struct err err = { .text = "" };
	json_t    *o, *a;
	ssize_t    r;
	size_t     n = 0;

	do {
		r = wait_for(c, POLLIN) ? recv(c->fd, request + n, REQUEST_MAX - n, MSG_DONTWAIT) : -1;
		n += r > 0 ? (size_t)r : 0;
	} while (r > 0 && n < REQUEST_MAX && !memchr(request, '\n', n));
	o = json_loadb(request, n, JSON_DISABLE_EOF_CHECK, NULL);
	c->end = now_ms() + CLIENT_MS; /* looking things up is our time, not the client's */
	a = answer(c, o, &err);
	c->end = now_ms() + CLIENT_MS;
	if (!a)
		a = json_pack("{s:b, s:s}", "ok", 0, "error", err.text);
	else
		json_object_set_new(a, "ok", json_true());
	put_line(c, a);
	json_decref(a);
	json_decref(o);
}

static void *run(void *arg)
{
	struct pollfd p = { serve.listener, POLLIN, 0 };
	struct client c;

	(void)arg;
	setpriority(PRIO_PROCESS, 0, NICE_HERE); /* of this thread */
	for (;;) {
		if (poll(&p, 1, -1) < 0)
			continue;
		c = (struct client){ .fd = accept4(serve.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) };
		if (c.fd < 0)
			continue;
		c.end = now_ms() + CLIENT_MS;
		serve_client(&c);
		close(c.fd);
	}
	return NULL;
}

int serve_start(int listener, const char *file, gid_t operators, struct err *err)
{
	pthread_t thread;
	int       r;

	if (listener < 0)
		return 0;
	serve.listener = listener;
	serve.file = file;
	serve.operators = operators;
	signal(SIGPIPE, SIG_IGN);
	r = pthread_create(&thread, NULL, run, NULL);
	if (r == 0)
		pthread_detach(thread);
	return r ? err_set(err, "no thread for the console's questions: %s", strerror(r)) : 0;
}
