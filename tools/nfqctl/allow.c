/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl allow: lets a name pass for a while. The daemon finds out who asks from the socket. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "nfqctl.h"
#include "own.h"
#include "rules.h"

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl allow NAME [--client A [--force]] --for 1h|--until DATE --reason TEXT [--json]\n"
	            "       nfqctl allow NAME [--client A [--force]] --for ever [--reason TEXT] [--config FILE]\n");
	return result;
}

static void print(const json_t *answer)
{
	const json_t *e = json_object_get(answer, "exception"), *now = json_object_get(answer, "now");
	const char   *client = json_string_value(json_object_get(e, "client"));

	printf("%s: %s is allowed for %s until %s (%s: %s)\n", text_of(e, "id"), text_of(e, "name"),
	       client ? client : "everybody", text_of(e, "expires"), text_of(e, "owner"),
	       text_of(e, "reason"));
	if (now && json_is_false(json_object_get(now, "listed")))
		fprintf(stderr, "nfqctl: note: no pack lists %s, it was never blocked\n",
		        text_of(e, "name"));
}

int cmd_allow(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "client", required_argument, NULL, 'c' }, { "for", required_argument, NULL, 'f' },
		{ "until", required_argument, NULL, 'u' },  { "reason", required_argument, NULL, 'r' },
		{ "config", required_argument, NULL, 'C' }, { "force", no_argument, NULL, 'F' },
		{ "json", no_argument, NULL, 'j' },         { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *length = NULL, *until = NULL;
	struct own_policy p = { .action = "allow" };
	bool        as_json = false, ever, force = false;
	char        name[HOST_TEXT + 1], client[CLIENT_TEXT];
	json_t     *request;
	int64_t     end;
	int         o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 'C': p.conf = optarg; break;
		case 'F': force = true; break;
		case 'c': p.client = optarg; break;
		case 'f': length = optarg; break;
		case 'u': until = optarg; break;
		case 'r': p.reason = optarg; break;
		case 'j': as_json = true; break;
		default: return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
		}
	}
	if (!words_are(argc, argv, "NAME") || are_both(argv[0], "--for", length, "--until", until))
		return usage(stderr, CTL_USAGE);
	p.name = hostname_typed(argv[optind], name);
	ever = length && strcmp(length, "ever") == 0;
	if (are_both(argv[0], "--for ever", ever, "--json", as_json))
		return usage(stderr, CTL_USAGE);
	if (ever)
		return own_ok(argv[0], &p) && client_ok(ctl, argv[0], &p.client, force, client) ? own_keep(ctl, &p) : CTL_USAGE;
	if (p.conf || !p.reason || (!length && !until)) {
		wrong_usage(argv[0], p.conf ? "--config is for --for ever" : p.reason ? "--for or --until is missing" :
		            "--reason is missing");
		return usage(stderr, CTL_USAGE);
	}
	if (until && clock_parse(until, &end) < 0)
		return wrong_usage(argv[0], "--until: '%s' is not a date (write 2027-03-01 or 2027-03-01T12:00:00Z)", until);
	if (!own_name_ok(argv[0], p.name) || (length && !is_length(argv[0], length)) ||
	    !client_ok(ctl, argv[0], &p.client, force, client))
		return CTL_USAGE;
	request = json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s}", "command", "allow", "name", p.name, "client", p.client,
	                    "for", length, "until", until, "reason", p.reason);
	if (!request) {
		fprintf(stderr, "nfqctl: name and reason must be UTF-8\n");
		return CTL_FAILED;
	}
	return print_answer(ask(ctl, request), as_json, print);
}
