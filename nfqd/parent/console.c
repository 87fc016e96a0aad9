/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the console leaves a record of: who signed in or failed to, and who corrects the inventory of machines. */
#include <string.h>

#include "base/diag.h"
#include "parent/parent_private.h"

enum { SIGN_INS = 30, WINDOW_MS = 60000, TEXT_MAX = 128 };

static const char *text(const json_t *request, const char *key)
{
	const char *value = json_string_value(json_object_get(request, key));

	return value && strlen(value) <= TEXT_MAX ? value : "";
}

/* The socket that only answers has this command, too: whoever broke into a console may fill no disk by it. */
static bool may_record(void)
{
	static uint64_t begun;
	static unsigned n;
	uint64_t        now = poller_ms();

	if (now - begun > WINDOW_MS) {
		begun = now;
		n = 0;
	}
	return ++n <= SIGN_INS;
}

json_t *run_sign_in(void *ctx, const json_t *request, struct err *err)
{
	static const char *const words[] = { "done", "failed", "out", NULL };
	struct parent           *p = ctx;
	const char              *what = text(request, "what");

	if (word_find(words, what) < 0) {
		err_set(err, "sign-in: done, failed or out");
		return NULL;
	}
	if (!may_record()) {
		err_set(err, "more than %d sign-ins in a minute: not recorded", SIGN_INS);
		return NULL;
	}
	parent_record(p, "sign-in", json_pack("{s:s, s:s, s:s, s:s}", "what", what, "user", text(request, "user"), "from",
	                                      text(request, "from"), "by", text(request, "caller")));
	return json_object();
}

/* The console makes the correction when this has succeeded, so that none goes without its record. */
json_t *run_correct(void *ctx, const json_t *request, struct err *err)
{
	static const char *const words[] = { "split", "merge", "forget", NULL };
	struct parent           *p = ctx;
	const char              *what = text(request, "what"), *machine = text(request, "machine");

	if (word_find(words, what) < 0 || !*machine) {
		err_set(err, "correct: split, merge or forget, and a machine");
		return NULL;
	}
	parent_record(p, "correction", json_pack("{s:s, s:s, s:s, s:s}", "what", what, "machine", machine, "other",
	                                         text(request, "other"), "by", text(request, "caller")));
	diag_info("sightings", "%s %s %s, by %s", what, machine, text(request, "other"), text(request, "caller"));
	return json_object();
}
