/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl hosts: which machines still call, since when, and whether they were refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory.h"

enum { ID_WIDTH = 21 };

static const char usage[] =
	"usage: nfqctl hosts [--vendor V] [--since 7d|DATE] [--until DATE] [--leaked]\n"
	"                    [--sort last|first|name|refused|logged|leaked] [--json]\n"
	"                    [--db FILE | --from FILE|- ...]\n";

static const char *name_of(const json_t *host)
{
	const char *name = json_string_value(json_object_get(host, "name"));

	if (name)
		return name;
	return json_is_true(json_object_get(host, "random_mac")) ? "(random MAC)" : "-";
}

static void print_host(const json_t *host)
{
	char        first[16], last[16];
	const char *id = text_of(host, "id");

	if (strlen(id) > ID_WIDTH)
		printf("%s\n%*s", id, ID_WIDTH, "");
	else
		printf("%-*s", ID_WIDTH, id);
	printf(" %-12.12s %-9.9s %-10s %-10s %6lld %6lld\n", name_of(host), text_of(host, "vendor"),
	       inventory_date(host, "first", first), inventory_date(host, "last", last), number_of(host, "refused"),
	       number_of(host, "leaked"));
}

static void print(const json_t *answer)
{
	const json_t *one;
	size_t        i;

	printf("%-*s %-12s %-9s %-10s %-10s %6s %6s\n", ID_WIDTH, "MACHINE", "NAME", "VENDOR", "FIRST", "LAST", "REFUSE",
	       "LEAKED");
	json_array_foreach(json_object_get(answer, "hosts"), i, one)
		print_host(one);
	printf("at least %lld machines\n", number_of(answer, "machines_at_least"));
	json_array_foreach(json_object_get(answer, "hops"), i, one)
		printf("behind %s (%s): at least %lld\n", text_of(one, "mac"), text_of(one, "reason"),
		       number_of(one, "machines_at_least"));
	if (number_of(answer, "forgotten"))
		printf("%lld machines that hardly called are forgotten: sightings.max-size is too small for all\n",
		       number_of(answer, "forgotten"));
}

int cmd_hosts(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { INVENTORY_OPTIONS,
		                                 { "leaked", no_argument, NULL, 'l' },
		                                 { "sort", required_argument, NULL, 'o' },
		                                 { NULL, 0, NULL, 0 } };
	struct inventory v = { 0 };
	struct err       err = { 0 };
	struct sightings *s;
	json_t          *answer;
	int              o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'l')
			v.which.leaked = true;
		else if (o == 'o')
			v.which.sort = optarg;
		else if (!inventory_option(&v, "hosts", o, optarg))
			break;
	}
	if (o != -1 || (v.which.sort && !is_word(argv[0], "--sort", v.which.sort, sightings_sorts)) ||
	    !inventory_words(&v, argc, argv, "")) {
		fputs(usage, o == 'h' ? stdout : stderr);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	s = inventory_open(ctl, &v, "hosts", false);
	inventory_check_vendor(s, &v, argv[0]);
	answer = s ? sightings_hosts(s, &v.which, &err) : NULL;
	if (err.text[0])
		fprintf(stderr, "nfqctl hosts: %s\n", err.text);
	sightings_close(s);
	free(v.from);
	return print_answer(answer, v.json, print);
}
