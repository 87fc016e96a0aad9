/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vendor's calendar: which stage of a pack is in force for a category at a time. */
#include "decide/policy.h"

static bool stage_lists(const struct rs_stage *s, uint8_t category)
{
	return s->categories == 0 || (s->categories & (UINT32_C(1) << category));
}

int32_t stage_in_force(const struct ruleset *rs, const struct rs_pack *pack, uint8_t category,
                       int64_t seconds)
{
	int32_t found = -1;

	for (uint32_t i = 0; i < pack->stages; i++) {
		const struct rs_stage *s = &rs->stages[pack->first_stage + i];

		if (s->from > seconds)
			break; /* they are sorted by time */
		if (stage_lists(s, category) && (found < 0 || s->chosen >= rs->stages[found].chosen))
			found = (int32_t)(pack->first_stage + i);
	}
	return found;
}

int32_t stage_next(const struct ruleset *rs, const struct rs_pack *pack, uint8_t category,
                   int64_t seconds)
{
	int32_t now = stage_in_force(rs, pack, category, seconds);

	for (uint32_t i = 0; i < pack->stages; i++) {
		const struct rs_stage *s = &rs->stages[pack->first_stage + i];

		if (s->from > seconds && stage_lists(s, category) &&
		    (now < 0 || s->chosen >= rs->stages[now].chosen))
			return (int32_t)(pack->first_stage + i);
	}
	return -1;
}
