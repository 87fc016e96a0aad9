/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of sinks, and the way in: a record gets its number and goes to each sink. */
#include "log/feed.h"
#include "log/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/privacy.h"
#include "log/sink_private.h"

enum { LAST_MS = 500 }; /* the time that all sinks together have at the end */

/* ---- the table of sinks -------------------------------------------------------------------- */

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

bool sink_waits_for_reader(enum sink_type type)
{
	return rows[type]->connects;
}

/* ---- the way in ---------------------------------------------------------------------------- */

struct sinks *sinks_new(bool wait)
{
	struct sinks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->seq = 1;
	s->wait = wait;
	relay_init(&s->relay);
	tzset(); /* tzset() reads a file on first use, and the process that writes records cannot open one */
	return s;
}

/* Writes to each sink whose reader makes room, until everything is written or the time is up. */
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

		sink_give_up(k);
		outlet_close(&k->out);
		free(k->buf);
	}
	free(s);
}

/* Not isatty(): the worker's seccomp filter refuses ioctl(). */
static bool wants_colour(int fd)
{
	const char *no = getenv("NO_COLOR"); /* https://no-color.org */
	struct stat st;

	return !(no && *no) && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode);
}

/* Counts the records that the previous worker took but neither wrote nor counted as lost. */
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
	if (sink_buffer_new(k) < 0)
		return -ENOMEM;
	settle(k->counts);
	s->n++;
	return 0;
}

/* A socket keeps its descriptor number: the worker's seccomp filter allows sending on no other. */
static struct outlet replace(struct outlet *old, int fd)
{
	if (old->socket && old->fd > STDERR_FILENO && dup3(fd, old->fd, O_CLOEXEC) >= 0) {
		close(fd);
		return outlet_of(old->fd);
	}
	outlet_close(old);
	return outlet_of(fd);
}

void sinks_reopen(struct sinks *s, unsigned i, int fd)
{
	struct sink *k = &s->v[i];

	if (i >= s->n || fd < 0) {
		outlet_close(&(struct outlet){ .fd = fd });
		return;
	}
	sink_flush(k);
	k->out = replace(&k->out, fd);
	k->colour = wants_colour(fd);
	sink_begin_anew(k); /* a line that the change cut goes whole to the new file */
}

void sinks_identify(struct sinks *s, const struct identity *identity)
{
	s->identity = *identity;
}

void sinks_shape(struct sinks *s, unsigned i, enum privacy privacy, enum dns_version dns)
{
	s->v[i].privacy = (uint8_t)privacy;
	s->v[i].dns = (uint8_t)dns;
}

/* Formats the record with as much of the client as this output may tell. */
static size_t format(const struct sink *k, struct record r, char *line, size_t room)
{
	struct event less;
	char         pseudonym[PSEUDONYM] = "";

	r.privacy = k->privacy;
	r.dns = k->dns;
	r.pseudonym = pseudonym;
	if (k->privacy != PRIVACY_FULL) {
		less = *r.event;
		privacy_reduce(&less, k->privacy, r.identity, pseudonym);
		r.event = &less;
		r.client = NULL;
	}
	return k->ops->format(&r, k->colour, line, room);
}

/* ---- the sightings ---- */

void sinks_feed(struct sinks *s, struct feed *feed)
{
	s->feed = feed;
}

/* All of a record but its bytes. */
static void feed_record(struct feed *feed, struct record r)
{
	struct event less = *r.event;
	char         line[EVE_MAX];

	less.bytes = (struct event_bytes){ .length = 0 };
	r.event = &less;
	r.pseudonym = "";
	feed_push(feed, line, (uint32_t)eve_line(&r, line, sizeof(line)));
}

static void feed_own(struct sinks *s, uint64_t ts, const char *members)
{
	struct own_record r = { .identity = &s->identity, .seq = s->seq, .ts = ts, .members = members };
	char              line[EVE_MAX];

	feed_push(s->feed, line, (uint32_t)eve_own_line(&r, line, sizeof(line)));
}

/* ---- records ---- */

/* Moves on to the next number, once every output has the record with this one. */
static void count_up(struct sinks *s)
{
	s->seq++;
	if (s->seq_kept)
		atomic_store(s->seq_kept, s->seq);
}

void sinks_write(struct sinks *s, const struct event *event, const struct sink_hints *hints)
{
	struct record r = { .event = event, .identity = &s->identity, .seq = s->seq,
		            .ifname = hints->ifname, .client = hints->client,
		            .relayed = relay_is(&s->relay, event) };
	char line[EVE_MAX];

	for (unsigned i = 0; i < s->n; i++) {
		struct sink *k = &s->v[i];

		sink_put(k, line, format(k, r, line, sizeof(line)));
	}
	if (s->feed && event->listed && !r.relayed)
		feed_record(s->feed, r);
	count_up(s);
}

void sinks_write_each(struct sinks *s, uint64_t ts, sink_members_of *members, const void *ctx)
{
	char line[EVE_MAX];

	for (unsigned i = 0; i < s->n; i++) {
		struct sink      *k = &s->v[i];
		struct own_record r = { .identity = &s->identity, .seq = s->seq, .ts = ts,
			                .privacy = k->privacy };

		if (!k->ops->format_own)
			continue;
		r.members = members(ctx, i);
		sink_put(k, line, k->ops->format_own(&r, line, sizeof(line)));
	}
	if (s->feed)
		feed_own(s, ts, members(ctx, 0));
	count_up(s);
}

static const char *same_members(const void *members, unsigned i)
{
	(void)i;
	return members;
}

void sinks_write_own(struct sinks *s, uint64_t ts, const char *members)
{
	sinks_write_each(s, ts, same_members, members);
}

void sinks_flush(struct sinks *s)
{
	for (unsigned i = 0; i < s->n; i++)
		sink_flush(&s->v[i]);
	if (sinks_write_gaps(s))
		for (unsigned i = 0; i < s->n; i++)
			sink_flush(&s->v[i]);
	for (unsigned i = 0; i < s->n; i++)
		sink_save(&s->v[i]);
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

void sinks_number_by(struct sinks *s, _Atomic uint64_t *seq)
{
	s->seq_kept = seq;
	sinks_set_seq(s, atomic_load(seq));
}

uint64_t sinks_seq(const struct sinks *s)
{
	return s->seq;
}
