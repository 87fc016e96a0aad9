/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The buffer in front of an output's file. It holds whole lines, one per record, and is written when it is full or
 * when no more records are waiting. Lines that the file cannot take yet stay; lines that do not fit into the buffer
 * are lost and counted. After the first lost line, every line is lost until the buffer is empty. So the lost lines
 * are one range, and the gap record stands in their place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "log/sink_private.h"

enum {
	SINK_BUFFER = 256 * 1024, /* how far a reader may fall behind: some hundred records */
	SINK_LINES = LEDGER_LEAVES / 2,
	COPY_S = 2, /* a program that copies the file and then truncates it may miss lines written in between */
};

static const char too_slow[] = "the reader is too slow";

int sink_buffer_new(struct sink *k)
{
	k->buf = malloc(SINK_BUFFER);
	return k->buf ? 0 : -ENOMEM;
}

/* ---- losing -------------------------------------------------------------------------------- */

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

static bool has_gap(const struct sink *k)
{
	return k->ledger.kept && ledger_has_gap(&k->ledger);
}

static void note_why(struct sink *k, const char *why)
{
	if (!has_gap(k))
		snprintf(k->why, sizeof(k->why), "%s", why);
}

/* Loses every buffered line but the first: the file may already contain its beginning, so it is retried. */
static void lose_rest(struct sink *k, const char *why)
{
	size_t   kept = (size_t)((char *)memchr(k->buf, '\n', k->used) - k->buf) + 1;
	uint64_t lines = count_lines(k->buf + kept, k->used - kept);

	if (lines == 0)
		return;
	warn_lost(k, why, lines);
	note_why(k, why);
	if (k->ledger.kept)
		ledger_lose_from(&k->ledger, atomic_load(&k->ledger.kept->written) + 1);
	k->used = kept;
}

void sink_give_up(struct sink *k)
{
	uint64_t lines = count_lines(k->buf, k->used);

	if (lines)
		warn_lost(k, too_slow, lines);
	k->used = k->done = 0;
}

void sink_begin_anew(struct sink *k)
{
	k->torn = false;
	k->done = 0;
	k->size = 0;
}

/* ---- writing out --------------------------------------------------------------------------- */

/* Writes as much as the file takes, and advances done. Returns 0 or -errno. */
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

/* The same for a socket of messages, one line each. A line that is too long is lost, and so are those after it. */
static int send_out(struct sink *k)
{
	struct pollfd room = { .fd = k->out.fd, .events = POLLOUT };

	while (k->done < k->used) {
		char   *line = k->buf + k->done;
		size_t  len = (size_t)((char *)memchr(line, '\n', k->used - k->done) - line);
		ssize_t n = outlet_write(&k->out, line, len);

		if (n >= 0)
			k->done += len + 1;
		else if (n == -EAGAIN && k->wait)
			poll(&room, 1, -1);
		else if (n != -EINTR)
			return (int)n;
	}
	return 0;
}

/* Has the reader closed its socket? Its next instance has another one. */
static bool is_gone(const struct sink *k, int r)
{
	return k->ops->connects && (r == -ECONNREFUSED || r == -ENOTCONN || r == -ECONNRESET ||
	                            r == -EPIPE || r == -EBADF);
}

static void forget(struct sink *k, size_t n)
{
	memmove(k->buf, k->buf + n, k->used - n);
	k->used -= n;
	k->done -= n;
}

/* Removes the lines that were written completely. */
static void settle_written(struct sink *k)
{
	const char *end = memrchr(k->buf, '\n', k->done);
	size_t      whole = end ? (size_t)(end - k->buf) + 1 : 0;
	uint64_t    lines = count_lines(k->buf, whole);

	if (lines) {
		atomic_fetch_add(&k->counts->written, lines);
		if (k->ledger.kept)
			ledger_wrote(&k->ledger, lines, clock_now());
		forget(k, whole);
	}
	if (k->ledger.kept)
		atomic_store(&k->ledger.kept->inside, k->done > 0 || k->torn);
}

