/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building a ruleset image from packs. The index of names is a table of fingerprints, each with its
 * target: 12 bytes per name, whatever its length. The fingerprint of a name folds its labels from
 * the right, so that one walk over a name looks up all of its suffixes. Plain names of a rule share
 * one target; only what must be shown as written (ranges) or compared (globs) has a target with its
 * text. Fingerprints are keyed and 64 bits wide: no two names of a million meet, and two that do
 * cannot be looked for from outside. In front of the table stands a filter of 8 bits per name (a Bloom filter
 * whose bits for one fingerprint lie in one word): most of what is looked up is in no pack, and most
 * of that ends there.
 *
 * While patterns are added, fingerprints and targets are just appended; ruleset_index() turns them
 * into the table, when the number of names is known.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/yaml.h"
#include "base/hash.h"
#include "match/names.h"
#include "match/pack.h"
#include "match/ruleset.h"

/* Patterns at one name or (globs) under one suffix: bounds the time of a look-up. */
#define SAME_PRINT_MAX 1000
#define FILTER_BITS    16 /* per name: one look-up in a hundred passes for nothing */
#define FILTER_LEAST   4096 /* words: few names need not share them */
#define EXACT_MAX      4096 /* names that a background look-up can go through in a while */

#define FIRST_DAY_S INT64_C(50400) /* 14 h: a date begins first at UTC+14 */

struct compile {
	struct image_builder *b;
	const struct pack    *pack;
	uint32_t              pack_index;
	uint64_t              seed;
	uint32_t              rule;     /* the one being built */
	uint32_t              plain[2]; /* its targets for exact names and for suffixes, plus 1; 0: none yet */
	struct err           *err;
};

static uint32_t text(struct compile *x, const char *s)
{
	return image_text(x->b, RS_TEXT, s);
}

/* Makes room for n items of a list. NULL: there are none, or no memory. */
static uint32_t *list_room(struct compile *x, uint32_t n, struct list *l)
{
	*l = (struct list){ .first = x->b->section[RS_LIST].n, .n = n };
	return n ? image_room(x->b, RS_LIST, n, sizeof(uint32_t)) : NULL;
}

static struct list text_list(struct compile *x, char *const v[], uint32_t n)
{
	struct list l;
	uint32_t   *to = list_room(x, n, &l);

	for (uint32_t i = 0; to && i < n; i++)
		to[i] = text(x, v[i]);
	return l;
}

static struct list port_list(struct compile *x, char *const v[], uint32_t n)
{
	struct list     l = { .first = x->b->section[RS_PORT].n, .n = n };
	struct rs_port *to = n ? image_room(x->b, RS_PORT, n, sizeof(*to)) : NULL;

	for (uint32_t i = 0; to && i < n; i++)
		if (port_parse(v[i], &to[i]) < 0)
			err_set(x->err, "%s: bad port '%s'", x->pack->path, v[i]);
	return l;
}

/* What records show for a source's id: its address, or else its title. */
static const char *source_text(const struct pack *p, const char *id)
{
	for (unsigned i = 0; i < p->n_sources; i++)
		if (strcmp(p->sources[i].id, id) == 0)
			return p->sources[i].url ? p->sources[i].url : p->sources[i].title;
	return id;
}

static struct list source_list(struct compile *x, char *const v[], uint32_t n)
{
	struct list l;
	uint32_t   *to = list_room(x, n, &l);

	for (uint32_t i = 0; to && i < n; i++)
		to[i] = text(x, source_text(x->pack, v[i]));
	return l;
}

/* Not keyed: the same pack and id must give the same number on every machine. */
static uint32_t sid_of(const char *pack, const char *id, uint32_t sid)
{
	char name[512];
	int  n = snprintf(name, sizeof(name), "%s/%s", pack, id);

	if (sid)
		return sid;
	return SID_HASHED +
	       (uint32_t)(hash64(name, strnlen(name, (size_t)n), 0) % (SID_FIRST - SID_HASHED));
}

static uint32_t target_add(struct compile *x, struct rs_target t)
{
	return image_add(x->b, RS_TARGET, &t, 1, sizeof(t));
}

struct placing {
	struct image_builder *b;
	uint64_t              seed;
	uint32_t              target;
};

static int place(void *ctx, const char *name, size_t len)
{
	struct placing *x = ctx;
	struct rs_name  n = { .target = x->target };
	uint64_t        fp = fp_of_pattern(x->seed, name, len);

	memcpy(n.fp, &fp, sizeof(fp));
	image_add(x->b, RS_NAME, &n, 1, sizeof(n));
	return 0;
}

