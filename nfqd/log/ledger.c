/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker may die at any instruction, and its successor continues from what is in the shared memory. A leaf's
 * number is therefore stored after its hash, and ranges are copied to the spare slot before that slot is made the
 * valid one.
 */
#include "log/ledger.h"

#include <string.h>

enum { SAVE_AFTER = LEDGER_LEAVES / 2 };

/* Copies the nodes in use, not the whole array: it is called for each batch of lines. */
static void copy_range(struct tree_range *to, const struct tree_range *from)
{
	to->begin = from->begin;
	to->end = from->end;
	to->n = from->n;
	memcpy(to->node, from->node, from->n * sizeof(from->node[0]));
}

void ledger_save(struct ledger_work *w)
{
	uint32_t              other = !atomic_load(&w->kept->live);
	struct ledger_ranges *to = &w->kept->kept[other];

	copy_range(&to->since, &w->now.since);
	copy_range(&to->lost, &w->now.lost);
	copy_range(&to->told, &w->now.told);
	atomic_store_explicit(&w->kept->live, other, memory_order_release);
	w->saved = w->now.since.end;
}

/* ---- lines --------------------------------------------------------------------------------- */

static struct ledger_leaf *slot_of(const struct ledger_work *w, uint64_t line)
{
	return &w->kept->leaf[line % LEDGER_LEAVES];
}

/* A line whose hash is unknown, for example because the worker died before it made one, counts as an empty line. */
static struct tree_hash leaf_of(const struct ledger_work *w, uint64_t line)
{
	const struct ledger_leaf *leaf = slot_of(w, line);

	return atomic_load_explicit(&leaf->number, memory_order_acquire) == line + 1 ? leaf->hash
	                                                                            : tree_leaf("", 0);
}

