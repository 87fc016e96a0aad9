/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl host: all about one machine, and what a person knows better. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory.h"

static const char usage[] =
	"usage: nfqctl host ID [--vendor V] [--since 7d|DATE] [--until DATE] [--json]\n"
	"                      [--db FILE | --from FILE|- ...]\n"
	"       nfqctl host ID --split ADDRESS | --merge ID | --forget [--json] [--db FILE]\n";

enum { NAMES_SHOWN = 20, DAYS_SHOWN = 31, BAR = 20 };

static void print_counts(const json_t *o)
{
	printf("%6lld %6lld %6lld %6lld\n", number_of(o, "refused"), number_of(o, "logged"), number_of(o, "passed"),
	       number_of(o, "leaked"));
}

/* Hours, or minutes where it is less. */
static void print_interval(const json_t *vendor)
{
	long long s = number_of(vendor, "interval_s");

	printf("  %lld calls", number_of(vendor, "calls"));
	if (s >= 7200)
		printf(", about every %lld hours", (s + 1800) / 3600);
	else if (s > 0)
		printf(", about every %lld minutes", (s + 30) / 60);
	putchar('\n');
}

static void print_vendor(const json_t *vendor)
{
	printf("%s: since %.19s, last %.19s\n", text_of(vendor, "vendor"), text_of(vendor, "first"), text_of(vendor, "last"));
	print_interval(vendor);
	print_list("  products:", json_object_get(vendor, "products"));
}

static void print_table(const char *title, const json_t *rows, const char *key, size_t from, size_t most)
{
	size_t        n = json_array_size(rows), i;
	const json_t *one;

	if (n == 0)
		return;
	printf("%-51s %6s %6s %6s %6s\n", title, "REFUSE", "LOGGED", "PASSED", "LEAKED");
	if (from)
		printf("(%zu more before; --json has them)\n", from);
	json_array_foreach(rows, i, one) {
		const char *text = json_string_value(json_object_get(one, key));

		if (i < from || i >= from + most)
			continue;
		printf("%-51.51s ", text ? text : "(days before, summed up)");
		print_counts(one);
	}
	if (n > from + most)
		printf("(%zu more; --json has them)\n", n - from - most);
}

static void print_sources(const json_t *o)
{
	const json_t *one;
	size_t        i;

	json_array_foreach(json_object_get(o, "sources"), i, one)
		printf("  %-25s %-17s %s\n", text_of(one, "latest"), *text_of(one, "mac") ? text_of(one, "mac") : "-",
		       text_of(one, "reason"));
}

static void print(const json_t *o)
{
	const json_t *one, *days = json_object_get(o, "days");
	size_t        i, n = json_array_size(days);

	printf("%s  %s%s\n", text_of(o, "id"), text_of(o, "name"), json_is_true(json_object_get(o, "random_mac")) ? "  (random MAC)" : "");
	if (json_object_get(o, "behind"))
		printf("behind the hop %s: this address may be that of several machines\n", text_of(o, "behind"));
	print_sources(o);
	json_array_foreach(json_object_get(o, "vendors"), i, one)
		print_vendor(one);
	print_list("resolvers, in the order tried:", json_object_get(o, "resolvers"));
	if (json_is_true(json_object_get(o, "product_fallback")))
		puts("  which is the product's own fallback: it asks these when its resolver does not answer");
	print_table("DAY", days, "day", n > DAYS_SHOWN ? n - DAYS_SHOWN : 0, DAYS_SHOWN);
	print_table("NAME", json_object_get(o, "names"), "name", 0, NAMES_SHOWN);
	print_table("CHANNEL", json_object_get(o, "channels"), "channel", 0, NAMES_SHOWN);
	print_table("CATEGORY", json_object_get(o, "categories"), "category", 0, NAMES_SHOWN);
}

static void print_done(const json_t *o)
{
	printf("%s: %s\n", text_of(o, "id"), text_of(o, "done"));
}

struct host_command {
	struct inventory v;
	const char      *split, *merge;
	bool             forget;
};

static json_t *run(const struct host_command *c, struct sightings *s, const char *id, struct err *err)
{
	if (c->split)
		return sightings_split(s, id, c->split, err);
	if (c->merge)
		return sightings_merge(s, id, c->merge, err);
	return c->forget ? sightings_forget(s, id, err) : sightings_host(s, id, &c->v.which, err);
}

/* False: an option was wrong, or help was asked for; *o is the option. */
static bool read_options(struct host_command *c, int argc, char **argv, int *o)
{
	static const struct option options[] = { INVENTORY_OPTIONS,
		                                 { "split", required_argument, NULL, 's' },
		                                 { "merge", required_argument, NULL, 'm' },
		                                 { "forget", no_argument, NULL, 'f' },
		                                 { NULL, 0, NULL, 0 } };

	while ((*o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (*o == 's')
			c->split = optarg;
		else if (*o == 'm')
			c->merge = optarg;
		else if (*o == 'f')
			c->forget = true;
		else if (!inventory_option(&c->v, "host", *o, optarg))
			return false;
	}
	return inventory_words(&c->v, argc, argv, "ID") && !are_both(argv[0], "--split", c->split, "--merge", c->merge) &&
	       !are_both(argv[0], "--forget", c->forget, c->split ? "--split" : "--merge", c->split || c->merge);
}

int cmd_host(struct nfqctl *ctl, int argc, char **argv)
{
	struct host_command c = { 0 };
	struct err          err = { 0 };
	struct sightings   *s;
	json_t             *answer;
	bool                changes;
	int                 o;

	if (!read_options(&c, argc, argv, &o)) {
		fputs(usage, o == 'h' ? stdout : stderr);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	changes = c.split || c.merge || c.forget;
	s = inventory_open(ctl, &c.v, "host", changes);
	inventory_check_vendor(s, &c.v, argv[0]);
	answer = s ? run(&c, s, argv[optind], &err) : NULL;
	if (err.text[0])
		fprintf(stderr, "nfqctl host: %s\n", err.text);
	sightings_close(s);
	free(c.v.from);
	return print_answer(answer, c.v.json, changes ? print_done : print);
}