static void pattern_place(struct compile *x, const struct pattern *p, uint32_t target)
{
	struct placing to = { .b = x->b, .seed = x->seed, .target = target };

	pattern_expand(p, place, &to);
}

/* A glob is compared by its text, a range is only shown: both as written, but in lower case. */
static uint32_t pattern_text(struct compile *x, const struct pattern *p)
{
	char written[PATTERN_TEXT + 1];

	snprintf(written, sizeof(written), "%s%s", p->below ? "." : "", p->text);
	return text(x, written);
}

/* Names that can be looked up, and whose addresses then stand for them. */
static void add_exact(struct compile *x, const struct pattern *p)
{
	const struct rs_rule *r = (void *)x->b->section[RS_RULE].data;
	uint32_t              name;

	if (p->kind != PATTERN_EXACT || p->ranges || x->b->failed || r[x->rule].shared ||
	    r[x->rule].action == ENTRY_ALLOW || x->b->section[RS_EXACT].n == EXACT_MAX)
		return;
	name = text(x, p->text);
	image_add(x->b, RS_EXACT, &name, 1, sizeof(name));
}

static int add_name(struct compile *x, const char *name, struct err *why)
{
	struct pattern   p;
	struct rs_target t = { .rule = x->rule };

	if (pattern_parse(&p, name, why) < 0)
		return -1;
	t.kind = p.kind;
	add_exact(x, &p);
	if (p.ranges || p.kind == PATTERN_GLOB) {
		t.pattern = pattern_text(x, &p);
		pattern_place(x, &p, target_add(x, t));
		return 0;
	}
	if (!x->plain[p.kind])
		x->plain[p.kind] = target_add(x, t) + 1;
	pattern_place(x, &p, x->plain[p.kind] - 1);
	return 0;
}

static int add_names(struct compile *x, const struct pack_entry *e)
{
	struct err why = { .text = "" };

	for (unsigned i = 0; i < e->n_names; i++)
		if (add_name(x, e->names[i], &why) < 0)
			return err_set(x->err, "%s: name '%s': %s", x->pack->path, e->names[i],
			               why.text);
	return 0;
}

static int add_line(void *ctx, const char *name, const char *path, unsigned line)
{
	struct compile *x = ctx;
	struct err    why = { .text = "" };

	if (add_name(x, name, &why) < 0)
		return err_set(x->err, "%s:%u: name '%s': %s", path, line, name, why.text);
	return 0;
}

static int add_entry(struct compile *x, const struct pack_entry *e)
{
	struct rs_rule r = { .pack = x->pack_index,
		             .id = text(x, e->id),
		             .side_effect = text(x, e->side_effect),
		             .sid = sid_of(x->pack->id, e->id, e->sid),
		             .category = (uint8_t)e->category,
		             .confidence = (uint8_t)e->confidence,
		             .action = (uint8_t)e->action,
		             .shared = e->shared,
		             .protects = (uint8_t)e->protects,
		             .ports = port_list(x, e->ports, e->n_ports),
		             .products = text_list(x, e->products, e->n_products),
		             .sources = source_list(x, e->sources, e->n_sources) };

	x->rule = image_add(x->b, RS_RULE, &r, 1, sizeof(r));
	x->plain[0] = x->plain[1] = 0;
	if (add_names(x, e) < 0)
		return -1;
	return e->names_file ? pack_names_file(x->pack, e, add_line, x, x->err) : 0;
}

static int add_net(struct compile *x, const struct pack_net *n)
{
	struct rs_net  net = { .pattern = text(x, n->cidr) };
	struct rs_rule r = { .pack = x->pack_index,
		             .id = text(x, n->id),
		             .sid = sid_of(x->pack->id, n->id, n->sid),
		             .side_effect = text(x, n->side_effect),
		             .category = (uint8_t)n->category,
		             .confidence = (uint8_t)n->confidence,
		             .action = (uint8_t)n->action,
		             .ports = port_list(x, n->ports, n->n_ports),
		             .sources = source_list(x, n->sources, n->n_sources) };

	if (net_parse(n->cidr, &net.net) < 0)
		return err_set(x->err, "%s: bad network '%s'", x->pack->path, n->cidr);
	net.rule = image_add(x->b, RS_RULE, &r, 1, sizeof(r));
	image_add(x->b, RS_NET, &net, 1, sizeof(net));
	return 0;
}

/* By time; stages of one time stay in the order of the file. */
static void sort_stages(struct rs_stage *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct rs_stage s = v[i];
		uint32_t        at = i;

		for (; at > 0 && v[at - 1].from > s.from; at--)
			v[at] = v[at - 1];
		v[at] = s;
	}
}

