/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rule packs: the schema of their YAML files, the checks that a schema cannot express, folders of
 * packs, and a pack's own tests. To add a key: a member in pack.h, a row here.
 */
#include "match/pack.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/schema.h"
#include "match/names.h"
#include "match/ruleset.h"

/* nfqd/match/canary.S */
extern const char canary_yaml[];
extern const char canary_yaml_end[];

/* ---- the schema ---------------------------------------------------------------------------- */

static const cyaml_strval_t categories[] = {
	{ "update", CAT_UPDATE },         { "telemetry", CAT_TELEMETRY },
	{ "reputation", CAT_REPUTATION }, { "activation", CAT_ACTIVATION },
	{ "account", CAT_ACCOUNT },       { "push", CAT_PUSH },
	{ "crash", CAT_CRASH },           { "web", CAT_WEB },
	{ "resolver", CAT_RESOLVER },     { "canary", CAT_CANARY },
};
static const cyaml_strval_t confidences[] = {
	{ "low", CONF_LOW },
	{ "medium", CONF_MEDIUM },
	{ "high", CONF_HIGH },
};
static const cyaml_strval_t bases[] = {
	{ "law", BASIS_LAW },
	{ "vendor", BASIS_VENDOR },
	{ "site", BASIS_SITE },
};
static const cyaml_strval_t entry_actions[] = { { "log", ENTRY_LOG }, { "allow", ENTRY_ALLOW } };
static const cyaml_strval_t stage_actions[] = { { "log", STAGE_LOG }, { "block", STAGE_BLOCK } };

_Static_assert(CYAML_ARRAY_LEN(categories) == CATEGORIES, "a category has no word");

static const cyaml_schema_value_t text_value = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1,
	                                                            SCHEMA_TEXT_MAX) };
static const cyaml_schema_value_t category_value = { CYAML_VALUE_ENUM(
	CYAML_FLAG_STRICT, int, categories, CYAML_ARRAY_LEN(categories)) };

