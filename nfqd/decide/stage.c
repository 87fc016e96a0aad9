/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vendor's calendar: which stage of a pack is in force for a category at a time. */
#include "decide/policy.h"

int32_t stage_in_force(const struct ruleset *rs, const struct rs_pack *pack, uint8_t category,
                       int64_t seconds)
{
	int32_t found = -1;

	for (uint32_t i = 0; i < pack->stages; i++) {
		const struct rs_stage *s = &rs->stages[pack->first_stage + i];

		if (s->from > seconds)
			break; /* they are sorted by time */
		if (s->categories == 0 || (s->categories & (UINT32_C(1) << category)))
			found = (int32_t)(pack->first_stage + i);
	}
	return found;
}

int32_t stage_next(const struct ruleset *rs, const struct rs_pack *pack, uint8_t category,
                   int64_t seconds)
{
	for (uint32_t i = 0; i < pack->stages; i++) {
		const struct rs_stage *s = &rs->stages[pack->first_stage + i];

		if (s->from > seconds &&
		    (s->categories == 0 || (s->categories & (UINT32_C(1) << category))))
			return (int32_t)(pack->first_stage + i);
	}
	return -1;
}
