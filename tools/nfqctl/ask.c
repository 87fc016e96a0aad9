/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sub-commands that talk to the daemon have in common. */
#include <stdio.h>

#include "nfqctl.h"
#include "run/ctl.h"

json_t *ask(const struct nfqctl *ctl, json_t *request)
{
	struct err err = { 0 };
	json_t    *answer = ctl_ask(ctl->socket, request, &err);

	json_decref(request);
	if (!answer)
		fprintf(stderr, "nfqctl: %s\n", err.text);
	return answer;
}

const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

int print_json(json_t *answer)
{
	int r;

	json_object_del(answer, "ok");
	r = json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	return r < 0 ? CTL_FAILED : CTL_DONE;
}
