/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records on their way from the log thread to the process that keeps the sightings, in memory that outlives both. The
 * writer never waits: what has no room is counted. The reader says what it has on its disk; what it read and did not
 * say so is read again by the next one. Neither trusts what the other writes here.
 */
#ifndef NFQD_LOG_FEED_H
#define NFQD_LOG_FEED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FEED_BYTES = 1 << 20, FEED_LINE = 8192 };

struct feed {
	_Atomic uint64_t head; /* bytes written; of the log thread */
	_Atomic uint64_t lost; /* records; likewise */
	_Atomic uint64_t tail; /* bytes that need not be kept any more; of the reader */
	char             bytes[FEED_BYTES];
};

/* Copies in or out of the ring at byte `at`. */
static inline void feed_copy(struct feed *f, uint64_t at, void *p, size_t n, bool in)
{
	size_t from = (size_t)(at % FEED_BYTES), part = FEED_BYTES - from < n ? FEED_BYTES - from : n;
	char  *rest = (char *)p + part;

	if (in) {
		memcpy(f->bytes + from, p, part);
		memcpy(f->bytes, rest, n - part);
	} else {
		memcpy(p, f->bytes + from, part);
		memcpy(rest, f->bytes, n - part);
	}
}

/* n == 0: the record did not fit into a line. */
static inline void feed_push(struct feed *f, char *line, uint32_t n)
{
	uint64_t head = atomic_load_explicit(&f->head, memory_order_relaxed);
	uint64_t used = head - atomic_load_explicit(&f->tail, memory_order_acquire);

	if (n == 0 || used > FEED_BYTES || n + sizeof(n) > FEED_BYTES - used) {
		atomic_fetch_add_explicit(&f->lost, 1, memory_order_relaxed);
		return;
	}
	feed_copy(f, head, &n, sizeof(n), true);
	feed_copy(f, head + sizeof(n), line, n, true);
	atomic_store_explicit(&f->head, head + sizeof(n) + n, memory_order_release);
}

/* The line at *at, which moves on; its length. 0: there is none. */
static inline uint32_t feed_next(struct feed *f, uint64_t *at, char out[static FEED_LINE])
{
	uint64_t there = atomic_load_explicit(&f->head, memory_order_acquire) - *at;
	uint32_t n;

	if (there < sizeof(n) || there > FEED_BYTES)
		return 0;
	feed_copy(f, *at, &n, sizeof(n), false);
	if (n == 0 || n > FEED_LINE || n > there - sizeof(n)) { /* not what a log thread writes: all of it is given up */
		*at += there;
		return 0;
	}
	feed_copy(f, *at + sizeof(n), out, n, false);
	*at += sizeof(n) + n;
	return n;
}

#endif
