/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records about the records: gaps, and the checkpoints that the parent signs. Each gets a number and goes to every
 * output, so that a number means the same record in all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "log/sink_private.h"

enum {
	ANSWER_S = 10, /* the parent's time to answer; after it the lines go into the next checkpoint */
	LAST_ANSWER_MS = 1000,
};

/* ---- beginning ----------------------------------------------------------------------------- */

void sinks_keep(struct sinks *s, unsigned i, struct ledger *kept)
{
	struct sink *k = &s->v[i];

	if (i >= s->n || !k->ops->format_own) /* this output takes no gap records */
		return;
	ledger_open(&k->ledger, kept);
	k->torn = !k->ops->messages && !k->ops->connects && atomic_load(&kept->inside);
}

void sinks_recover(struct sinks *s)
{
	uint64_t next = s->seq - 1;

	for (unsigned i = 0; i < s->n; i++)
		if (s->v[i].ledger.kept && ledger_next(&s->v[i].ledger) > next &&
		    ledger_next(&s->v[i].ledger) - next <= SINKS_MAX)
			next = ledger_next(&s->v[i].ledger);
	s->seq = next + 1;
	for (unsigned i = 0; i < s->n; i++) {
		struct sink *k = &s->v[i];

		if (k->ledger.kept && ledger_recover(&k->ledger, next))
			snprintf(k->why, sizeof(k->why), "the worker ended");
	}
}

/* ---- gaps ---------------------------------------------------------------------------------- */

struct gaps {
	const struct sinks *s;
	unsigned            first; /* the output whose gap the others record */
	uint32_t            which; /* a bit per output: it has a gap */
	char                members[LEDGER_MEMBERS];
};

/* An output with a gap gets its own hashes. */
static const char *gap_members(const void *ctx, unsigned i)
{
	struct gaps       *g = (struct gaps *)(uintptr_t)ctx;
	bool               own = g->which >> i & 1;
	const struct sink *k = &g->s->v[own ? i : g->first];
	struct json        j;

	json_begin(&j, g->members, sizeof(g->members));
	ledger_gap_members(&j, own ? i : g->first, &k->ledger.now.told, k->why, own);
	return json_finish(&j) ? g->members : "\"kind\":\"gap\"";
}

/* There is room again. */
static bool may_tell(const struct sink *k)
{
	return k->ledger.kept && k->used == 0 && !k->failing;
}

/* Records the lines that another program's copy and truncation of the file may have lost. */
static bool tell_cut(struct sinks *s, unsigned i)
{
	struct sink *k = &s->v[i];
	char         members[LEDGER_MEMBERS];
	struct json  j;

	if (!may_tell(k) || ledger_has_gap(&k->ledger) || k->cut.begin == k->cut.end)
		return false;
	json_begin(&j, members, sizeof(members));
	ledger_gap_members(&j, i, &k->cut, "the file was truncated: these may be missing", true);
	tree_begin(&k->cut, 0);
	if (json_finish(&j))
		sinks_write_own(s, clock_now(), members);
	return true;
}

bool sinks_write_gaps(struct sinks *s)
{
	struct gaps g = { .s = s };
	bool        any = false;

	for (unsigned i = s->n; i-- > 0;)
		if (may_tell(&s->v[i]) && ledger_has_gap(&s->v[i].ledger)) {
			(void)ledger_tell_gap(&s->v[i].ledger);
			g.which |= 1U << i;
			g.first = i;
		}
	if (g.which)
		sinks_write_each(s, clock_now(), gap_members, &g);
	for (unsigned i = 0; i < s->n; i++)
		any |= tell_cut(s, i);
	return any || g.which;
}

void sinks_note_unnumbered(struct sinks *s, uint64_t n)
{
	char        members[128];
	struct json j;

	json_begin(&j, members, sizeof(members));
	json_text(&j, "kind", "gap");
	json_uint(&j, "unnumbered", n);
	json_text(&j, "why", "the worker ended");
	if (n && json_finish(&j))
		sinks_write_own(s, clock_now(), members);
}

/* ---- checkpoints --------------------------------------------------------------------------- */

static bool signs(const struct sink *k)
{
	return k->ledger.kept && atomic_load(&k->ledger.kept->signs);
}

static bool any_signs(const struct sinks *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (signs(&s->v[i]))
			return true;
	return false;
}

static void ask_all(struct sinks *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (signs(&s->v[i]))
			ledger_ask(&s->v[i].ledger);
}

static bool all_answered(const struct sinks *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (signs(&s->v[i]) && !ledger_is_answered(&s->v[i].ledger))
			return false;
	return true;
}

static const char *checkpoint_members(const void *ctx, unsigned i)
{
	const struct sinks *s = ctx;
	struct sink        *k = (struct sink *)(uintptr_t)&s->v[i];
	const char         *members = signs(k) ? ledger_answer(&k->ledger) : NULL;

	return members ? members : "\"kind\":\"checkpoint\",\"failed\":\"no signature has come\"";
}

static void write_checkpoints(struct sinks *s, uint64_t now)
{
	sinks_write_each(s, now, checkpoint_members, s);
	s->asked = 0;
}

void sinks_checkpoint(struct sinks *s, uint32_t every_s)
{
	uint64_t now = clock_monotonic();

	if (s->checkpoint_due == 0)
		s->checkpoint_due = now + every_s * NS_PER_S;
	if (s->asked == 0 && now >= s->checkpoint_due && any_signs(s)) {
		ask_all(s);
		s->asked = now;
		s->checkpoint_due = now + every_s * NS_PER_S;
	}
	if (s->asked && (all_answered(s) || now >= s->asked + ANSWER_S * NS_PER_S))
		write_checkpoints(s, clock_now());
}

void sinks_last_checkpoint(struct sinks *s)
{
	uint64_t end = clock_monotonic() + LAST_ANSWER_MS * NS_PER_MS;

	if (!any_signs(s))
		return;
	ask_all(s);
	while (!all_answered(s) && clock_monotonic() < end)
		poll(NULL, 0, 2);
	ask_all(s); /* the first answer may have been to an older request */
	while (!all_answered(s) && clock_monotonic() < end)
		poll(NULL, 0, 2);
	write_checkpoints(s, clock_now());
}
