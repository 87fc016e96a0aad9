/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes of lines and of subtrees. Nothing here knows the content of a line. */
#include "tlog/tree.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <string.h>

/* RFC 6962 2.1: a leaf must not pass for a node. */
static const uint8_t leaf_prefix = 0, node_prefix = 1;

struct tree_hash tree_leaf(const void *line, size_t n)
{
	struct sha256_ctx sha;
	struct tree_hash  h;

	sha256_init(&sha);
	sha256_update(&sha, 1, &leaf_prefix);
	sha256_update(&sha, n, line);
	sha256_digest(&sha, sizeof(h.b), h.b);
	return h;
}

struct tree_hash tree_parent(const struct tree_hash *left, const struct tree_hash *right)
{
	struct sha256_ctx sha;
	struct tree_hash  h;

	sha256_init(&sha);
	sha256_update(&sha, 1, &node_prefix);
	sha256_update(&sha, sizeof(left->b), left->b);
	sha256_update(&sha, sizeof(right->b), right->b);
	sha256_digest(&sha, sizeof(h.b), h.b);
	return h;
}

/* ---- ranges -------------------------------------------------------------------------------- */

void tree_begin(struct tree_range *r, uint64_t at)
{
	r->begin = r->end = at;
	r->n = 0;
}

uint64_t tree_first(uint64_t begin, uint64_t end)
{
	uint64_t fits = UINT64_C(1) << (63 - __builtin_clzll(end - begin));
	uint64_t aligned = begin & -begin; /* 0: every size is */

	return aligned && aligned < fits ? aligned : fits;
}

unsigned tree_count(uint64_t begin, uint64_t end)
{
	unsigned n = 0;

	for (; begin < end; n++)
		begin += tree_first(begin, end);
	return n;
}

/* Appends a complete subtree of that size; when it is the right half of a larger one, the larger one
 * replaces both. */
static void push(struct tree_range *r, struct tree_hash node, uint64_t size)
{
	uint64_t begin = r->end;

	r->end += size;
	while (begin & size && begin - size >= r->begin) {
		node = tree_parent(&r->node[--r->n], &node);
		begin -= size;
		size *= 2;
	}
	r->node[r->n++] = node;
}

void tree_append(struct tree_range *r, const struct tree_hash *leaf)
{
	push(r, *leaf, 1);
}

bool tree_range_ok(const struct tree_range *r)
{
	/* far beyond what can be counted to, and no sum overflows */
	return r->begin <= r->end && r->end < UINT64_C(1) << 62 && r->n == tree_count(r->begin, r->end);
}

bool tree_join(struct tree_range *r, const struct tree_range *next)
{
	uint64_t at = next->begin;

	if (r->end != at || !tree_range_ok(next))
		return false;
	for (uint32_t i = 0; i < next->n; i++) {
		uint64_t size = tree_first(at, next->end);

		push(r, next->node[i], size);
		at += size;
	}
	return true;
}

struct tree_hash tree_root(const struct tree_range *r)
{
	struct tree_hash  h;
	struct sha256_ctx sha;

	if (r->n == 0) {
		sha256_init(&sha);
		sha256_digest(&sha, sizeof(h.b), h.b);
		return h;
	}
	h = r->node[r->n - 1];
	for (uint32_t i = r->n - 1; i-- > 0;)
		h = tree_parent(&r->node[i], &h);
	return h;
}

/* ---- whole trees --------------------------------------------------------------------------- */

bool tree_hash_of(uint64_t begin, uint64_t end, tree_node_of *node, void *ctx, struct tree_hash *out)
{
	uint64_t         left = tree_first(0, end - begin);
	struct tree_hash l, r;

	if (left == end - begin && node(ctx, begin, left, out))
		return true;
	if (left == end - begin)
		left /= 2;
	if (left == 0 || !tree_hash_of(begin, begin + left, node, ctx, &l) ||
	    !tree_hash_of(begin + left, end, node, ctx, &r))
		return false;
	*out = tree_parent(&l, &r);
	return true;
}

int tree_prove(uint64_t line, uint64_t size, tree_node_of *node, void *ctx,
               struct tree_hash proof[static TREE_NODES / 2])
{
	struct tree_hash path[TREE_NODES / 2];
	uint64_t         begin = 0;
	int              n = 0;

	for (uint64_t end = size; end - begin > 1; n++) { /* from the root down */
		uint64_t middle = begin + tree_first(0, end - begin);
		bool     left;

		if (middle == end)
			middle -= (end - begin) / 2;
		left = line < middle;
		if (!tree_hash_of(left ? middle : begin, left ? end : middle, node, ctx, &path[n]))
			return -1;
		if (left)
			end = middle;
		else
			begin = middle;
	}
	for (int i = 0; i < n; i++)
		proof[i] = path[n - 1 - i];
	return n;
}

/* ---- as text ------------------------------------------------------------------------------- */

void tree_hash_text(const struct tree_hash *h, char out[static TREE_HASH_TEXT])
{
	base64_encode_raw(out, sizeof(h->b), h->b);
	out[TREE_HASH_TEXT - 1] = '\0';
}

bool tree_hash_parse(const char *text, size_t n, struct tree_hash *out)
{
	struct base64_decode_ctx ctx;
	uint8_t                  room[BASE64_DECODE_LENGTH(TREE_HASH_TEXT)];
	size_t                   got = sizeof(room);

	base64_decode_init(&ctx);
	if (n != TREE_HASH_TEXT - 1 || !base64_decode_update(&ctx, &got, room, n, text) ||
	    !base64_decode_final(&ctx) || got != sizeof(out->b))
		return false;
	memcpy(out->b, room, sizeof(out->b));
	return true;
}
