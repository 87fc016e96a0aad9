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
#include "preview.h"
#include "shared/conf.h"
#include "shared/why.h"

#define DEFAULT_CONF "/etc/nfqd/nfqd.yaml"
#define USUAL_SPAN   "7d" /* of a database; a file is read whole */

static const char usage[] =
	"usage: nfqctl preview [--pack FILE... | -c FILE] [--at DATE] [--vendor V] [--since 7d|DATE]\n"
	"                      [--until DATE] [--json] [--db FILE | --from FILE|- ...]\n";

struct preview {
	struct inventory   v;
	char             **packs;
	unsigned           n_packs;
	const char        *conf;
	struct preview_run run;
};

/* ---- what is printed for people ------------------------------------------------------------ */

static const char *shown(const json_t *o, const char *key, char out[static 256])
{
	printable(text_of(o, key), out, 256);
	return out;
}

static void put_text(const struct preview_run *p, const json_t *machine, const json_t *one, const struct why_rule *now, bool first)
{
	char name[256], id[256];

	if (first)
		fprintf(p->out, "%s  %s\n", shown(machine, "id", id), shown(machine, "name", name));
	fprintf(p->out, "  %6lld x %-40.40s %-6.6s %.20s\n", preview_times(one), shown(one, "name", name), now->would, now->rule);
}

static void end(const struct preview *p)
{
	if (p->v.json)
		preview_json_end(&p->run);
	else
		printf("at least %lld machines would have been refused something; %lld names looked at\n", p->run.machines, p->run.names);
}

/* ---- by which rules ------------------------------------------------------------------------ */

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
		ruleset_open(&p->run.rs, img);
		if (!p->run.at)
			p->run.seconds = policy_present(&p->run.rs, (int64_t)(clock_now() / NS_PER_S));
		p->run.out = stdout;
		p->run.row = p->v.json ? preview_json_row : put_text;
		if (p->v.json)
			preview_json_begin(&p->run);
		r = sightings_names(s, &p->v.which, preview_machine, &p->run, err);
		if (r == 0)
			end(p);
	}
	sightings_close(s);
	free(img);
	return r;
}

static bool read_at(struct preview *p, const char *value)
{
	p->run.at = value;
	if (clock_parse(value, &p->run.seconds) == 0)
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