static void lose_too_long(struct sink *k)
{
	uint64_t lines = count_lines(k->buf, k->used);

	warn_lost(k, "a record is too long for the socket", lines);
	note_why(k, "a record is too long for the socket");
	if (k->ledger.kept)
		ledger_lose_from(&k->ledger, atomic_load(&k->ledger.kept->written));
	k->used = 0;
}

/*
 * A file that became shorter was copied and truncated, as logrotate's copytruncate does. Lines written between the
 * copy and the truncation are in neither file.
 */
static void look_at_size(struct sink *k, struct stat *st)
{
	if (fstat(k->out.fd, st) < 0 || !S_ISREG(st->st_mode)) {
		st->st_mode = 0;
		return;
	}
	if ((uint64_t)st->st_size >= k->size)
		return;
	if (diag_may(&k->rate, clock_now()))
		diag_info("log", "%s: another program has truncated the file", sink_name(k->type));
	k->torn = false;
	k->done = 0;
	if (k->ledger.kept)
		k->cut = ledger_written_since(&k->ledger, (uint64_t)(st->st_mtim.tv_sec - COPY_S) * NS_PER_S);
}

void sink_flush(struct sink *k)
{
	struct stat st;
	size_t      before;
	int         r;

	if (k->used == 0)
		return;
	look_at_size(k, &st);
	before = k->done;
	if (k->ledger.kept)
		atomic_store(&k->ledger.kept->inside, true);
	r = k->ops->messages ? send_out(k) : write_out(k);
	if (S_ISREG(st.st_mode))
		k->size = (uint64_t)st.st_size + (k->done - before);
	settle_written(k);
	atomic_store(&k->counts->stuck, r == -EAGAIN);
	atomic_store(&k->counts->gone, is_gone(k, r));
	k->failing = r < 0 && r != -EAGAIN && r != -EMSGSIZE && !is_gone(k, r);
	if (r == -EMSGSIZE)
		lose_too_long(k);
	else if (k->failing)
		lose_rest(k, strerror(-r));
	if (r == -EPIPE) /* the next reader gets the whole line */
		k->done = 0;
}

/* ---- putting in ---------------------------------------------------------------------------- */

static bool has_room(const struct sink *k, size_t n)
{
	return n + 1 <= SINK_BUFFER - k->used &&
	       (!k->ledger.kept || k->ledger.now.since.end - k->ledger.kept->written < SINK_LINES);
}

static void append(struct sink *k, const char *line, size_t n)
{
	memcpy(k->buf + k->used, line, n);
	k->buf[k->used + n] = '\n';
	k->used += n + 1;
}

static void lose_line(struct sink *k, const char *why, const struct tree_hash *hash)
{
	warn_lost(k, has_gap(k) ? k->why : why, 1);
	note_why(k, why);
	if (k->ledger.kept)
		ledger_lose(&k->ledger, hash);
}

void sink_put(struct sink *k, const char *line, size_t n)
{
	const char      *json = n ? memchr(line, '{', n) : NULL; /* the syslog header is not part of the hash */
	struct tree_hash hash;

	atomic_fetch_add(&k->counts->taken, 1);
	if (k->ledger.kept)
		hash = json ? tree_leaf(json, n - (size_t)(json - line)) : tree_leaf("", 0);
	if (n == 0) {
		lose_line(k, "the record does not fit in 8 KiB", &hash);
		return;
	}
	if (!has_gap(k) && !has_room(k, n))
		sink_flush(k);
	if (has_gap(k) || !has_room(k, n)) {
		lose_line(k, too_slow, &hash);
		return;
	}
	append(k, line, n);
	if (k->ledger.kept)
		ledger_add(&k->ledger, &hash);
}

void sink_save(struct sink *k)
{
	if (k->ledger.kept && k->ledger.saved != k->ledger.now.since.end)
		ledger_save(&k->ledger);
}
