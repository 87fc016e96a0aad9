/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl preview: the names that machines called, judged anew by another pack or at another date, before that is
 * switched on. The database has the names of packs that are loaded; records of `log.events: all` have every name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/printable.h"
#include "decide/policy.h"
#include "inventory.h"
#include "shared/conf.h"
#include "shared/why.h"

#define DEFAULT_CONF "/etc/nfqd/nfqd.yaml"
#define USUAL_SPAN   "7d" /* of a database; a file is read whole */

static const char usage[] =
	"usage: nfqctl preview [--pack FILE... | -c FILE] [--at DATE] [--vendor V] [--since 7d|DATE]\n"
	"                      [--until DATE] [--json] [--db FILE | --from FILE|- ...]\n";

struct preview {
	struct inventory v;
	char           **packs;
	unsigned         n_packs;
	const char      *conf, *at;
	/* while it runs */
	struct ruleset   rs;
	int64_t          seconds; /* at, or now */
	long long        machines, names, rows;
};

/* ---- what is printed: at once, so that a year of many machines needs no more room than one of them */

static long long times(const json_t *one)
{
	return number_of(one, "refused") + number_of(one, "logged") + number_of(one, "passed");
}

static void put_json(const struct preview *p, const json_t *machine, const json_t *one, const struct why_rule *now)
{
	json_t *row = json_pack("{s:O, s:O, s:O, s:s, s:s, s:s, s:s, s:I, s:O}", "id", json_object_get(machine, "id"),
	                        "machine_name", json_object_get(machine, "name"), "name", json_object_get(one, "name"), "would",
	                        now->would, "pack", now->pack, "rule", now->rule, "side_effect", now->side_effect, "times",
	                        (json_int_t)times(one), "refused_then", json_object_get(one, "refused"));

	fputs(p->rows ? ",\n    " : "\n    ", stdout);
	json_dumpf(row, stdout, 0);
	json_decref(row);
}

static const char *shown(const json_t *o, const char *key, char out[static 256])
{
	printable(text_of(o, key), out, 256);
	return out;
}

static void put_text(const json_t *machine, const json_t *one, const struct why_rule *now, bool first)
{
	char name[256], id[256];

	if (first)
		printf("%s  %s\n", shown(machine, "id", id), shown(machine, "name", name));
	printf("  %6lld x %-40.40s %-6.6s %.20s\n", times(one), shown(one, "name", name), now->would, now->rule);
}

static void begin(const struct preview *p)
{
	json_t *at = p->at ? json_string(p->at) : json_null();

	if (!p->v.json)
		return;
	printf("{\n  \"schema\": %d,\n  \"at\": ", SIGHTINGS_JSON);
	json_dumpf(at, stdout, JSON_ENCODE_ANY);
	fputs(",\n  \"rows\": [", stdout);
	json_decref(at);
}

static void end(const struct preview *p)
{
	if (p->v.json)
		printf("%s],\n  \"machines_at_least\": %lld,\n  \"names_looked_at\": %lld\n}\n", p->rows ? "\n  " : "", p->machines, p->names);
	else
		printf("at least %lld machines would have been refused something; %lld names looked at\n", p->machines, p->names);
}

/* ---- judging ------------------------------------------------------------------------------- */

static void judge_machine(void *ctx, const json_t *machine, const json_t *names)
{
	struct preview *p = ctx;
	const char     *client = json_string_value(json_array_get(json_object_get(machine, "addresses"), 0));
	const long long before = p->rows;
	struct why_rule now;
	const json_t   *one;
	size_t          i;

	if (client && !strpbrk(client, ".:"))
		client = NULL;
	json_array_foreach(names, i, one) {
		if (!why_refuses(&p->rs, text_of(one, "name"), client, p->seconds, &now))
			continue;
		if (p->v.json)
			put_json(p, machine, one, &now);
		else
			put_text(machine, one, &now, p->rows == before);
		p->rows++;
	}
	p->names += (long long)json_array_size(names);
	p->machines += p->rows > before;
}

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

/* ---- the command --------------------------------------------------------------------------- */

static int run(const struct nfqctl *ctl, struct preview *p, struct err *err)
{
	struct image     *img = compile(p, err);
	struct sightings *s = img ? inventory_open(ctl, &p->v, "preview", false) : NULL;
	int               r = -1;

	inventory_check_vendor(s, &p->v, "nfqctl preview");
	if (s) {
		ruleset_open(&p->rs, img);
		if (!p->at)
			p->seconds = policy_present(&p->rs, (int64_t)(clock_now() / NS_PER_S));
		begin(p);
		r = sightings_names(s, &p->v.which, judge_machine, p, err);
		if (r == 0)
			end(p);
	}
	sightings_close(s);
	free(img);
	return r;
}

static bool read_at(struct preview *p, const char *value)
{
	p->at = value;
	if (clock_parse(value, &p->seconds) == 0)
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
	int            o, r;

	if (!p.packs)
		return CTL_FAILED;
	if (!read_options(&p, argc, argv, &o)) {
		fputs(usage, o == 'h' ? stdout : stderr);
		free(p.packs);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	r = run(ctl, &p, &err);
	if (err.text[0])
		fprintf(stderr, "nfqctl preview: %s\n", err.text);
	free(p.packs);
	free(p.v.from);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}
