/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state follows the clock and the disk, between what people change in it. */
#include "base/diag.h"
#include "parent/parent_private.h"

void parent_save_state(struct parent *p)
{
	struct err again = { .text = "" };

	if (p->state.changed && p->state.path && state_save(&p->state, &again) == 0)
		diag_info("state", "it is saved again");
}
