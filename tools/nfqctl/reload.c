/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl reload: waits until every thread reads the new rules, or says why the old ones stay. */
#include <stdio.h>

#include "nfqctl.h"
#include "run/ctl.h"

int cmd_reload(struct nfqctl *ctl, int argc, char **argv)
{
	struct err err = { 0 };
	json_t    *request, *answer;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "nfqctl: reload takes no arguments\n");
		return CTL_USAGE;
	}
	request = json_pack("{s:s}", "command", "reload");
	answer = ctl_ask(ctl->socket, request, &err);
	json_decref(request);
	if (!answer) {
		fprintf(stderr, "nfqctl: %s\n", err.text);
		return CTL_FAILED;
	}
	printf("generation %lld -> %lld\n",
	       (long long)json_integer_value(json_object_get(answer, "from")),
	       (long long)json_integer_value(json_object_get(answer, "to")));
	json_decref(answer);
	return CTL_DONE;
}
