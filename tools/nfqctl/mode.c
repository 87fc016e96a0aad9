/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl mode: shows or sets what the daemon may do to packets, for a time if wanted. */
#include <getopt.h>
#include <stdio.h>

#include "decide/policy.h"
#include "nfqctl.h"

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl mode [enforce|log|off [--for 10m]] [--json]\n");
	return result;
}

static void print(const json_t *answer)
{
	const char *until = json_string_value(json_object_get(answer, "mode_until"));

	printf("mode %s", text_of(answer, "mode"));
	if (until)
		printf(" until %s, then %s", until, text_of(answer, "mode_configured"));
	printf("\n");
}

int cmd_mode(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "for", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *length = NULL;
	bool        as_json = false;
	int         o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'f')
			length = optarg;
		else if (o == 'j')
			as_json = true;
		else
			return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
	}
	if (length && optind == argc) {
		wrong_usage(argv[0], "--for needs a mode");
		return usage(stderr, CTL_USAGE);
	}
	if (!words_are(argc, argv, "[MODE]") ||
	    (optind < argc && !is_word(argv[0], "mode", argv[optind], mode_words)) || (length && !is_length(argv[0], length)))
		return usage(stderr, CTL_USAGE);
	return print_answer(ask(ctl, json_pack("{s:s, s:s*, s:s*}", "command", "mode", "mode", argv[optind],
	                                       "for", length)), as_json, print);
}