static const cyaml_schema_field_t source_fields[] = {
	SCHEMA_TEXT("id", SCHEMA_NEEDED, struct pack_source, id),
	SCHEMA_TEXT("title", SCHEMA_OPTIONAL, struct pack_source, title),
	SCHEMA_TEXT("url", SCHEMA_OPTIONAL, struct pack_source, url),
	SCHEMA_TEXT("publisher", SCHEMA_OPTIONAL, struct pack_source, publisher),
	SCHEMA_TEXT("retrieved", SCHEMA_OPTIONAL, struct pack_source, retrieved),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t source_value = { CYAML_VALUE_MAPPING(0, struct pack_source,
	                                                             source_fields) };

static const cyaml_schema_field_t stage_fields[] = {
	SCHEMA_TEXT("id", SCHEMA_NEEDED, struct pack_stage, id),
	SCHEMA_TEXT("from", SCHEMA_NEEDED, struct pack_stage, from),
	SCHEMA_WORD("action", SCHEMA_NEEDED, struct pack_stage, action, stage_actions),
	SCHEMA_LIST("categories", SCHEMA_OPTIONAL, struct pack_stage, categories, &category_value, 1),
	SCHEMA_WORD("basis", SCHEMA_NEEDED, struct pack_stage, basis, bases),
	SCHEMA_TEXT("citation", SCHEMA_OPTIONAL, struct pack_stage, citation),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t stage_value = { CYAML_VALUE_MAPPING(0, struct pack_stage,
	                                                            stage_fields) };

/* names may be missing here so that pack_check() can say what it has to say about names-file */
static const cyaml_schema_field_t entry_fields[] = {
	SCHEMA_TEXT("id", SCHEMA_NEEDED, struct pack_entry, id),
	SCHEMA_LIST("names", SCHEMA_OPTIONAL, struct pack_entry, names, &text_value, 0),
	CYAML_FIELD_IGNORE("names-file", SCHEMA_OPTIONAL),
	SCHEMA_WORD("category", SCHEMA_NEEDED, struct pack_entry, category, categories),
	SCHEMA_LIST("ports", SCHEMA_OPTIONAL, struct pack_entry, ports, &text_value, 0),
	SCHEMA_LIST("products", SCHEMA_OPTIONAL, struct pack_entry, products, &text_value, 0),
	SCHEMA_LIST("sources", SCHEMA_NEEDED, struct pack_entry, sources, &text_value, 1),
	SCHEMA_WORD("confidence", SCHEMA_NEEDED, struct pack_entry, confidence, confidences),
	CYAML_FIELD_BOOL("shared", SCHEMA_OPTIONAL, struct pack_entry, shared),
	SCHEMA_TEXT("side_effect", SCHEMA_NEEDED, struct pack_entry, side_effect),
	SCHEMA_TEXT("remark", SCHEMA_OPTIONAL, struct pack_entry, remark),
	SCHEMA_WORD("action", SCHEMA_OPTIONAL, struct pack_entry, action, entry_actions),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t entry_value = { CYAML_VALUE_MAPPING(0, struct pack_entry,
	                                                            entry_fields) };

static const cyaml_schema_field_t net_fields[] = {
	SCHEMA_TEXT("cidr", SCHEMA_NEEDED, struct pack_net, cidr),
	CYAML_FIELD_UINT("asn", SCHEMA_OPTIONAL, struct pack_net, asn),
	SCHEMA_WORD("category", SCHEMA_NEEDED, struct pack_net, category, categories),
	SCHEMA_LIST("ports", SCHEMA_OPTIONAL, struct pack_net, ports, &text_value, 0),
	SCHEMA_LIST("sources", SCHEMA_NEEDED, struct pack_net, sources, &text_value, 1),
	SCHEMA_WORD("confidence", SCHEMA_NEEDED, struct pack_net, confidence, confidences),
	SCHEMA_WORD("action", SCHEMA_OPTIONAL, struct pack_net, action, entry_actions),
	SCHEMA_TEXT("side_effect", SCHEMA_OPTIONAL, struct pack_net, side_effect),
	SCHEMA_TEXT("remark", SCHEMA_OPTIONAL, struct pack_net, remark),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t net_value = { CYAML_VALUE_MAPPING(0, struct pack_net, net_fields) };

static const cyaml_schema_field_t test_fields[] = {
	SCHEMA_LIST("allow", SCHEMA_OPTIONAL, struct pack_tests, allow, &text_value, 0),
	SCHEMA_LIST("match", SCHEMA_OPTIONAL, struct pack_tests, match, &text_value, 0),
	SCHEMA_LIST("no_match", SCHEMA_OPTIONAL, struct pack_tests, no_match, &text_value, 0),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t pack_fields[] = {
	SCHEMA_TEXT("pack", SCHEMA_NEEDED, struct pack, id),
	SCHEMA_TEXT("vendor", SCHEMA_NEEDED, struct pack, vendor),
	SCHEMA_TEXT("title", SCHEMA_OPTIONAL, struct pack, title),
	SCHEMA_TEXT("version", SCHEMA_NEEDED, struct pack, version),
	SCHEMA_TEXT("expires", SCHEMA_OPTIONAL, struct pack, expires),
	SCHEMA_TEXT("license", SCHEMA_OPTIONAL, struct pack, license),
	SCHEMA_LIST("sources", SCHEMA_NEEDED, struct pack, sources, &source_value, 0),
	SCHEMA_LIST("stages", SCHEMA_NEEDED, struct pack, stages, &stage_value, 0),
	SCHEMA_LIST("entries", SCHEMA_NEEDED, struct pack, entries, &entry_value, 0),
	SCHEMA_LIST("nets", SCHEMA_OPTIONAL, struct pack, nets, &net_value, 0),
	CYAML_FIELD_MAPPING_PTR("tests", SCHEMA_OPTIONAL, struct pack, tests, test_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t pack_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct pack,
	                                                            pack_fields) };

/* ---- checks -------------------------------------------------------------------------------- */

/* The ids of one list, sorted, to find one and those that occur twice. */
struct ids {
	struct id {
		const char *text;
		unsigned    i;
	}       *v;
	unsigned n;
};

static int id_order(const void *va, const void *vb)
{
	const struct id *a = va, *b = vb;
	int              r = strcmp(a->text, b->text);

	return r ? r : a->i < b->i ? -1 : a->i > b->i;
}

static int id_find(const void *va, const void *vb)
{
	const struct id *a = va, *b = vb;

	return strcmp(a->text, b->text);
}

struct pack_checker {
	const struct pack *p;
	struct err        *err;
	struct ids         sources;
	bool               bad;
};

#define SAY(c, line, ...) ((c)->bad |= yaml_doc_error((c)->p->doc, (c)->err, line, __VA_ARGS__) < 0)
#define LINE(c, ...)      yaml_doc_line((c)->p->doc, __VA_ARGS__)

/* Sorts n ids that lie stride bytes apart and reports those that occur twice; list and what name
 * them in the file and in the message. */
static struct ids ids_check(struct pack_checker *c, const void *first, size_t stride, unsigned n,
                            const char *list, const char *key, const char *what)
{
	struct ids ids = { .v = calloc(n + 1U, sizeof(*ids.v)), .n = n };

	if (!ids.v) {
		SAY(c, 1, "out of memory");
		return (struct ids){ .n = 0 };
	}
	for (unsigned i = 0; i < n; i++)
		ids.v[i] = (struct id){ *(char *const *)((const char *)first + i * stride), i };
	qsort(ids.v, n, sizeof(*ids.v), id_order);
	for (unsigned i = 1; i < n; i++)
		if (strcmp(ids.v[i].text, ids.v[i - 1].text) == 0)
			SAY(c, LINE(c, "%s[%u].%s", list, ids.v[i].i, key),
			    "%s '%s': this %s is already used on line %u", what, ids.v[i].text, key,
			    LINE(c, "%s[%u].%s", list, ids.v[i - 1].i, key));
	return ids;
}

static bool id_ok(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return id[strspn(id, allowed)] == '\0' && strlen(id) <= 100;
}

static void check_id(struct pack_checker *c, const char *what, const char *id, unsigned line)
{
	if (!id_ok(id))
		SAY(c, line, "%s '%.100s': an id is made of up to 100 letters, digits, '-', '_' and '.'",
		    what, id);
}

static void check_date(struct pack_checker *c, const char *what, const char *id, const char *key,
                       const char *date, unsigned line)
{
	int64_t s;

	if (date && clock_parse(date, &s) < 0)
		SAY(c, line, "%s '%s': %s: '%s' is no date (write 2024-09-29 or 2024-09-29T04:00:00Z)",
		    what, id, key, date);
}

static void check_header(struct pack_checker *c)
{
	const struct pack *p = c->p;

	check_id(c, "pack", p->id, LINE(c, "pack"));
	check_date(c, "pack", p->id, "expires", p->expires, LINE(c, "expires"));
}

static void check_sources(struct pack_checker *c)
{
	const struct pack *p = c->p;

	c->sources = ids_check(c, p->sources, sizeof(*p->sources), p->n_sources, "sources", "id",
	                       "source");
	for (unsigned i = 0; i < p->n_sources; i++)
		check_date(c, "source", p->sources[i].id, "retrieved", p->sources[i].retrieved,
		           LINE(c, "sources[%u].retrieved", i));
}

static void check_stages(struct pack_checker *c)
{
	const struct pack *p = c->p;

	free(ids_check(c, p->stages, sizeof(*p->stages), p->n_stages, "stages", "id", "stage").v);
	for (unsigned i = 0; i < p->n_stages; i++)
		check_date(c, "stage", p->stages[i].id, "from", p->stages[i].from,
		           LINE(c, "stages[%u].from", i));
}

static void unknown_source(struct pack_checker *c, const char *what, const char *id,
                           const char *source, unsigned line)
{
	char allowed[512] = "none";

	for (unsigned i = 0, used = 0; i < c->p->n_sources && used < sizeof(allowed); i++)
		used += (unsigned)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
		                           i ? ", " : "", c->p->sources[i].id);
	SAY(c, line, "%s '%s': unknown source '%s' (allowed: %s)", what, id, source, allowed);
}

/* What entries and nets have in common. */
static void check_proof(struct pack_checker *c, const char *what, const char *list, unsigned at,
                        const char *id, char *const ports[], unsigned n_ports,
                        char *const sources[], unsigned n_sources)
{
	uint32_t port;

	for (unsigned i = 0; i < n_ports; i++)
		if (port_parse(ports[i], &port) < 0)
			SAY(c, LINE(c, "%s[%u].ports[%u]", list, at, i),
			    "%s '%s': bad port '%s' (write tcp/443, udp/443, any/443, tcp or udp)",
			    what, id, ports[i]);
	for (unsigned i = 0; i < n_sources; i++) {
		struct id key = { sources[i], 0 };

		if (!c->sources.v ||
		    !bsearch(&key, c->sources.v, c->sources.n, sizeof(key), id_find))
			unknown_source(c, what, id, sources[i],
			               LINE(c, "%s[%u].sources[%u]", list, at, i));
	}
}

static void check_names(struct pack_checker *c, const struct pack_entry *e, unsigned at)
{
	struct pattern pattern;

	if (yaml_doc_has(c->p->doc, "entries[%u].names-file", at))
		SAY(c, LINE(c, "entries[%u].names-file", at),
		    "entry '%s': names-file is not yet supported, list the names under 'names'", e->id);
	else if (!yaml_doc_has(c->p->doc, "entries[%u].names", at))
		SAY(c, LINE(c, "entries[%u]", at), "entry '%s': missing key 'names'", e->id);
	else if (e->n_names == 0)
		SAY(c, LINE(c, "entries[%u].names", at), "entry '%s': names: must not be empty",
		    e->id);
	for (unsigned i = 0; i < e->n_names; i++) {
		struct err why = { .text = "" };

		if (pattern_parse(&pattern, e->names[i], &why) < 0)
			SAY(c, LINE(c, "entries[%u].names[%u]", at, i), "entry '%s': name '%s': %s",
			    e->id, e->names[i], why.text);
	}
}

static void check_entries(struct pack_checker *c)
{
	const struct pack *p = c->p;

	free(ids_check(c, p->entries, sizeof(*p->entries), p->n_entries, "entries", "id", "entry").v);
	for (unsigned i = 0; i < p->n_entries; i++) {
		const struct pack_entry *e = &p->entries[i];

		check_id(c, "entry", e->id, LINE(c, "entries[%u].id", i));
		check_names(c, e, i);
		check_proof(c, "entry", "entries", i, e->id, e->ports, e->n_ports, e->sources,
		            e->n_sources);
	}
}

static void check_nets(struct pack_checker *c)
{
	const struct pack *p = c->p;

	free(ids_check(c, p->nets, sizeof(*p->nets), p->n_nets, "nets", "cidr", "net").v);
	for (unsigned i = 0; i < p->n_nets; i++) {
		const struct pack_net *n = &p->nets[i];
		struct net             net;

		if (net_parse(n->cidr, &net) < 0)
			SAY(c, LINE(c, "nets[%u].cidr", i),
			    "net '%s': no network (write 192.0.2.0/24 or 2001:db8::/32, with zero bits "
			    "behind the prefix)",
			    n->cidr);
		check_proof(c, "net", "nets", i, n->cidr, n->ports, n->n_ports, n->sources,
		            n->n_sources);
	}
}

int pack_check(const struct pack *p, struct err *err)
{
	struct pack_checker c = { .p = p, .err = err };

	check_header(&c);
	check_sources(&c);
	check_stages(&c);
	check_entries(&c);
	check_nets(&c);
	free(c.sources.v);
	return c.bad ? -1 : 0;
}

/* ---- loading ------------------------------------------------------------------------------- */

/* Takes doc. */
static struct pack *pack_bind(struct yaml_doc *doc, const char *path, struct err *err)
{
	struct pack *p = doc ? yaml_doc_bind(doc, &pack_schema, err) : NULL;

	if (!p) {
		yaml_doc_free(doc);
		return NULL;
	}
	p->doc = doc;
	p->path = strdup(path);
	if (!p->path) {
		err_set(err, "%s: out of memory", path);
		pack_free(p);
		return NULL;
	}
	return p;
}

static struct pack *pack_checked(struct pack *p, struct err *err)
{
	if (p && pack_check(p, err) < 0) {
		pack_free(p);
		return NULL;
	}
	return p;
}

struct pack *pack_open(const char *path, pack_say *say, void *ctx, struct err *err)
{
	return pack_bind(yaml_doc_open(path, say, ctx, err), path, err);
}

struct pack *pack_load(const char *path, struct err *err)
{
	return pack_checked(pack_open(path, NULL, NULL, err), err);
}

struct pack *pack_canary(struct err *err)
{
	static const char name[] = "canary (built in)";
	struct yaml_doc  *doc = yaml_doc_parse(name, canary_yaml,
	                                       (size_t)(canary_yaml_end - canary_yaml), NULL, NULL,
	                                       err);

	return pack_checked(pack_bind(doc, name, err), err);
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	yaml_doc_free(p->doc);
	free(p->path);
	yaml_doc_unbind(&pack_schema, p);
}

/* ---- lists of packs ------------------------------------------------------------------------ */

static const struct pack *packs_find(const struct packs *packs, const char *id)
{
	for (unsigned i = 0; i < packs->n; i++)
		if (strcmp(packs->v[i]->id, id) == 0)
			return packs->v[i];
	return NULL;
}

/* Takes p, which may be NULL: err is filled then. */
static int packs_add(struct packs *packs, struct pack *p, struct err *err)
{
	const struct pack *other = p ? packs_find(packs, p->id) : NULL;
	struct pack      **v;

	if (!p)
		return -1;
	if (other) {
		yaml_doc_error(p->doc, err, yaml_doc_line(p->doc, "pack"),
		               "pack '%s' is already loaded from %s", p->id, other->path);
		pack_free(p);
		return -1;
	}
	v = realloc(packs->v, (packs->n + 1U) * sizeof(struct pack *));
	if (!v) {
		pack_free(p);
		return err_set(err, "out of memory");
	}
	packs->v = v;
	packs->v[packs->n++] = p;
	return 0;
}

static int is_pack_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".yaml") == 0;
}

/* By bytes, not by locale. */
static int name_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int packs_add_folder(struct packs *packs, const char *path, struct err *err)
{
	struct dirent **files = NULL;
	int             n = scandir(path, &files, is_pack_file, name_order);
	int             r = n < 0 ? err_set(err, "%s: %m", path) :
	                    n == 0 ? err_set(err, "%s: the folder has no *.yaml", path) : 0;

	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s%s%s", path,
		         path[strlen(path) - 1] == '/' ? "" : "/", files[i]->d_name);
		if (r == 0)
			r = packs_add(packs, pack_load(file, err), err);
		free(files[i]);
	}
	free(files);
	return r;
}