static int add_stage(struct compile *x, const struct pack_stage *s)
{
	struct rs_stage out = { .id = text(x, s->id),
		                .citation = text(x, s->citation),
		                .action = (uint8_t)s->action,
		                .basis = (uint8_t)s->basis,
		                .chosen = s->chosen };

	if (clock_parse(s->from, &out.from) < 0)
		return err_set(x->err, "%s: bad date '%s'", x->pack->path, s->from);
	for (unsigned c = 0; c < s->n_categories; c++)
		out.categories |= UINT32_C(1) << s->categories[c];
	image_add(x->b, RS_STAGE, &out, 1, sizeof(out));
	return 0;
}

static int add_stages(struct compile *x, struct rs_pack *out)
{
	const struct pack *p = x->pack;

	out->first_stage = x->b->section[RS_STAGE].n;
	for (unsigned i = 0; i < p->n_stages; i++)
		if ((!p->stages[i].profile || p->stages[i].chosen) && add_stage(x, &p->stages[i]) < 0)
			return -1;
	out->stages = x->b->section[RS_STAGE].n - out->first_stage;
	if (out->stages && !x->b->failed)
		sort_stages((struct rs_stage *)(void *)x->b->section[RS_STAGE].data + out->first_stage,
		            out->stages);
	return 0;
}

/* The day that a version such as 2026.11.23.1 begins with; 0 when it does not begin with one. */
static int64_t date_of(const char *version)
{
	char    day[] = "2026-11-23";
	int64_t seconds;

	if (strlen(version) < sizeof(day) - 1)
		return 0;
	for (size_t i = 0; i < sizeof(day) - 1; i++)
		day[i] = version[i] == '.' ? '-' : version[i];
	return clock_parse(day, &seconds) == 0 ? seconds - FIRST_DAY_S : 0;
}

static int add_pack(struct compile *x)
{
	const struct pack *p = x->pack;
	struct rs_pack     out = { .id = text(x, p->id),
		                   .vendor = text(x, p->vendor),
		                   .version = text(x, p->version) };
	char               sha256[YAML_SHA256_TEXT] = "";

	if (p->doc) /* the packs that rules/never.yaml is compared with are made in memory */
		yaml_doc_sha256(p->doc, sha256);
	out.sha256 = text(x, sha256);
	if (p->version)
		out.dated = date_of(p->version);
	if (p->expires && clock_parse(p->expires, &out.expires) < 0)
		return err_set(x->err, "%s: bad date '%s'", p->path, p->expires);
	if (add_stages(x, &out) < 0)
		return -1;
	x->pack_index = image_add(x->b, RS_PACK, &out, 1, sizeof(out));
	for (unsigned i = 0; i < p->n_entries; i++)
		if (add_entry(x, &p->entries[i]) < 0)
			return -1;
	for (unsigned i = 0; i < p->n_nets; i++)
		if (add_net(x, &p->nets[i]) < 0)
			return -1;
	return x->err->text[0] ? -1 : 0;
}

static struct ruleset_head *head_of(struct image_builder *b)
{
	return (void *)b->section[RS_HEAD].data;
}

