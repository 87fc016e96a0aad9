/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a TCP client has sent so far, in sequence order, until its connection is decided. Segments
 * may come in any order and overlap; the first copy of a byte wins. The kernel's queue shows no
 * SYN, so the start of the stream is not known: the lowest byte seen stands for it until a lower
 * one arrives. Buffers come from a fixed pool.
 */
#ifndef NFQD_REASSEMBLE_STREAM_H
#define NFQD_REASSEMBLE_STREAM_H

#include "base/span.h"

#define STREAM_MAX 16384 /* the longest hello that is reassembled */

struct stream_pool;

struct stream {
	uint32_t base;     /* sequence number of data[0] */
	bool     anchored; /* base is the first byte of the connection, or of a message */
	bool     conflict; /* an overlap had other bytes */
	uint32_t end;      /* bytes of data that may be set */
	uint64_t have[STREAM_MAX / 64]; /* bit per byte of data */
	uint8_t  data[STREAM_MAX];
};

/* Returns NULL when memory ran out. Pages are touched only when a stream uses them. */
struct stream_pool *stream_pool_new(uint32_t max);
void                stream_pool_free(struct stream_pool *pool);

/* A fresh stream whose lowest byte known is seq; NULL when the pool is empty. */
struct stream *stream_get(struct stream_pool *pool, uint32_t seq, bool anchored);
void           stream_put(struct stream_pool *pool, struct stream *s);

/* The index of a stream among the pool's max. */
uint32_t stream_index(const struct stream_pool *pool, const struct stream *s);

enum stream_add { STREAM_OK, STREAM_OLD, STREAM_FULL };

/* Copies a segment in. STREAM_OLD: none of its bytes is new; STREAM_FULL: it lies beyond STREAM_MAX. */
enum stream_add stream_add(struct stream *s, uint32_t seq, struct span bytes);
/* The bytes from the base on without a hole; borrowed until the next call on s. */
struct span stream_front(const struct stream *s);
/* Discards n bytes from the base on, which were read; the base is anchored after them. */
void stream_consume(struct stream *s, size_t n);

#endif
