/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules verify: asks a resolver for every exact name of packs and reports the results in a form that
 * a maintainer can commit. It states facts; people decide what to do about an entry.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/yaml.h"
#include "match/pattern.h"
#include "nfqctl.h"
#include "rules_verify.h"

enum status { ALIVE, OWN, MOVED, EMPTY, DEAD, FAILED, BLOCKED, N_STATUS };

static const char *const status_words[N_STATUS] = { "alive", "own",    "moved",  "empty",
	                                            "dead",  "failed", "blocked" };

/* One pack, and what is known of its names. */
struct subject {
	const struct pack *pack;
	json_t            *zones; /* registered domains of its names, as the keys of an object */
	unsigned           patterns, counts[N_STATUS];
};

/* One name of one pack. */
struct item {
	struct subject *of;
	const char     *entry;
	char           *name;
	json_t         *row; /* of the report, once it was asked for */
};

struct verify {
	struct packs    packs;
	struct subject *subjects; /* in the order of packs; without the canary */
	unsigned        n_subjects;
	struct item    *items;
	size_t          n, room;
	struct err      err;
	/* the entry at hand */
	struct subject *of;
	const char     *entry;
	/* about the way to the server */
	json_t *canary;
	bool    nfqd;
};

/* ---- which names --------------------------------------------------------------------------- */

static const char *zone_of(const char *name)
{
	const char *registered = hostname_registered(name);

	return registered ? registered : name;
}

static int add_item(void *ctx, const char *name, size_t len)
{
	struct verify *x = ctx;
	char          *copy;

	if (x->n == x->room) {
		size_t       room = x->room ? 2 * x->room : 256;
		struct item *items = reallocarray(x->items, room, sizeof(*items));

		if (!items)
			return -1;
		x->items = items;
		x->room = room;
	}
	copy = strndup(name, len);
	if (!copy)
		return -1;
	x->items[x->n++] = (struct item){ .of = x->of, .entry = x->entry, .name = copy };
	return 0;
}

static int add_pattern(void *ctx, const char *name, const char *path, unsigned line)
{
	struct verify *x = ctx;
	struct err     why = { .text = "" };
	struct pattern p;

	if (pattern_parse(&p, name, &why) < 0)
		return err_set(&x->err, "%s:%u: %s: '%s'", path, line, why.text, name);
	json_object_set_new(x->of->zones, zone_of(p.text), json_true());
	if (p.kind == PATTERN_EXACT)
		return pattern_expand(&p, add_item, x);
	x->of->patterns++;
	return 0;
}

/* By pack, in the order in which they were given, then by name. */
static int item_order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int                r = (x->of > y->of) - (x->of < y->of);

	if (r == 0)
		r = strcmp(x->name, y->name);
	return r ? r : strcmp(x->entry, y->entry);
}

static int collect(struct verify *x)
{
	x->subjects = calloc(x->packs.n, sizeof(*x->subjects));
	for (unsigned i = 0; x->subjects && i < x->packs.n; i++) {
		const struct pack *p = x->packs.v[i];

		if (strcmp(p->id, "canary") == 0)
			continue; /* is asked for in any case */
		x->of = &x->subjects[x->n_subjects++];
		*x->of = (struct subject){ .pack = p, .zones = json_object() };
		for (unsigned k = 0; k < p->n_entries; k++) {
			x->entry = p->entries[k].id;
			if (rules_names(p, k, add_pattern, x, &x->err) < 0)
				return err_set(&x->err, "out of memory");
		}
	}
	if (x->n)
		qsort(x->items, x->n, sizeof(*x->items), item_order);
	return x->subjects ? 0 : err_set(&x->err, "out of memory");
}

/* ---- what an answer means ------------------------------------------------------------------ */

static const struct verify_answer *better(const struct verify_answer v[VERIFY_TYPES])
{
	return &v[v[1].outcome > v[0].outcome];
}

