/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Merkle tree of RFC 6962 2.1 over lines that are only ever appended. A range of it is kept as the
 * hashes of the largest complete subtrees inside it: O(log n) of them, enough to continue, to join with the
 * range that follows, and, from the first line on, to compute the root.
 */
#ifndef NFQD_TLOG_TREE_H
#define NFQD_TLOG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_HASH  32
#define TREE_NODES 128 /* of a range: at most two of each size */

struct tree_hash {
	uint8_t b[TREE_HASH];
};

/* The lines from begin up to, not including, end; the first line of a tree is line 0. */
struct tree_range {
	uint64_t         begin, end;
	uint32_t         n;
	struct tree_hash node[TREE_NODES]; /* from left to right */
};

/* Of one line, without its newline. */
struct tree_hash tree_leaf(const void *line, size_t n);
/* Of the subtree whose halves have these hashes. */
struct tree_hash tree_parent(const struct tree_hash *left, const struct tree_hash *right);

/* An empty range at a place. */
void tree_begin(struct tree_range *r, uint64_t at);
void tree_append(struct tree_range *r, const struct tree_hash *leaf);
/* Appends the range that follows r. False: next begins elsewhere, or is damaged; r does not change. */
bool tree_join(struct tree_range *r, const struct tree_range *next);
/* How many subtrees a range consists of. */
unsigned tree_count(uint64_t begin, uint64_t end);
/* The size, a power of two, of the first of these subtrees. begin < end. */
uint64_t tree_first(uint64_t begin, uint64_t end);
/* Could its hashes be those of such a range? */
bool tree_range_ok(const struct tree_range *r);
/* The root of the tree of all lines up to the end of r, which begins at 0. */
struct tree_hash tree_root(const struct tree_range *r);

/* The hash of the lines from `begin` up to `end` when they are a tree of their own (RFC 6962 2.1, MTH); node()
 * gives the hash of a complete subtree of `size` lines at `begin`, or false when it is not known. */
typedef bool tree_node_of(void *ctx, uint64_t begin, uint64_t size, struct tree_hash *out);
bool tree_hash_of(uint64_t begin, uint64_t end, tree_node_of *node, void *ctx, struct tree_hash *out);
/*
 * The inclusion proof (RFC 6962 2.1.1) of a line in the tree of the first `size` lines, from the leaf to the root.
 * Returns how many hashes it has, or -1 when one that it needs is not known.
 */
int tree_prove(uint64_t line, uint64_t size, tree_node_of *node, void *ctx,
               struct tree_hash proof[static TREE_NODES / 2]);

#define TREE_HASH_TEXT 45 /* as base64, with its NUL */
void tree_hash_text(const struct tree_hash *h, char out[static TREE_HASH_TEXT]);
bool tree_hash_parse(const char *text, size_t n, struct tree_hash *out);

#endif
