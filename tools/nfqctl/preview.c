/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl preview: the names that machines called, judged anew by another pack or at another date, before that is
 * switched on. The database has the names of packs that are loaded; records of `log.events: all` have every name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inventory.h"
#include "shared/conf.h"
#include "shared/why.h"

#define DEFAULT_CONF "/etc/nfqd/nfqd.yaml"

static const char usage[] =
	"usage: nfqctl preview [--pack FILE... | -c FILE] [--at DATE] [--vendor V] [--since 7d|DATE]\n"
	"                      [--until DATE] [--json] [--db FILE | --from FILE|- ...]\n";

struct preview {
	struct inventory v;
	char           **packs;
	unsigned         n_packs;
	const char      *conf, *at;
};

/* ---- judging ------------------------------------------------------------------------------- */

static struct image *compile(const struct preview *p, struct err *err)
{
	struct conf  *conf = p->n_packs ? conf_default(p->packs, p->n_packs, err)
	                                : conf_load(p->conf ? p->conf : DEFAULT_CONF, err);
	struct image *img = NULL;
	int           r = conf ? conf_compile(conf, &img, err) : -1;

	conf_free(conf);
	if (r == 0)
		return img;
	free(img);
	return NULL;
}

static bool blocks(const char *action)
{
	return strcmp(action, "reject") == 0 || strcmp(action, "drop") == 0;
}

/* What would be done about this name of this machine now; NULL: nothing. */
static json_t *judge(const struct preview *p, const struct ruleset *rs, const json_t *one)
{
	const char *client = json_string_value(json_array_get(json_object_get(one, "addresses"), 0));
	json_t     *question = json_pack("{s:O, s:s*, s:s*}", "name", json_object_get(one, "name"), "client",
	                                 client && strpbrk(client, ".:") ? client : NULL, "at", p->at);
	struct err  err = { 0 };
	json_t     *now = why(rs, question, &err), *out = NULL;

	json_decref(question);
	if (now && blocks(text_of(now, "would"))) {
		out = json_pack("{s:O, s:O, s:O, s:s, s:s, s:s, s:s}", "id", json_object_get(one, "id"), "machine_name",
		                json_object_get(one, "name_of"), "name", json_object_get(one, "name"), "would", text_of(now, "would"),
		                "pack", text_of(now, "pack"), "rule", text_of(now, "rule"), "side_effect", text_of(now, "side_effect"));
		json_object_set_new(out, "times", json_integer(number_of(one, "refused") + number_of(one, "logged") +
		                                               number_of(one, "passed")));
		json_object_set_new(out, "refused_then", json_integer(number_of(one, "refused")));
	}
	json_decref(now);
	return out;
}

static json_t *judge_all(const struct preview *p, const json_t *names, const struct image *img)
{
	json_t       *rows = json_array(), *hit;
	const json_t *one;
	struct ruleset rs;
	long long     machines = 0;
	const char   *before = "";
	size_t        i;

	ruleset_open(&rs, img);
	json_array_foreach(names, i, one) {
		hit = judge(p, &rs, one);
		if (!hit)
			continue;
		machines += strcmp(before, text_of(one, "id")) != 0;
		before = text_of(one, "id");
		json_array_append_new(rows, hit);
	}
	return json_pack("{s:i, s:s?, s:I, s:I, s:o}", "schema", SIGHTINGS_JSON, "at", p->at, "machines_at_least", (json_int_t)machines,
	                 "names_looked_at", (json_int_t)json_array_size(names), "rows", rows);
}

/* ---- the command --------------------------------------------------------------------------- */

static void print(const json_t *answer)
{
	const json_t *one;
	const char   *before = "";
	size_t        i;

	json_array_foreach(json_object_get(answer, "rows"), i, one) {
		if (strcmp(before, text_of(one, "id")) != 0)
			printf("%s  %s\n", text_of(one, "id"), text_of(one, "machine_name"));
		before = text_of(one, "id");
		printf("  %6lld x %-40.40s %-6.6s %.20s\n", number_of(one, "times"), text_of(one, "name"), text_of(one, "would"),
		       text_of(one, "rule"));
	}
	printf("at least %lld machines would have been refused something; %lld names looked at\n",
	       number_of(answer, "machines_at_least"), number_of(answer, "names_looked_at"));
}

static json_t *run(const struct nfqctl *ctl, const struct preview *p, struct err *err)
{
	struct sightings *s = inventory_open(ctl, &p->v, "preview", false);
	json_t           *names = s ? sightings_names(s, &p->v.which, err) : NULL, *answer = NULL;
	struct image     *img = names ? compile(p, err) : NULL;

	inventory_check_vendor(s, &p->v, "nfqctl preview");
	if (img)
		answer = judge_all(p, names, img);
	free(img);
	json_decref(names);
	sightings_close(s);
	return answer;
}

static bool read_at(struct preview *p, const char *value)
{
	int64_t s;

	p->at = value;
	if (clock_parse(value, &s) == 0)
		return true;
	fprintf(stderr, "nfqctl preview: --at: '%s' is not a time (write 2024-09-29 or 2024-09-29T04:00:00Z)\n", value);
	return false;
}

static bool read_options(struct preview *p, int argc, char **argv, int *o)
{
	static const struct option options[] = { INVENTORY_OPTIONS,
		                                 { "pack", required_argument, NULL, 'p' },
		                                 { "config", required_argument, NULL, 'c' },
		                                 { "at", required_argument, NULL, 'a' },
		                                 { NULL, 0, NULL, 0 } };

	while ((*o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (*o == 'p')
			p->packs[p->n_packs++] = optarg;
		else if (*o == 'c')
			p->conf = optarg;
		else if (*o == 'a' ? !read_at(p, optarg) : !inventory_option(&p->v, "preview", *o, optarg))
			return false;
	}
	return inventory_words(&p->v, argc, argv, "") && !are_both(argv[0], "-c", p->conf, "--pack", p->n_packs);
}

int cmd_preview(struct nfqctl *ctl, int argc, char **argv)
{
	struct preview p = { .packs = calloc((size_t)argc + 1, sizeof(*p.packs)), .v.all_names = true };
	struct err     err = { 0 };
	json_t        *answer;
	int            o;

	if (!p.packs)
		return CTL_FAILED;
	if (!read_options(&p, argc, argv, &o)) {
		fputs(usage, o == 'h' ? stdout : stderr);
		free(p.packs);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	answer = run(ctl, &p, &err);
	if (err.text[0])
		fprintf(stderr, "nfqctl preview: %s\n", err.text);
	free(p.packs);
	free(p.v.from);
	return print_answer(answer, p.v.json, print);
}
