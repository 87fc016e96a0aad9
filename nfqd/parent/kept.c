/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state follows the clock and the disk, between what people change in it. */
#include "base/clock.h"
#include "base/diag.h"
#include "parent/parent_private.h"

void parent_follow_clock(struct parent *p)
{
	struct ruleset rs;
	struct err     err = { .text = "" }, unsaved = { .text = "" };
	int64_t        now;

	ruleset_open(&rs, p->img);
	now = policy_present(&rs, (int64_t)(clock_now() / NS_PER_S));
	if (!state_note_ended(&p->state, p->conf->exceptions, p->conf->n_exceptions, now) &&
	    !p->rebuild_due)
		return;
	p->rebuild_due = parent_rebuild(p, &err) < 0;
	if (p->rebuild_due && diag_may(&p->rebuild_said, clock_monotonic()))
		diag_warn("state", "what has ended would begin again if the clock went back: %s", err.text);
	if (state_save(&p->state, &unsaved) < 0)
		diag_warn("state", "%s; it is tried again", unsaved.text);
}

void parent_save_state(struct parent *p)
{
	struct err again = { .text = "" };

	if (p->state.changed && p->state.path && state_save(&p->state, &again) == 0)
		diag_info("state", "it is saved again");
}