void ledger_add(struct ledger_work *w, const struct tree_hash *hash)
{
	uint64_t            line = w->now.since.end;
	struct ledger_leaf *leaf = slot_of(w, line);

	atomic_store_explicit(&leaf->number, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	leaf->hash = *hash;
	leaf->at = 0;
	atomic_store_explicit(&leaf->number, line + 1, memory_order_release);
	tree_append(&w->now.since, hash);
	if (w->now.since.end - w->saved >= SAVE_AFTER)
		ledger_save(w);
}

void ledger_lose(struct ledger_work *w, const struct tree_hash *hash)
{
	if (!ledger_has_gap(w))
		tree_begin(&w->now.lost, w->now.since.end);
	tree_append(&w->now.lost, hash);
	tree_append(&w->now.since, hash);
	ledger_save(w);
}

static bool is_told(const struct ledger_work *w)
{
	return w->now.told.begin < w->now.told.end;
}

/* An earlier gap can only come after the lines in the buffer: they were put there before it began. */
void ledger_lose_from(struct ledger_work *w, uint64_t first)
{
	struct tree_range before = w->now.lost;
	uint64_t          end = ledger_has_gap(w) ? before.begin : w->now.since.end;

	if (first >= end)
		return;
	tree_begin(&w->now.lost, first);
	if (is_told(w) && first == w->now.told.end) { /* the gap record itself is lost */
		w->now.lost = w->now.told;
		tree_begin(&w->now.told, 0);
	}
	for (uint64_t line = first; line < end; line++) {
		struct tree_hash hash = leaf_of(w, line);

		tree_append(&w->now.lost, &hash);
	}
	if (before.end > before.begin && !tree_join(&w->now.lost, &before))
		w->now.lost = before;
	ledger_save(w);
}

void ledger_wrote(struct ledger_work *w, uint64_t lines, uint64_t now)
{
	uint64_t line = atomic_load(&w->kept->written);

	for (uint64_t i = 0; i < lines && i < LEDGER_LEAVES; i++)
		slot_of(w, line + i)->at = now;
	atomic_store(&w->kept->written, line + lines);
	if (is_told(w) && line + lines > w->now.told.end)
		tree_begin(&w->now.told, 0);
}

/* ---- gaps ---------------------------------------------------------------------------------- */

const struct tree_range *ledger_tell_gap(struct ledger_work *w)
{
	w->now.told = w->now.lost;
	tree_begin(&w->now.lost, 0);
	ledger_save(w);
	atomic_store(&w->kept->written, w->now.told.end);
	return &w->now.told;
}

struct tree_range ledger_written_since(const struct ledger_work *w, uint64_t ns)
{
	struct tree_range r;
	uint64_t          end = atomic_load(&w->kept->written), first = end;

	while (first > 0 && end - first < SAVE_AFTER) {
		const struct ledger_leaf *leaf = slot_of(w, first - 1);

		if (atomic_load(&leaf->number) != first || leaf->at < ns)
			break;
		first--;
	}
	tree_begin(&r, first);
	for (uint64_t line = first; line < end; line++) {
		struct tree_hash hash = leaf_of(w, line);

		tree_append(&r, &hash);
	}
	return r;
}

void ledger_gap_members(struct json *j, unsigned output, const struct tree_range *gap, const char *why,
                        bool hashes)
{
	json_text(j, "kind", "gap");
	json_uint(j, "output", output);
	json_uint(j, "from", gap->begin + 1);
	json_uint(j, "to", gap->end);
	json_text(j, "why", why);
	if (!hashes)
		return;
	json_open(j, "hashes", '[');
	for (uint32_t i = 0; i < gap->n; i++) {
		char text[TREE_HASH_TEXT];

		tree_hash_text(&gap->node[i], text);
		json_text(j, NULL, text);
	}
	json_close(j, ']');
}

/* ---- checkpoints --------------------------------------------------------------------------- */

/* Lines of a request that the parent did not sign become part of the next request. */
static void take_back(struct ledger_work *w)
{
	struct ledger    *l = w->kept;
	struct tree_range whole = l->range;

	if (whole.end != w->now.since.begin || whole.end == atomic_load(&l->size) ||
	    !tree_join(&whole, &w->now.since))
		return;
	w->now.since = whole;
	ledger_save(w);
}

void ledger_ask(struct ledger_work *w)
{
	struct ledger *l = w->kept;

	if (!atomic_load(&l->signs) || !ledger_is_answered(w))
		return;
	take_back(w);
	if (w->now.since.begin == w->now.since.end)
		return;
	copy_range(&l->range, &w->now.since);
	tree_begin(&w->now.since, l->range.end);
	ledger_save(w);
	atomic_store_explicit(&l->ask, l->range.end, memory_order_release);
}

bool ledger_is_answered(const struct ledger_work *w)
{
	return atomic_load_explicit(&w->kept->answered, memory_order_acquire) == atomic_load(&w->kept->ask);
}

const char *ledger_answer(struct ledger_work *w)
{
	struct ledger *l = w->kept;
	bool           good = ledger_is_answered(w) && atomic_load(&l->size) == atomic_load(&l->ask);

	l->members[sizeof(l->members) - 1] = '\0';
	return good && l->members[0] ? l->members : NULL;
}

/* ---- beginning ----------------------------------------------------------------------------- */

void ledger_open(struct ledger_work *w, struct ledger *kept)
{
	const struct ledger_ranges *from = &kept->kept[atomic_load(&kept->live) & 1];

	w->kept = kept;
	w->now = *from;
	w->saved = w->now.since.end;
	if (!tree_range_ok(&w->now.since) || !tree_range_ok(&w->now.lost) || !tree_range_ok(&w->now.told)) {
		/* no worker of ours wrote this: begin anew after what was signed */
		tree_begin(&w->now.since, atomic_load(&kept->size));
		tree_begin(&w->now.lost, 0);
		tree_begin(&w->now.told, 0);
	}
}

uint64_t ledger_next(const struct ledger_work *w)
{
	return w->now.since.end;
}

/* The number comes from the old worker, which may have been compromised: bound the successor's work. */
static uint64_t within(uint64_t n, uint64_t end)
{
	if (n > end)
		return end;
	return end - n > LEDGER_LEAVES ? end - LEDGER_LEAVES : n;
}

uint64_t ledger_recover(struct ledger_work *w, uint64_t next)
{
	uint64_t written;

	if (next - w->now.since.end > LEDGER_LEAVES) { /* not plausible: the parent will refuse to sign it */
		tree_begin(&w->now.since, next);
		tree_begin(&w->now.lost, 0);
		tree_begin(&w->now.told, 0);
	}
	for (uint64_t line = w->now.since.end; line < next; line++) {
		struct tree_hash hash = leaf_of(w, line);

		tree_append(&w->now.since, &hash);
		if (ledger_has_gap(w))
			tree_append(&w->now.lost, &hash);
	}
	ledger_save(w);
	written = within(atomic_load(&w->kept->written), ledger_has_gap(w) ? w->now.lost.begin : next);
	atomic_store(&w->kept->written, written);
	if (written > w->now.told.end)
		tree_begin(&w->now.told, 0);
	ledger_lose_from(w, written);
	/* the parent signs nothing while a worker starts */
	if (!ledger_is_answered(w)) {
		take_back(w);
		atomic_store(&w->kept->ask, atomic_load(&w->kept->answered));
	}
	return next - written;
}
