/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about what was read: whose keys, whose lines, which hashes. */
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* ---- keys ---------------------------------------------------------------------------------- */

/* A new key for which one of these vouches: its note's second line. */
static bool vouched(const struct log_rotation *r, const struct note_key *keys, unsigned n,
                    struct note_key *out)
{
	struct err  err = { 0 };
	unsigned    by;
	const char *line = strchr(r->note, '\n');

	return line && note_verify(r->note, strlen(r->note), keys, n, &by, &err) > 0 &&
	       note_key_parse(line + 1, false, out, &err) == 0;
}

static bool has_key(const struct note_key *keys, unsigned n, const struct note_key *k)
{
	for (unsigned i = 0; i < n; i++)
		if (memcmp(keys[i].key, k->key, sizeof(k->key)) == 0 && strcmp(keys[i].name, k->name) == 0)
			return true;
	return false;
}

/* Adds the keys that those there vouch for, one by the other. */
static unsigned add_vouched(const struct log_trail *t, struct note_key keys[static LOG_KEYS], unsigned n)
{
	struct note_key fresh;
	bool            more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < t->n_rotations && n < LOG_KEYS; i++)
			if (vouched(&t->rotation[i], keys, n, &fresh) && !has_key(keys, n, &fresh)) {
				keys[n++] = fresh;
				more = true;
			}
	}
	return n;
}

static void trust(const struct log_trail *t, struct log_boot *b, const struct note_key *given, unsigned n)
{
	struct note_key keys[LOG_KEYS];
	struct err      err = { 0 };
	unsigned        by;

	for (unsigned i = 0; i < n && i < LOG_KEYS; i++)
		keys[i] = given[i];
	if (n == 0 && note_key_parse(b->key, false, &keys[0], &err) == 0)
		n = 1;
	n = add_vouched(t, keys, n);
	for (size_t i = 0; i < b->n_checkpoints; i++) {
		struct log_checkpoint *c = &b->checkpoint[i];
		struct err             ignored = { 0 };

		c->trusted = n && note_verify(c->note, strlen(c->note), keys, n, &by, &ignored) > 0;
		if (c->tree.n) {
			struct tree_hash root = tree_root(&c->tree);

			if (memcmp(&root, &c->said.root, sizeof(root)) != 0)
				c->tree.n = 0;
		}
	}
}

void log_trail_trust(struct log_trail *t, const struct note_key *keys, unsigned n)
{
	for (size_t i = 0; i < t->n_boots; i++)
		trust(t, &t->boot[i], keys, n);
}

/* ---- lines --------------------------------------------------------------------------------- */

int log_boot_output(const struct log_boot *b)
{
	int output = -1;

	for (size_t i = 0; i < b->n_checkpoints; i++) {
		const struct log_checkpoint *c = &b->checkpoint[i];

		if (c->tree.n == 0) /* not from a record of these files */
			continue;
		if (output >= 0 && output != (int)c->output)
			return -2;
		output = (int)c->output;
	}
	return output;
}

const struct log_line *log_boot_line(const struct log_boot *b, uint64_t number)
{
	size_t low = 0, high = b->n_lines;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->line[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < b->n_lines && b->line[low].number == number ? &b->line[low] : NULL;
}

bool log_boot_has(const struct log_boot *b, uint64_t begin, uint64_t size)
{
	const struct log_line *first = log_boot_line(b, begin);
	uint64_t               have = 0;

	for (const struct log_line *l = first; l && l < b->line + b->n_lines && l->number < begin + size; l++)
		have += l == first || l->number != l[-1].number;
	return have == size;
}

const struct tree_hash *log_boot_gap_node(const struct log_boot *b, uint64_t begin, uint64_t *size)
{
	for (size_t i = 0; i < b->n_gaps; i++) {
		const struct tree_range *r = &b->gap[i].lines;
		uint64_t                 at = r->begin;

		for (uint32_t k = 0; k < r->n && at <= begin; k++) {
			*size = tree_first(at, r->end);
			if (at == begin)
				return &r->node[k];
			at += *size;
		}
	}
	return NULL;
}
