/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl exceptions: lists what is allowed for a while, and revokes it. */
#include <getopt.h>
#include <stdio.h>

#include "nfqctl.h"

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl exceptions [--revoke NAME|ID] [--json]\n");
	return result;
}

static void print(const json_t *answer)
{
	const json_t *e;
	size_t        i;

	json_array_foreach(json_object_get(answer, "exceptions"), i, e) {
		printf("%s, %s %s (%s)\n", text_of(e, "id"),
		       json_is_true(json_object_get(e, "expired")) ? "expired" : "until",
		       text_of(e, "expires"), text_of(e, "from"));
		print_list("  names:", json_object_get(e, "names"));
		print_list("  clients:", json_object_get(e, "clients"));
		printf("  %s: %s\n", text_of(e, "owner"), text_of(e, "reason"));
	}
}

static void print_revoked(const json_t *answer)
{
	printf("%lld revoked\n", number_of(answer, "revoked"));
	if (json_object_get(answer, "unsaved"))
		fprintf(stderr, "nfqctl: warning: %s; it is back at a restart, unless nfqd can save it "
		        "before\n", text_of(answer, "unsaved"));
}

int cmd_exceptions(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "revoke", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *which = NULL;
	bool        as_json = false;
	int         o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'r')
			which = optarg;
		else if (o == 'j')
			as_json = true;
		else
			return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
	}
	if (!words_are(argc, argv, ""))
		return usage(stderr, CTL_USAGE);
	if (which)
		return print_answer(ask(ctl, json_pack("{s:s, s:s}", "command", "revoke", "which", which)), as_json,
		                    print_revoked);
	return print_answer(ask(ctl, json_pack("{s:s}", "command", "exceptions")), as_json, print);
}
