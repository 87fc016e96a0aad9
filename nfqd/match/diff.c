/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts what is in one ruleset and not in another: entries by pack and id, names by fingerprint. */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "match/ruleset.h"

/* An entry of a pack, to be sorted and compared. */
struct key {
	const char *pack, *id;
};

static int key_order(const void *va, const void *vb)
{
	const struct key *a = va, *b = vb;
	int               r = strcmp(a->pack, b->pack);

	return r ? r : strcmp(a->id, b->id);
}

static struct key *keys_of(const struct ruleset *rs)
{
	struct key *v = calloc(rs->n_rules + 1U, sizeof(*v));

	for (uint32_t i = 0; v && i < rs->n_rules; i++)
		v[i] = (struct key){ rs_text(rs, rs->packs[rs->rules[i].pack].id),
			             rs_text(rs, rs->rules[i].id) };
	if (v)
		qsort(v, rs->n_rules, sizeof(*v), key_order);
	return v;
}

static int diff_entries(const struct ruleset *old, const struct ruleset *now,
                        struct ruleset_diff *out)
{
	struct key *a = keys_of(old), *b = keys_of(now);
	uint32_t    i = 0, k = 0;
	int         r = a && b ? 0 : -ENOMEM;

	while (r == 0 && (i < old->n_rules || k < now->n_rules)) {
		int order = i == old->n_rules ? 1 :
		            k == now->n_rules ? -1 : key_order(&a[i], &b[k]);

		out->entries_removed += order < 0;
		out->entries_added += order > 0;
		i += order <= 0;
		k += order >= 0;
	}
	free(a);
	free(b);
	return r;
}

static const struct rs_name *names_of(const struct ruleset *rs)
{
	return image_at(rs->img, RS_NAME);
}

static const struct rs_target *target_of(const struct ruleset *rs, const struct rs_name *n)
{
	return (const struct rs_target *)image_at(rs->img, RS_TARGET) + n->target;
}

static bool same_pattern(const struct ruleset *a, const struct rs_target *x, const struct ruleset *b,
                         const struct rs_target *y)
{
	if (x->kind != y->kind || y->exception)
		return false;
	return x->kind != PATTERN_GLOB || strcmp(rs_text(a, x->pattern), rs_text(b, y->pattern)) == 0;
}

/* Is a name of a listed in b, too? */
static bool listed_in(const struct ruleset *a, const struct rs_name *n, const struct ruleset *b)
{
	const struct rs_name *table = names_of(b);
	uint64_t              fp = rs_name_fp(n), have;
	uint32_t              slots = image_n(b->img, RS_NAME);

	for (uint32_t at = hash_range(fp, slots); (have = rs_name_fp(&table[at]));
	     at = at + 1 == slots ? 0 : at + 1)
		if (have == fp && same_pattern(a, target_of(a, n), b, target_of(b, &table[at])))
			return true;
	return false;
}

static uint32_t names_missing(const struct ruleset *a, const struct ruleset *b)
{
	const struct rs_name *table = names_of(a);
	uint32_t              n = 0;

	for (uint32_t i = 0; i < image_n(a->img, RS_NAME); i++)
		if (rs_name_fp(&table[i]) && !target_of(a, &table[i])->exception &&
		    !listed_in(a, &table[i], b))
			n++;
	return n;
}

int ruleset_diff(const struct ruleset *old, const struct ruleset *now, struct ruleset_diff *out)
{
	*out = (struct ruleset_diff){ .names_added = names_missing(now, old),
		                      .names_removed = names_missing(old, now) };
	return diff_entries(old, now, out);
}