/* nfqd names the pack and the rule by which it refuses. */
static bool is_from_nfqd(const struct verify_answer *v, const char *pack)
{
	size_t n = strlen(pack);

	return v->outcome == OUTCOME_BLOCKED && v->error == 15 && strncmp(v->why, pack, n) == 0 &&
	       v->why[n] == '/';
}

/* The pack's network that an address lies in. */
static const char *own_net(const struct pack *p, const struct addr *a)
{
	struct net net;

	for (unsigned i = 0; i < p->n_nets; i++)
		if (net_parse(p->nets[i].cidr, &net) == 0 && net_has(&net, a))
			return p->nets[i].cidr;
	return NULL;
}

static const char *own_net_of(const struct pack *p, const struct verify_answer v[VERIFY_TYPES])
{
	const char *net = NULL;

	for (unsigned t = 0; t < VERIFY_TYPES; t++)
		for (unsigned i = 0; !net && i < v[t].n_addrs; i++)
			net = own_net(p, &v[t].addrs[i]);
	return net;
}

static enum status judge(const struct verify_answer *v, const char *net, const char *outside)
{
	static const enum status plain[] = { [OUTCOME_DEAD] = DEAD,
		                             [OUTCOME_EMPTY] = EMPTY,
		                             [OUTCOME_FAILED] = FAILED,
		                             [OUTCOME_ADDRESS] = ALIVE,
		                             [OUTCOME_BLOCKED] = BLOCKED };

	if (v->outcome != OUTCOME_ADDRESS)
		return plain[v->outcome];
	return net ? OWN : outside ? MOVED : ALIVE;
}

static void on_name(void *ctx, size_t i, const struct verify_answer v[VERIFY_TYPES])
{
	struct verify              *x = ctx;
	struct item                *item = &x->items[i];
	const struct pack          *p = item->of->pack;
	const struct verify_answer *best = better(v);
	const char                 *net = own_net_of(p, v), *outside = NULL;
	enum status                 s;

	if (*best->target && !json_object_get(item->of->zones, zone_of(best->target)))
		outside = best->target;
	s = judge(best, net, outside);
	item->of->counts[s]++;
	x->nfqd |= is_from_nfqd(best, p->id);
	item->row = json_pack("{s:s, s:s, s:s}", "name", item->name, "entry", item->entry, "status",
	                      status_words[s]);
	if (outside)
		json_object_set_new(item->row, "leads_to", json_string(outside));
	if (s == OWN)
		json_object_set_new(item->row, "net", json_string(net));
	if (*best->why)
		json_object_set_new(item->row, "why", json_string(best->why));
}

/* Name 0 is the canary; name 1, the root, is answered even when the canary is not. */
static void on_probe(void *ctx, size_t i, const struct verify_answer v[VERIFY_TYPES])
{
	struct verify              *x = ctx;
	const struct verify_answer *best = better(v);

	if (i > 0)
		return;
	x->nfqd |= is_from_nfqd(best, "canary");
	x->canary = json_pack("{s:s, s:s}", "name", VERIFY_CANARY, "status",
	                      status_words[judge(best, NULL, NULL)]);
	if (*best->why)
		json_object_set_new(x->canary, "why", json_string(best->why));
}

static int ask_all(struct verify *x, struct verify_asker *asker)
{
	static const char *const probes[] = { VERIFY_CANARY, "." };
	const char             **names = calloc(x->n + 1, sizeof(*names));
	int                      r;

	for (size_t i = 0; names && i < x->n; i++)
		names[i] = x->items[i].name;
	r = names ? verify_names(asker, probes, 2, on_probe, x) : -1;
	if (r == 0 && verify_heard(asker) == 0) {
		fprintf(stderr, "nfqctl: no server answers: %s\n", verify_servers(asker));
		r = -1;
	} else if (r < 0 || verify_names(asker, names, x->n, on_name, x) < 0) {
		fprintf(stderr, "nfqctl: out of memory\n");
		r = -1;
	}
	free(names);
	return r;
}

