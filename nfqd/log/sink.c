/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of sinks and the buffers before their files. A buffer holds whole lines, each one a
 * record, and is written when it is full or when nothing else waits. What a file refuses is counted
 * and forgotten; what it has no room for yet stays, until the buffer is full, too.
 */
#include "log/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/outlet.h"
#include "log/relay.h"
#include "log/sink_private.h"

enum {
	SINK_BUFFER = 256 * 1024, /* some hundred records: what a reader may be late by */
	LAST_MS = 500, /* how long all sinks together are waited for at the end */
};

struct sink {
	enum sink_type         type;
	const struct sink_ops *ops;
	struct outlet          out;
	bool                   colour;
	bool                   torn; /* the file ends inside a line that was given up */
	bool                   wait; /* for a reader without room */
	char                  *buf;
	size_t                 used, done; /* bytes held; of these written, inside the first line */
	struct sink_counts     own, *counts;
	struct diag_rate       rate;
};

struct sinks {
	struct sink     v[SINKS_MAX];
	unsigned        n;
	bool            wait;
	uint64_t        seq; /* of the next record */
	struct identity identity;
	struct relay    relay;
};

static const char too_slow[] = "the reader is too slow";

/* ---- writing out --------------------------------------------------------------------------- */

static uint64_t count_lines(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (const char *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		lines++;
	return lines;
}

static void warn_lost(struct sink *k, const char *why, uint64_t lost)
{
	lost = atomic_fetch_add(&k->counts->lost, lost) + lost;
	if (diag_may(&k->rate, clock_now()))
		diag_warn("log", "%s: %s: %llu records lost so far", sink_name(k->type), why,
		          (unsigned long long)lost);
}

static void lose(struct sink *k, const char *why)
{
	uint64_t lines = count_lines(k->buf, k->used);

	if (lines)
		warn_lost(k, why, lines);
	k->torn |= k->done > 0;
	k->used = k->done = 0;
}

/* Likewise, except for the line that the file has the beginning of: the rest of it is written as soon as
 * there is room. */
static void lose_whole(struct sink *k, const char *why)
{
	size_t kept = (size_t)((char *)memchr(k->buf, '\n', k->used) - k->buf) + 1;

	if (k->used > kept)
		warn_lost(k, why, count_lines(k->buf + kept, k->used - kept));
	k->used = kept;
}

/* Writes as much as the file takes. Returns 0 or -errno; done says how far it came. */
static int write_out(struct sink *k)
{
	struct pollfd room = { .fd = k->out.fd, .events = POLLOUT };

	while (k->torn || k->done < k->used) {
		ssize_t n = k->torn ? outlet_write(&k->out, "\n", 1)
		                    : outlet_write(&k->out, k->buf + k->done, k->used - k->done);

		if (n > 0 && k->torn)
			k->torn = false;
		else if (n > 0)
			k->done += (size_t)n;
		else if (n == 0)
			return -EIO;
		else if (n == -EAGAIN && k->wait)
			poll(&room, 1, -1);
		else if (n != -EINTR)
			return (int)n;
	}
	return 0;
}

/* The same line by line on a socket of messages; one that is too long for it is left out. */
static int send_out(struct sink *k)
{
	struct pollfd room = { .fd = k->out.fd, .events = POLLOUT };

	while (k->done < k->used) {
		char   *line = k->buf + k->done;
		size_t  len = (size_t)((char *)memchr(line, '\n', k->used - k->done) - line);
		ssize_t n = outlet_write(&k->out, line, len);

		if (n >= 0) {
			k->done += len + 1;
		} else if (n == -EMSGSIZE) {
			warn_lost(k, "a record is too long for the socket", 1);
			memmove(line, line + len + 1, k->used - k->done - len - 1);
			k->used -= len + 1;
		} else if (n == -EAGAIN && k->wait) {
			poll(&room, 1, -1);
		} else if (n != -EINTR) {
			return (int)n;
		}
	}
	return 0;
}

/* The reader of a socket ended; its successor's socket is another one. */
static bool is_gone(const struct sink *k, int r)
{
	return k->ops->messages &&
	       (r == -ECONNREFUSED || r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE);
}

static void forget(struct sink *k, size_t n)
{
	memmove(k->buf, k->buf + n, k->used - n);
	k->used -= n;
	k->done -= n;
}

/* Afterwards the buffer is empty, except that a reader without room gets what is left later. */
static void sink_flush(struct sink *k)
{
	const char *end;
	int         r;

	if (k->used == 0)
		return;
	r = k->ops->messages ? send_out(k) : write_out(k);
	end = memrchr(k->buf, '\n', k->done);
	if (end) {
		size_t whole = (size_t)(end - k->buf) + 1;

		atomic_fetch_add(&k->counts->written, count_lines(k->buf, whole));
		forget(k, whole);
	}
	atomic_store(&k->counts->stuck, r == -EAGAIN);
	atomic_store(&k->counts->gone, is_gone(k, r));
	if (r == 0 || r == -EAGAIN || is_gone(k, r))
		return;
	if (k->done > 0 && r != -EPIPE) /* another reader has no use for half a line */
		lose_whole(k, strerror(-r));
	else
		lose(k, strerror(-r));
}

static void sink_append(struct sink *k, const char *line, size_t n)
{
	if (n + 1 > SINK_BUFFER - k->used)
		sink_flush(k);
	if (n + 1 > SINK_BUFFER - k->used) {
		warn_lost(k, too_slow, 1);
		return;
	}
	memcpy(k->buf + k->used, line, n);
	k->buf[k->used + n] = '\n';
	k->used += n + 1;
}

/* ---- the table of sinks -------------------------------------------------------------------- */

static void append_record(struct sink *k, const char *line, size_t n)
{
	if (n)
		sink_append(k, line, n);
	else
		warn_lost(k, "the record does not fit in 8 KiB", 1);
}

static const struct sink_ops *const rows[] = {
#define X(id, word, path, ops) [id] = &ops,
	SINKS(X)
#undef X
};
static WORDS(sink_words, SINKS, SINK_N);

const char *sink_name(enum sink_type type)
{
	return sink_words[type];
}

int sink_open(enum sink_type type, const char *path, struct err *err)
{
	return rows[type]->open(path, err);
}

/* ---- the door ------------------------------------------------------------------------------ */

struct sinks *sinks_new(bool wait)
{
	struct sinks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->seq = 1;
	s->wait = wait;
	relay_init(&s->relay);
	tzset(); /* reads a file on first use, and nothing can be opened where records are written */
	return s;
}

/* What is left goes to whichever reader makes room, until all have or the time is up. */
static void flush_last(struct sinks *s)
{
	struct pollfd fds[SINKS_MAX];
	uint64_t      end = clock_monotonic() + LAST_MS * NS_PER_MS, now;
	unsigned      n;

	sinks_flush(s);
	while ((n = sinks_poll(s, fds)) > 0 && (now = clock_monotonic()) < end) {
		poll(fds, n, (int)((end - now) / NS_PER_MS) + 1);
		sinks_flush(s);
	}
}

void sinks_free(struct sinks *s)
{
	if (!s)
		return;
	flush_last(s);
	for (unsigned i = 0; i < s->n; i++) {
		struct sink *k = &s->v[i];

		lose(k, too_slow);
		outlet_close(&k->out);
		free(k->buf);
	}
	free(s);
}

/* Not isatty(): where the worker runs, ioctl() is refused. */
static bool wants_colour(int fd)
{
	const char *no = getenv("NO_COLOR"); /* https://no-color.org */
	struct stat st;

	return !(no && *no) && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode);
}

