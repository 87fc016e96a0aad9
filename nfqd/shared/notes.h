/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parent has to record: its own events on their way to the log thread, in memory that outlives a
 * worker. One writer (the parent), one reader (the current worker's log thread). The reader is not trusted:
 * whatever it writes here, the parent touches only its own slots.
 */
#ifndef NFQD_SHARED_NOTES_H
#define NFQD_SHARED_NOTES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { NOTES_SLOTS = 64, NOTE_TEXT = 6144 };

struct notes {
	_Atomic uint32_t head, tail; /* written by the parent; read by the log thread */
	struct note {
		uint64_t ts; /* ns */
		char     members[NOTE_TEXT]; /* JSON: "kind":"start",… */
	} slots[NOTES_SLOTS];
};

/* False: there is no room, or the text is too long. */
static inline bool notes_push(struct notes *n, uint64_t ts, const char *members)
{
	uint32_t     head = atomic_load_explicit(&n->head, memory_order_relaxed);
	struct note *slot = &n->slots[head % NOTES_SLOTS];
	size_t       len = strlen(members);

	if (len >= NOTE_TEXT ||
	    head - atomic_load_explicit(&n->tail, memory_order_acquire) >= NOTES_SLOTS)
		return false;
	slot->ts = ts;
	memcpy(slot->members, members, len + 1);
	atomic_store_explicit(&n->head, head + 1, memory_order_release);
	return true;
}

/* The oldest one, valid until notes_pop(); NULL when there is none. */
static inline const struct note *notes_peek(struct notes *n)
{
	uint32_t tail = atomic_load_explicit(&n->tail, memory_order_relaxed);

	if (tail == atomic_load_explicit(&n->head, memory_order_acquire))
		return NULL;
	return &n->slots[tail % NOTES_SLOTS];
}

static inline void notes_pop(struct notes *n)
{
	atomic_fetch_add_explicit(&n->tail, 1, memory_order_release);
}

#endif
