/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow offload: another program's flowtable takes connections past every chain, ours included. This file
 * finds it, reports it, and notices when the rules that hold connections back have to change.
 */
#include <errno.h>
#include <jansson.h>

#include "base/diag.h"
#include "capture/steer_private.h"

const char *steer_flowtable(const struct steer *s)
{
	return s->flowtable[0] ? s->flowtable : NULL;
}

/* False: that is not known now, and what was there, still is. */
static bool find_flowtable(struct steer *s)
{
	json_t *doc, *item;
	size_t  i;

	if (steer_list(s, "flowtables", &doc) == -ETIMEDOUT)
		return false;
	snprintf(s->flowtable, sizeof(s->flowtable), "%s", s->conf.means.flowtable ? "of a test" : "");
	json_array_foreach(json_object_get(doc, "nftables"), i, item)
	{
		json_t *t = json_object_get(item, "flowtable");

		if (t && !s->flowtable[0])
			snprintf(s->flowtable, sizeof(s->flowtable), "%s %s %s",
			         json_string_value(json_object_get(t, "family")),
			         json_string_value(json_object_get(t, "table")),
			         json_string_value(json_object_get(t, "name")));
	}
	json_decref(doc);
	return true;
}

static void say_flowtable(const struct steer *s)
{
	if (s->flowtable[0])
		diag_warn("steer", "flow offload: flowtable %s takes TCP connections at their handshake. %s Write "
		          "`ct label %d` before `flow add` there to have all inspected",
		          s->flowtable,
		          s->conf.offload == OFFLOAD_HOLD
		                  ? "Those to ports 80, 443 and 853 are held back until they are decided, "
		                    "others pass UNINSPECTED."
		                  : "They pass UNINSPECTED.",
		          LABEL_ALLOWED);
	else
		diag_info("steer", "flow offload: the flowtable is gone");
}

bool steer_look_for_flowtables(struct steer *s)
{
	bool       had = s->flowtable[0];
	struct err err = { 0 };

	if (!find_flowtable(s)) {
		s->stale = true; /* no event comes again: look once more */
		return had;
	}
	if (had == (s->flowtable[0] != '\0') && !s->stale)
		return had;
	if (steer_rewrite(s, &err) < 0)
		diag_error("steer", "%s", err.text);
	say_flowtable(s);
	return s->flowtable[0];
}

int steer_meet_flowtables(struct steer *s, struct err *err)
{
	(void)find_flowtable(s);
	if (!s->flowtable[0])
		return 0;
	if (s->conf.offload == OFFLOAD_REFUSE)
		return err_set(err, "flow offload: flowtable %s takes connections past nfqd (inspect.offload: "
		                    "refuse-start)", s->flowtable);
	say_flowtable(s);
	return 0;
}