/* What the process before had taken and neither wrote nor counted. */
static void settle(struct sink_counts *c)
{
	c->lost += c->taken - c->written - c->lost;
}

int sinks_add(struct sinks *s, enum sink_type type, int fd, struct sink_counts *counts)
{
	struct sink *k = &s->v[s->n];

	if (s->n == SINKS_MAX)
		return -ENOSPC;
	*k = (struct sink){ .type = type, .ops = rows[type], .out = outlet_of(fd), .wait = s->wait,
		            .colour = wants_colour(fd), .counts = counts ? counts : &k->own };
	k->buf = malloc(SINK_BUFFER);
	if (!k->buf)
		return -ENOMEM;
	settle(k->counts);
	s->n++;
	return 0;
}

void sinks_reopen(struct sinks *s, unsigned i, int fd)
{
	struct sink *k = &s->v[i];

	if (i >= s->n || fd < 0) {
		outlet_close(&(struct outlet){ .fd = fd });
		return;
	}
	sink_flush(k);
	outlet_close(&k->out);
	k->out = outlet_of(fd);
	k->colour = wants_colour(fd);
	k->torn = false;
	k->done = 0; /* a line that was cut by the change goes to the new file whole */
}

void sinks_identify(struct sinks *s, const struct identity *identity)
{
	s->identity = *identity;
}

void sinks_write(struct sinks *s, const struct event *event, const struct sink_hints *hints)
{
	struct record r = { .event = event, .identity = &s->identity, .seq = s->seq++,
		            .ifname = hints->ifname, .client = hints->client,
		            .relayed = relay_is(&s->relay, event) };
	char line[EVE_MAX];

	for (unsigned i = 0; i < s->n; i++) {
		struct sink *k = &s->v[i];

		atomic_fetch_add(&k->counts->taken, 1);
		append_record(k, line, k->ops->format(&r, k->colour, line, sizeof(line)));
	}
}

void sinks_write_own(struct sinks *s, uint64_t ts, const char *members)
{
	struct own_record r = { .identity = &s->identity, .seq = s->seq++, .ts = ts,
		                .members = members };
	char              line[EVE_MAX];

	for (unsigned i = 0; i < s->n; i++)
		if (s->v[i].ops->format_own) {
			atomic_fetch_add(&s->v[i].counts->taken, 1);
			append_record(&s->v[i], line, s->v[i].ops->format_own(&r, line, sizeof(line)));
		}
}

void sinks_flush(struct sinks *s)
{
	for (unsigned i = 0; i < s->n; i++)
		sink_flush(&s->v[i]);
}

unsigned sinks_poll(const struct sinks *s, struct pollfd *fds)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++)
		if (s->v[i].counts->stuck)
			fds[n++] = (struct pollfd){ .fd = s->v[i].out.fd, .events = POLLOUT };
	return n;
}

uint64_t sinks_written(const struct sinks *s)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < s->n; i++)
		sum += s->v[i].counts->written;
	return sum;
}

uint64_t sinks_lost(const struct sinks *s)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < s->n; i++)
		sum += s->v[i].counts->lost;
	return sum;
}

void sinks_set_seq(struct sinks *s, uint64_t seq)
{
	s->seq = seq ? seq : 1;
}

uint64_t sinks_seq(const struct sinks *s)
{
	return s->seq;
}
