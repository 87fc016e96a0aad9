/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is what is listed refused now, and since when? Every reason why it is not has a word, for programs, and a
 * text. The daemon says it of itself, so that `nfqctl status`, its exit status and the metrics agree.
 */
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "parent/parent_private.h"

__attribute__((format(printf, 3, 4))) static void add(json_t *all, const char *word, const char *fmt, ...)
{
	char    text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(all, json_pack("{s:s, s:s}", "reason", word, "text", text));
}

static void look_at_mode(const struct parent *p, json_t *all)
{
	int mode = p->mode >= 0 ? p->mode : p->conf->mode;

	if (p->tap)
		add(all, "watching", "an interface is only watched (-i), nothing is steered");
	else if (mode != MODE_ENFORCE)
		add(all, "mode", "the mode is %s: nothing is refused", mode_words[mode]);
}

static void look_at_table(const struct parent *p, bool in_place, json_t *all)
{
	if (p->tap)
		return;
	if (p->unprotected)
		add(all, "fail-open", "workers die at their start, and nothing is inspected (fail: open)");
	if (!p->unprotected && (!in_place || p->repair_failed))
		add(all, "not-steering", "another program removed nfqd's table, and it could not be put back");
}

static void look_at_heartbeat(const struct parent *p, json_t *all)
{
	json_t     *beat = status_heartbeat(p);
	const char *state = json_string_value(json_object_get(beat, "state"));

	if (strcmp(state, "open") == 0)
		add(all, "heartbeat-open", "the heartbeat found a way on which listed names pass");
	else if (strcmp(state, "failed") == 0)
		add(all, "heartbeat-failed", "the heartbeat could not prove that listed names are refused");
	json_decref(beat);
}

static void look_at_packs(const struct parent *p, json_t *all)
{
	struct ruleset rs;
	int64_t        now;
	char           date[CLOCK_TEXT];

	ruleset_open(&rs, p->img);
	now = policy_present(&rs, (int64_t)(clock_now() / NS_PER_S));
	for (uint32_t i = 0; i < rs.n_packs; i++) {
		const struct rs_pack *pack = &rs.packs[i];

		if (!pack->expires || pack->expires > now)
			continue;
		clock_text_iso(pack->expires, date);
		add(all, "pack-expired", "pack %s %s expired on %.10s: get a newer one", rs_text(&rs, pack->id),
		    rs_text(&rs, pack->version), date);
	}
}

json_t *protection_reasons(const struct parent *p, bool in_place)
{
	json_t *all = json_array();

	look_at_mode(p, all);
	look_at_table(p, in_place, all);
	look_at_heartbeat(p, all);
	look_at_packs(p, all);
	return all;
}

void parent_look_at_protection(struct parent *p)
{
	json_t *reasons = protection_reasons(p, true);
	bool    whole = json_array_size(reasons) == 0;

	json_decref(reasons);
	if (p->protection_since && whole == p->protected)
		return;
	p->protected = whole;
	p->protection_since = (int64_t)(clock_now() / NS_PER_S);
}