/* One seed for the life of the process, so that its images can be compared. 0: no random bytes. */
static uint64_t seed_get(void)
{
	static uint64_t seed;

	if (seed == 0 && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = 0;
	return seed;
}

int ruleset_compile(struct image_builder *b, struct pack *const packs[], unsigned n, struct err *err)
{
	struct ruleset_head head = { .seed = seed_get() };
	struct compile        x = { .b = b, .err = err, .seed = head.seed };

	if (head.seed == 0)
		return err_set(err, "no random numbers: %s", strerror(errno));
	image_add(b, RS_HEAD, &head, 1, sizeof(head));
	for (unsigned i = 0; i < n; i++) {
		x.pack = packs[i];
		if (add_pack(&x) < 0)
			return -1;
	}
	if (b->failed)
		return err_set(err, "out of memory");
	for (unsigned i = 0; i <= RS_NET; i++)
		head_of(b)->of_packs[i] = b->section[i].n;
	return 0;
}

/* Recovers the packs' names from the table. */
static void take_names(struct image_builder *b, const struct image *from)
{
	const struct ruleset_head *head = image_at(from, RS_HEAD);
	const struct rs_name      *names = image_at(from, RS_NAME);

	for (uint32_t i = 0; i < image_n(from, RS_NAME); i++)
		if (rs_name_fp(&names[i]) && names[i].target < head->of_packs[RS_TARGET])
			image_add(b, RS_NAME, &names[i], 1, sizeof(names[i]));
}

void ruleset_recompile(struct image_builder *b, const struct image *from)
{
	const struct ruleset_head *head = image_at(from, RS_HEAD);

	for (unsigned i = 0; i <= RS_NET; i++)
		if (i != RS_FILTER && i != RS_NAME && head->of_packs[i] > 0)
			image_add(b, i, image_at(from, i), head->of_packs[i],
			          from->section[i].record);
	take_names(b, from);
}

int ruleset_add_exception(struct image_builder *b, const char *pattern, uint32_t exception,
                          struct err *err)
{
	struct compile     x = { .b = b, .err = err };
	struct rs_target t = { .rule = exception, .exception = 1 };
	struct rs_exception_net  net = { .exception = exception };
	struct rs_exception_name name = { .exception = exception };
	struct pattern   p;

	if (net_parse(pattern, &net.net) == 0) {
		image_add(b, RS_EXCEPTION_NET, &net, 1, sizeof(net));
		return b->failed ? err_set(err, "out of memory") : 0;
	}
	if (pattern_parse(&p, pattern, err) < 0)
		return -1;
	if (b->failed)
		return err_set(err, "out of memory");
	x.seed = head_of(b)->seed;
	t.kind = p.kind;
	t.pattern = pattern_text(&x, &p);
	pattern_place(&x, &p, target_add(&x, t));
	name.pattern = text(&x, p.text);
	image_add(b, RS_EXCEPTION_NAME, &name, 1, sizeof(name));
	return b->failed ? err_set(err, "out of memory") : 0;
}

/* ---- the table ----------------------------------------------------------------------------- */

static const char *target_words(struct image_builder *b, uint32_t target)
{
	const struct rs_target *t = (void *)b->section[RS_TARGET].data;
	const struct rs_rule   *r = (void *)b->section[RS_RULE].data;

	return t[target].exception ? "an exception" :
	                             (const char *)b->section[RS_TEXT].data + r[t[target].rule].id;
}

/* Inserts one name; a name that a rule lists twice is stored once. */
static int put(struct image_builder *b, const struct rs_name *n, struct err *err)
{
	struct rs_name *table = (void *)b->section[RS_NAME].data;
	uint64_t       *filter = (void *)b->section[RS_FILTER].data;
	uint32_t        slots = b->section[RS_NAME].n, words = b->section[RS_FILTER].n;
	uint64_t        fp = rs_name_fp(n), have;
	uint32_t        at = hash_range(fp, slots);
	unsigned        same = 0;

	for (; (have = rs_name_fp(&table[at])); at = at + 1 == slots ? 0 : at + 1) {
		if (have != fp)
			continue;
		if (table[at].target == n->target)
			return 0;
		if (++same == SAME_PRINT_MAX)
			return err_set(err, "entry '%s': more than %d patterns meet at one name or "
			               "under one suffix",
			               target_words(b, n->target), SAME_PRINT_MAX);
	}
	table[at] = *n;
	filter[hash_range(fp, words)] |= filter_bits(fp);
	head_of(b)->names++;
	return 0;
}

static int fill(struct image_builder *b, const struct rs_name *names, uint32_t n, struct err *err)
{
	uint64_t slots = n + (uint64_t)n * 3 / 7 + 8;
	uint32_t words;

	if (slots > UINT32_MAX)
		return err_set(err, "more names than fit");
	image_room(b, RS_NAME, (uint32_t)slots, sizeof(struct rs_name));
	words = (uint32_t)((uint64_t)n * FILTER_BITS / 64);
	image_room(b, RS_FILTER, words < FILTER_LEAST ? FILTER_LEAST : words, sizeof(uint64_t));
	for (uint32_t i = 0; !b->failed && i < n; i++)
		if (put(b, &names[i], err) < 0)
			return -1;
	return b->failed ? err_set(err, "out of memory") : 0;
}

/* Sorts networks and links each to the next wider one. */
static void nest_networks(struct rs_net *nets, uint32_t n)
{
	if (n > 0)
		qsort(nets, n, sizeof(*nets), net_order);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t wider = i;

		while (wider && !net_has(&nets[wider - 1].net, &nets[i].net.addr))
			wider = nets[wider - 1].wider;
		nets[i].wider = wider;
	}
}

int ruleset_index(struct image_builder *b, struct err *err)
{
	struct rs_name *names = (void *)b->section[RS_NAME].data;
	uint32_t        n = b->section[RS_NAME].n;
	int             r;

	if (b->failed)
		return err_set(err, "out of memory");
	head_of(b)->names = 0;
	nest_networks((void *)b->section[RS_NET].data, b->section[RS_NET].n);
	memset(&b->section[RS_NAME], 0, sizeof(b->section[RS_NAME]));
	r = fill(b, names, n, err);
	free(names);
	return r;
}