static int packs_add_path(struct packs *packs, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, "%s: %m", path);
	if (S_ISDIR(st.st_mode))
		return packs_add_folder(packs, path, err);
	return packs_add(packs, pack_load(path, err), err);
}

int packs_load(struct packs *out, char *const paths[], unsigned n, struct err *err)
{
	int r = 0;

	*out = (struct packs){ .n = 0 };
	for (unsigned i = 0; i < n && r == 0; i++)
		r = packs_add_path(out, paths[i], err);
	if (r == 0 && !packs_find(out, "canary"))
		r = packs_add(out, pack_canary(err), err);
	if (r < 0)
		packs_free(out);
	return r;
}

void packs_free(struct packs *packs)
{
	for (unsigned i = 0; i < packs->n; i++)
		pack_free(packs->v[i]);
	free(packs->v);
	*packs = (struct packs){ .n = 0 };
}

/* ---- a pack's own tests -------------------------------------------------------------------- */

enum outcome { MUST_ALLOW, MUST_MATCH, MUST_NOT_MATCH };

struct tester {
	struct pack   *p;
	struct ruleset rs;
	struct err    *err;
	bool           failed;
};

static void test_names(struct tester *t, const char *list, char *const names[], unsigned n,
                       enum outcome expected)
{
	static const char *const words[] = {
		[MUST_ALLOW] = "comes out allowed by an entry with action allow",
		[MUST_MATCH] = "matches an entry",
		[MUST_NOT_MATCH] = "matches no entry",
	};

