/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule, pack and policy that decided about an event's name, looked up once for all kinds of record. Every
 * pointer is NULL for a name that no pack lists.
 */
#ifndef NFQD_LOG_FINDING_H
#define NFQD_LOG_FINDING_H

#include "decide/policy.h"
#include "log/event.h"

struct finding {
	const struct ruleset      *rs;
	const struct hit          *hit;
	const struct rs_rule      *rule;
	const struct rs_pack      *pack;
	const struct rs_policy    *policy; /* NULL: the default */
	const struct rs_stage     *stage;
	const struct rs_exception *exception;
};

/* NULL when the index leads nowhere: tests and tools need not fill every index of an event. */
static inline const void *finding_at(const struct ruleset *rs, unsigned section, int32_t i,
                                     size_t record)
{
	if (i < 0 || (uint32_t)i >= image_n(rs->img, section))
		return NULL;
	return (const uint8_t *)image_at(rs->img, section) + (size_t)i * record;
}

static inline struct finding finding_of(const struct event *e)
{
	const struct decision *d = &e->decision;
	struct finding         f = { .rs = e->rs };

	if (!e->listed || !e->rs || d->match.n == 0)
		return f;
	f.hit = &d->match.hits[d->hit >= 0 && d->hit < d->match.n ? d->hit : 0];
	f.rule = &e->rs->rules[f.hit->rule];
	f.pack = &e->rs->packs[f.rule->pack];
	f.policy = finding_at(e->rs, RS_POLICY, d->policy, sizeof(*f.policy));
	f.stage = finding_at(e->rs, RS_STAGE, d->stage, sizeof(*f.stage));
	f.exception = finding_at(e->rs, RS_EXCEPTION, d->exception, sizeof(*f.exception));
	return f;
}

/* A pack's version as EVE's number: 2026.11.23.1 becomes 2026112301, so newer versions have larger numbers. */
uint64_t finding_revision(const struct finding *f);

#define FINDING_SIGNATURE 256
/* "Kaspersky update endpoint" */
void finding_signature(const struct finding *f, char out[FINDING_SIGNATURE]);

static inline const char *finding_pack_id(const struct finding *f)
{
	return rs_text(f->rs, f->pack->id);
}

#endif