/* ---- the report ---------------------------------------------------------------------------- */

static json_t *subject_json(const struct verify *x, const struct subject *s)
{
	json_t *counts = json_object(), *rows = json_array();

	for (unsigned i = 0; i < N_STATUS; i++)
		json_object_set_new(counts, status_words[i], json_integer(s->counts[i]));
	for (size_t i = 0; i < x->n; i++)
		if (x->items[i].of == s)
			json_array_append(rows, x->items[i].row);
	return json_pack("{s:s, s:s, s:i, s:i, s:o, s:o}", "pack", s->pack->id, "version",
	                 s->pack->version, "names", (int)json_array_size(rows), "patterns",
	                 (int)s->patterns, "counts", counts, "results", rows);
}

static json_t *report(const struct verify *x, const char *servers)
{
	json_t *packs = json_array();
	char    date[CLOCK_TEXT];

	clock_text_iso((int64_t)(clock_now() / NS_PER_S), date);
	for (unsigned i = 0; i < x->n_subjects; i++)
		json_array_append_new(packs, subject_json(x, &x->subjects[i]));
	return json_pack("{s:s, s:s, s:O, s:b, s:o}", "date", date, "server", servers, "canary",
	                 x->canary, "enforcing_nfqd_seen", x->nfqd, "packs", packs);
}

/* ---- the command --------------------------------------------------------------------------- */

static void verify_free(struct verify *x)
{
	for (size_t i = 0; i < x->n; i++) {
		json_decref(x->items[i].row);
		free(x->items[i].name);
	}
	for (unsigned i = 0; i < x->n_subjects; i++)
		json_decref(x->subjects[i].zones);
	free(x->items);
	free(x->subjects);
	json_decref(x->canary);
	packs_free(&x->packs);
}

static int verify(struct verify *x, const struct verify_how *how, bool json)
{
	struct verify_asker *asker;
	json_t              *o = NULL;

	if (collect(x) < 0) {
		fprintf(stderr, "nfqctl: %s\n", x->err.text);
		return CTL_FAILED;
	}
	asker = verify_open(how);
	if (!asker)
		return CTL_FAILED;
	if (ask_all(x, asker) == 0)
		o = report(x, verify_servers(asker));
	verify_close(asker);
	if (!o)
		return CTL_FAILED;
	return json ? rules_print_json(o) : verify_print(o);
}

static int usage(FILE *to, int result)
{
	fprintf(to,
	        "usage: nfqctl rules verify [--server ADDR[:PORT]] [--concurrency N] [--timeout S] "
	        "[--json] [PACK...]\n");
	return result;
}

/* A number from 1 to max. */
static int number(const char *option, const char *text, unsigned max, unsigned *out)
{
	char         *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || v < 1 || v > max) {
		fprintf(stderr, "nfqctl: %s: '%s' (1 to %u)\n", option, text, max);
		return -1;
	}
	*out = (unsigned)v;
	return 0;
}

int cmd_rules_verify(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "server", required_argument, NULL, 's' },
		{ "concurrency", required_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct verify_how how = { .at_once = 16, .timeout_s = 2 };
	struct verify     x = { .n = 0 };
	bool              json = false;
	int               o, r = 0;

	(void)ctl;
	while (r == 0 && (o = getopt_long(argc, argv, "s:c:t:jh", options, NULL)) != -1) {
		if (o == 's')
			how.server = optarg;
		else if (o == 'c')
			r = number("--concurrency", optarg, 256, &how.at_once);
		else if (o == 't')
			r = number("--timeout", optarg, 60, &how.timeout_s);
		else if (o == 'j')
			json = true;
		else
			return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
	}
	if (r < 0)
		return CTL_USAGE;
	if (rules_load(&x.packs, argv + optind, (unsigned)(argc - optind)) < 0)
		return CTL_FAILED;
	r = verify(&x, &how, json);
	verify_free(&x);
	return r;
}