	for (unsigned i = 0; i < n; i++) {
		const struct rs_rule *rule;
		struct match          m = { .n = 0 };
		struct name           name;
		enum outcome          got;

		if (name_canonical(&name, span_str(names[i])))
			ruleset_match_name(&t->rs, &name, &m);
		rule = m.n ? &t->rs.rules[m.hits[0].rule] : NULL;
		got = !rule ? MUST_NOT_MATCH : rule->action == ENTRY_ALLOW ? MUST_ALLOW : MUST_MATCH;
		if (got == expected)
			continue;
		t->failed = true;
		yaml_doc_error(t->p->doc, t->err, yaml_doc_line(t->p->doc, "tests.%s[%u]", list, i),
		               "test %s: '%s' %s%s%s%s", list, names[i], words[got],
		               rule ? " ('" : "", rule ? rs_text(&t->rs, rule->id) : "",
		               rule ? "')" : "");
	}
}

static void test_all(struct tester *t)
{
	const struct pack_tests *tests = t->p->tests;

	if (!tests)
		return;
	test_names(t, "allow", tests->allow, tests->n_allow, MUST_ALLOW);
	test_names(t, "match", tests->match, tests->n_match, MUST_MATCH);
	test_names(t, "no_match", tests->no_match, tests->n_no_match, MUST_NOT_MATCH);
}

int pack_test(struct pack *p, struct err *err)
{
	struct tester        t = { .p = p, .err = err };
	struct image_builder b;
	struct image        *img = NULL;

	image_init(&b);
	if (ruleset_build(&b, &p, 1, err) < 0 || ruleset_index(&b, 1, err) < 0) {
		image_fini(&b);
		return -1;
	}
	img = image_finish(&b);
	image_fini(&b);
	if (!img)
		return err_set(err, "%s: out of memory", p->path);
	ruleset_open(&t.rs, img);
	test_all(&t);
	free(img);
	return t.failed ? -1 : 0;
}
