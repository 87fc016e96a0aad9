/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of sinks and the buffers before their files. A buffer holds whole lines, each one a
 * record, and is written when it is full or when nothing else waits. What a file refuses is counted
 * and forgotten: neither a full disk nor a stuck reader may hold up the other sinks for long.
 */
#include "log/sink.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "log/relay.h"

enum {
	SINKS_MAX = 16,
	SINK_BUFFER = 64 * 1024,
	TEXT_MAX = 1024,
	STALL_MS = 1000, /* how long a reader that stopped reading is waited for, once */
};

struct sink;

struct sink_row {
	const char *name;
	void (*put)(struct sink *k, const struct record *r);
};

struct sink {
	const struct sink_row *row;
	int                    fd;
	bool                   colour;
	bool                   torn;    /* the file ends inside a line that was given up */
	bool                   stalled; /* the reader was waited for in vain */
	char                  *buf;
	size_t                 used, done; /* bytes held; of these written, inside the first line */
	struct sink_counts     counts;
	struct diag_rate       rate;
};

struct sinks {
	struct sink     v[SINKS_MAX];
	unsigned        n;
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
	k->counts.lost += lost;
	if (lost && diag_may(&k->rate, clock_now()))
		diag_warn("log", "%s: %s: %llu records lost so far", k->row->name, why,
		          (unsigned long long)k->counts.lost);
}

/* True when a reader that had no room has some again. Waits once per standstill. */
static bool wait_for_reader(struct sink *k)
{
	struct pollfd p = { .fd = k->fd, .events = POLLOUT };

	if (!k->stalled)
		k->stalled = poll(&p, 1, STALL_MS) <= 0;
	return !k->stalled;
}

/* Writes as much as the file takes. Returns 0 or -errno; done says how far it came. */
static int write_out(struct sink *k, bool wait)
{
	while (k->torn || k->done < k->used) {
		ssize_t n = k->torn ? write(k->fd, "\n", 1)
		                    : write(k->fd, k->buf + k->done, k->used - k->done);

		if (n > 0) {
			k->stalled = false;
			if (k->torn)
				k->torn = false;
			else
				k->done += (size_t)n;
		} else if (n == 0) {
			return -EIO;
		} else if (errno == EAGAIN && wait && wait_for_reader(k)) {
			continue;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static void forget(struct sink *k, size_t n)
{
	memmove(k->buf, k->buf + n, k->used - n);
	k->used -= n;
	k->done -= n;
}

/* Afterwards the buffer is empty, except that a reader without room gets what is left later. */
static void sink_flush(struct sink *k, bool wait)
{
	const char *end;
	int         r;

	if (k->used == 0)
		return;
	r = write_out(k, wait);
	end = memrchr(k->buf, '\n', k->done);
	if (end) {
		size_t whole = (size_t)(end - k->buf) + 1;

		k->counts.written += count_lines(k->buf, whole);
		forget(k, whole);
	}
	if (r == 0 || r == -EAGAIN)
		return;
	k->torn |= k->done > 0;
	warn_lost(k, strerror(-r), count_lines(k->buf, k->used));
	k->used = k->done = 0;
}

static void sink_append(struct sink *k, const char *line, size_t n)
{
	if (n + 1 > SINK_BUFFER - k->used)
		sink_flush(k, true);
	if (n + 1 > SINK_BUFFER - k->used) {
		warn_lost(k, too_slow, 1);
		return;
	}
	memcpy(k->buf + k->used, line, n);
	k->buf[k->used + n] = '\n';
	k->used += n + 1;
}

/* ---- the table of sinks -------------------------------------------------------------------- */

static void put_eve(struct sink *k, const struct record *r)
{
	char   line[EVE_MAX];
	size_t n = eve_line(r, line, sizeof(line));

	if (n)
		sink_append(k, line, n);
	else
		warn_lost(k, "the record does not fit in 8 KiB", 1);
}

static void put_text(struct sink *k, const struct record *r)
{
	char line[TEXT_MAX];

	text_line(r, k->colour, line, sizeof(line));
	sink_append(k, line, strlen(line));
}

static const struct sink_row rows[] = {
	[SINK_EVE] = { "eve", put_eve },
	[SINK_TEXT] = { "text", put_text },
};

/* ---- the door ------------------------------------------------------------------------------ */

struct sinks *sinks_new(void)
{
	struct sinks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->seq = 1;
	relay_init(&s->relay);
	tzset(); /* reads a file on first use, and nothing can be opened where records are written */
	return s;
}

static void close_fd(int fd)
{
	if (fd >= 0 && fd != STDOUT_FILENO)
		close(fd);
}

void sinks_free(struct sinks *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		struct sink *k = &s->v[i];

		sink_flush(k, true);
		warn_lost(k, too_slow, count_lines(k->buf, k->used));
		close_fd(k->fd);
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

int sinks_add(struct sinks *s, enum sink_type type, int fd)
{
	struct sink *k = &s->v[s->n];

	if (s->n == SINKS_MAX)
		return -ENOSPC;
	*k = (struct sink){ .row = &rows[type], .fd = fd, .colour = wants_colour(fd) };
	k->buf = malloc(SINK_BUFFER);
	if (!k->buf)
		return -ENOMEM;
	s->n++;
	return 0;
}

void sinks_reopen(struct sinks *s, unsigned i, int fd)
{
	struct sink *k = &s->v[i];

	if (i >= s->n || fd < 0) {
		close_fd(fd);
		return;
	}
	sink_flush(k, true);
	close_fd(k->fd);
	k->fd = fd;
	k->colour = wants_colour(fd);
	k->torn = k->stalled = false;
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

	for (unsigned i = 0; i < s->n; i++)
		s->v[i].row->put(&s->v[i], &r);
}

void sinks_flush(struct sinks *s)
{
	for (unsigned i = 0; i < s->n; i++)
		sink_flush(&s->v[i], false);
}

struct sink_counts sinks_counts(const struct sinks *s)
{
	struct sink_counts sum = { 0 };

	for (unsigned i = 0; i < s->n; i++) {
		sum.written += s->v[i].counts.written;
		sum.lost += s->v[i].counts.lost;
	}
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
