/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the state in step with the clock and the disk, between the changes that people make. */
#include "base/clock.h"
#include "base/diag.h"
#include "parent/parent_private.h"

/* Were the rules made while the clock was wrong, and is it right now? */
static bool clock_is_set(const struct ruleset *rs, int64_t now)
{
	const int64_t *first_seen = image_at(rs->img, RS_FIRST_SEEN);

	for (uint32_t i = 0; i < image_n(rs->img, RS_FIRST_SEEN); i++)
		if (first_seen[i] == 0)
			return policy_present(rs, now) == now;
	return false;
}

void parent_follow_clock(struct parent *p)
{
	struct ruleset rs;
	struct err     err = { .text = "" }, unsaved = { .text = "" };
	int64_t        now = (int64_t)(clock_now() / NS_PER_S);
	bool           ended, set;

	ruleset_open(&rs, p->img);
	ended = state_note_ended(&p->state, p->conf->exceptions, p->conf->n_exceptions,
	                         policy_present(&rs, now));
	set = clock_is_set(&rs, now);
	if (!ended && !set && !p->rebuild_due)
		return;
	p->rebuild_due = parent_rebuild(p, &err) < 0;
	if (p->rebuild_due && diag_may(&p->rebuild_said, clock_monotonic()))
		diag_warn("clock", "what it has ended or begun is not in the rules yet: %s", err.text);
	if (set && !p->rebuild_due)
		diag_info("clock", "the clock is set: new packs are observed from now on");
	if (state_save(&p->state, &unsaved) < 0)
		diag_warn("state", "%s; it is tried again", unsaved.text);
}

void parent_save_state(struct parent *p)
{
	struct err again = { .text = "" };

	if (p->state.changed && p->state.path && state_save(&p->state, &again) == 0)
		diag_info("state", "it is saved again");
}
