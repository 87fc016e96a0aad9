/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl log key: the key that the running daemon signs its log with, or a new one in its place. */
#include <getopt.h>
#include <stdio.h>

#include "log.h"
#include "nfqctl.h"

static void print(const json_t *answer)
{
	puts(text_of(answer, "key"));
}

int cmd_log_key(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "rotate", no_argument, NULL, 'r' },
		                                 { "json", no_argument, NULL, 'j' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	bool rotate = false, as_json = false;
	int  o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) == 'r' || o == 'j') {
		rotate |= o == 'r';
		as_json |= o == 'j';
	}
	if (o != -1 || !words_are(argc, argv, "")) {
		fputs("usage: nfqctl log key [--rotate] [--json]\n", o == 'h' ? stdout : stderr);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	return print_answer(ask(ctl, json_pack("{s:s, s:b}", "command", "log-key", "rotate", (int)rotate)),
	                    as_json, print);
}
