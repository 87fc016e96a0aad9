/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of connections, which one thread uses. */
#ifndef NFQD_INSPECT_TABLE_H
#define NFQD_INSPECT_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct conns;

/* max bounds the connections (each about 200 bytes); max_streams, at most three quarters of them, those whose message
 * is incomplete (200 bytes each, and as many pieces of 150 bytes that all share). Returns NULL when memory ran out. */
struct conns *conns_new(uint32_t max, uint32_t max_streams);
void          conns_free(struct conns *t);
/* What a worker that dies leaves to the next one, so that the rest of a message is known for what it is: memory of
 * that size, zeroed at first and shared; the caller's. */
size_t conns_kept_size(uint32_t max);
void   conns_keep(struct conns *t, void *memory);
/* Forgets connections that were idle for too long; cheap when there are none. */
void conns_age(struct conns *t, uint64_t now);

#endif
