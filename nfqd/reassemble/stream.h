/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a TCP client has sent so far, in sequence order, until its connection is decided. Segments
 * may come in any order and overlap; the first copy of a byte wins. The kernel's queue shows no
 * SYN, so the start of the stream is not known: the lowest byte seen stands for it until a lower
 * one arrives.
 *
 * Memory comes from a pool of a fixed size. A stream has room for 128 bytes of its own, which is as much as
 * most first halves need; what is longer takes pieces that all streams share.
 */
#ifndef NFQD_REASSEMBLE_STREAM_H
#define NFQD_REASSEMBLE_STREAM_H

#include "base/bounds.h"
#include "base/span.h"

#define STREAM_MAX    BOUND_MESSAGE /* the longest hello that is waited for */
#define STREAM_PIECE  BOUND_OWN /* bytes */
#define STREAM_PIECES (STREAM_MAX / STREAM_PIECE - 1) /* that one stream takes at most, beside its own */

struct stream_pool;

struct stream_piece {
	uint32_t next; /* index + 1; 0: none */
	uint32_t at;   /* of the stream's bytes, the ones from at * STREAM_PIECE on */
	uint64_t have[STREAM_PIECE / 64]; /* bit per byte of data */
	uint8_t  data[STREAM_PIECE];
};

struct stream {
	struct stream_pool *pool;
	uint32_t base;     /* sequence number of the first byte */
	uint32_t end;      /* bytes that may be there */
	uint32_t front;    /* bytes from the base on without a hole */
	uint32_t shrunk;   /* of those, bytes that stand for others: stream_shrink() */
	uint32_t removed;  /* bytes that they stand for, more than they are */
	uint8_t  pieces;   /* taken from the pool */
	bool     anchored; /* base is the first byte of the connection, or of a message */
	bool     conflict; /* an overlap had other bytes */
	struct stream_piece own; /* the first bytes, and the list of all that follow */
};

/* Room for max streams, and for so many pieces: at least STREAM_PIECES. NULL when memory ran out. Pages are
 * touched only when a stream uses them. */
struct stream_pool *stream_pool_new(uint32_t max, uint32_t pieces);
void                stream_pool_free(struct stream_pool *pool);
/* Pieces that are left. stream_add() needs STREAM_PIECES, unless its stream has so many already. */
uint32_t stream_pool_left(const struct stream_pool *pool);

/* A fresh stream whose lowest byte known is seq; NULL when the pool is empty. */
struct stream *stream_get(struct stream_pool *pool, uint32_t seq, bool anchored);
void           stream_put(struct stream_pool *pool, struct stream *s);

enum stream_add { STREAM_OK, STREAM_OLD, STREAM_FULL };

/* Copies a segment in. STREAM_OLD: nothing of it is new; STREAM_FULL: beyond STREAM_MAX, or before what was
 * shrunk. */
enum stream_add stream_add(struct stream *s, uint32_t seq, struct span bytes);
/* The bytes from the base on without a hole; borrowed until the next call on a stream of the pool. */
struct span stream_front(const struct stream *s);
/* Discards n bytes from the base on, which were read; the base is anchored after them. */
void stream_consume(struct stream *s, size_t n);
/* Other, fewer bytes stand for the front from now on, which is all there is; what follows it is unchanged. They are
 * not compared with what comes once more. */
void stream_shrink(struct stream *s, struct span bytes);

#endif
