/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parent's part of the prefilter: it gives the kernel the names of the rules in force, and says when it cannot. */
#include <string.h>

#include "base/diag.h"
#include "base/nat64.h"
#include "parent/parent_private.h"

static bool is_wanted(const struct parent *p)
{
	return !p->tap && (p->boot->inspect.prefilter || steer_told("prefilter"));
}

void parent_open_prefilter(struct parent *p)
{
	if (!is_wanted(p))
		return;
	p->prefilter = prefilter_new(p->shared->watch.seed, &p->no_prefilter);
	if (p->prefilter)
		p->shared->watch.guarded = prefilter_guarded(p->prefilter);
	else
		diag_warn("prefilter", "off: %s", p->no_prefilter.text);
}

/* The programs know one prefix of translated addresses. */
static bool knows_prefixes(const struct ruleset *rs)
{
	const struct net *prefixes = image_at(rs->img, RS_NAT64);

	for (uint32_t i = 0; i < image_n(rs->img, RS_NAT64); i++)
		if (memcmp(&prefixes[i], &NAT64_WELL_KNOWN, sizeof(prefixes[i])) != 0)
			return false;
	return true;
}

/* Programs for the rules in force; -1: none, and why. */
static int load(struct parent *p, int programs[static PREFILTER_PROGRAMS])
{
	struct ruleset         rs;
	struct prefilter_names names;

	ruleset_open(&rs, p->img);
	if (rs_settings(&rs)->events_all)
		return err_set(&p->no_prefilter, "log.events: all wants every question");
	names = (struct prefilter_names){ .words = image_at(p->img, RS_FILTER), .n = image_n(p->img, RS_FILTER),
		                          .seed = rs.head->seed, .answers = knows_prefixes(&rs) };
	if (prefilter_load(p->prefilter, &names, &p->no_prefilter) < 0)
		return -1;
	prefilter_programs(p->prefilter, programs);
	if (!p->conf->inspect.answers)
		programs[PREFILTER_ANSWER] = -1;
	return 0;
}

void parent_set_prefilter(struct parent *p)
{
	int        programs[PREFILTER_PROGRAMS] = { -1, -1 };
	struct err before = p->no_prefilter;

	if (!p->prefilter || !p->steer)
		return;
	p->no_prefilter.text[0] = '\0';
	prefilter_silence(p->prefilter);
	prefilter_tell_time(p->prefilter);
	if (load(p, programs) == 0)
		if (steer_set_prefilter(p->steer, programs, &p->no_prefilter) == 0)
			return;
	if (strcmp(before.text, p->no_prefilter.text) != 0)
		diag_warn("prefilter", "off: %s", p->no_prefilter.text);
	if (steer_set_prefilter(p->steer, (int[]){ -1, -1 }, &before) < 0)
		diag_warn("prefilter", "%s", before.text);
}

void parent_tell_prefilter(struct parent *p)
{
	if (p->prefilter)
		prefilter_tell_time(p->prefilter);
}

json_t *status_prefilter(const struct parent *p, const struct steer_counts *counts)
{
	const char *off = p->no_prefilter.text;

	if (!is_wanted(p))
		return NULL;
	return json_pack("{s:b, s:s?, s:I, s:I}", "on", p->prefilter && !off[0], "reason", off[0] ? off : NULL,
	                 "passed_questions", (json_int_t)counts->passed[PREFILTER_QUESTION], "passed_answers",
	                 (json_int_t)counts->passed[PREFILTER_ANSWER]);
}
