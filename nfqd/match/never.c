/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads never.yaml, and finds the copy that is in force. never_check.c checks packs against it. */
#include "match/never.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "match/names.h"
#include "match/pack_schema.h"

#ifndef NFQD_DATADIR
#define NFQD_DATADIR "/usr/share/nfqd/rules"
#endif

/* nfqd/match/never.S */
extern const char never_yaml[];
extern const char never_yaml_end[];

/* ---- the schema ---------------------------------------------------------------------------- */

static const cyaml_strval_t kinds[] = {
#define X(id, word) { word, NEVER_##id },
	NEVER_KINDS(X)
#undef X
};

static const cyaml_schema_field_t item_fields[] = {
	SCHEMA_TEXT("id", SCHEMA_NEEDED, struct never_item, id),
	SCHEMA_LIST("names", SCHEMA_NEEDED, struct never_item, names, &pack_text_value, 1),
	SCHEMA_WORD("kind", SCHEMA_NEEDED, struct never_item, kind, kinds),
	SCHEMA_TEXT("reason", SCHEMA_NEEDED, struct never_item, reason),
	SCHEMA_LIST("sources", SCHEMA_NEEDED, struct never_item, sources, &pack_text_value, 1),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t item_value = { CYAML_VALUE_MAPPING(0, struct never_item,
	                                                           item_fields) };

static const cyaml_schema_field_t never_fields[] = {
	SCHEMA_TEXT("version", SCHEMA_OPTIONAL, struct never, version),
	SCHEMA_TEXT("license", SCHEMA_OPTIONAL, struct never, license),
	SCHEMA_LIST("sources", SCHEMA_NEEDED, struct never, sources, &pack_source_value, 0),
	CYAML_FIELD_SEQUENCE_COUNT("never", CYAML_FLAG_POINTER, struct never, items, n_items,
	                           &item_value, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t never_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct never,
	                                                             never_fields) };

/* ---- what the schema cannot say ------------------------------------------------------------ */

static bool has_source(const struct never *n, const char *id)
{
	for (unsigned i = 0; i < n->n_sources; i++)
		if (strcmp(n->sources[i].id, id) == 0)
			return true;
	return false;
}

static int check_item(const struct never *n, unsigned i, struct err *err)
{
	const struct never_item *item = &n->items[i];
	struct pattern           p;
	int                      r = 0;

	for (unsigned k = 0; k < i; k++)
		if (strcmp(n->items[k].id, item->id) == 0)
			r = yaml_doc_error(n->doc, err, yaml_doc_line(n->doc, "never[%u].id", i),
			                   "'%s': this id is already used on line %u", item->id,
			                   yaml_doc_line(n->doc, "never[%u].id", k));
	for (unsigned k = 0; k < item->n_names; k++) {
		struct err why = { .text = "" };

		if (pattern_parse(&p, item->names[k], &why) < 0)
			r = yaml_doc_error(n->doc, err, yaml_doc_line(n->doc, "never[%u].names[%u]", i, k),
			                   "'%s': name '%s': %s", item->id, item->names[k], why.text);
	}
	for (unsigned k = 0; k < item->n_sources; k++)
		if (!has_source(n, item->sources[k]))
			r = yaml_doc_error(n->doc, err,
			                   yaml_doc_line(n->doc, "never[%u].sources[%u]", i, k),
			                   "'%s': unknown source '%s'", item->id, item->sources[k]);
	return r;
}

static int check(const struct never *n, struct err *err)
{
	int     r = 0;
	int64_t day;

	for (unsigned i = 0; i < n->n_sources; i++)
		if (n->sources[i].retrieved && clock_parse(n->sources[i].retrieved, &day) < 0)
			r = yaml_doc_error(n->doc, err, yaml_doc_line(n->doc, "sources[%u].retrieved", i),
			                   "source '%s': retrieved: '%s' is not a date", n->sources[i].id,
			                   n->sources[i].retrieved);
	for (unsigned i = 0; i < n->n_items; i++)
		r |= check_item(n, i, err);
	return r;
}

/* ---- its own ruleset ----------------------------------------------------------------------- */

/* Fills one of two packs with the items that are shared zones, or with the others; at: rules so far. */
static void fill(struct never *n, struct pack *p, bool shared, unsigned *at)
{
	for (unsigned i = 0; i < n->n_items; i++) {
		const struct never_item *item = &n->items[i];

		if ((item->kind == NEVER_SHARED) != shared)
			continue;
		p->entries[p->n_entries++] = (struct pack_entry){ .id = item->id,
			                                          .names = item->names,
			                                          .n_names = item->n_names };
		n->item_of[(*at)++] = i;
	}
}

static int index_packs(struct never *n, struct pack *const packs[], struct err *err)
{
	struct image_builder b;
	int                  r;

	image_init(&b);
	r = ruleset_compile(&b, packs, 2, err);
	r = r < 0 ? r : ruleset_index(&b, err);
	n->img = r < 0 ? NULL : image_finish(&b);
	image_fini(&b);
	return n->img ? 0 : err_set(err, "%s: out of memory", n->path);
}

static int build(struct never *n, struct err *err)
{
	struct pack all = { .id = n->path, .path = n->path }, shared = all;
	unsigned    at = 0;
	int         r = -1;

	all.entries = calloc(n->n_items + 1U, sizeof(*all.entries));
	shared.entries = calloc(n->n_items + 1U, sizeof(*shared.entries));
	n->item_of = calloc(n->n_items + 1U, sizeof(*n->item_of));
	if (all.entries && shared.entries && n->item_of) {
		fill(n, &all, false, &at);
		fill(n, &shared, true, &at);
		r = index_packs(n, (struct pack *[]){ &all, &shared }, err);
	} else {
		err_set(err, "%s: out of memory", n->path);
	}
	free(all.entries);
	free(shared.entries);
	return r;
}

/* ---- loading ------------------------------------------------------------------------------- */

bool never_is(const struct yaml_doc *doc)
{
	return yaml_doc_has(doc, "never") && !yaml_doc_has(doc, "pack");
}

/* Takes doc, which may be NULL: err is filled then. */
static struct never *bind(struct yaml_doc *doc, const char *path, struct err *err)
{
	struct never *n = doc ? yaml_doc_bind(doc, &never_schema, err) : NULL;

	if (!n) {
		yaml_doc_free(doc);
		return NULL;
	}
	n->doc = doc;
	n->path = strdup(path);
	if (!n->path)
		err_set(err, "%s: out of memory", path);
	if (!n->path || check(n, err) < 0 || build(n, err) < 0) {
		never_free(n);
		return NULL;
	}
	return n;
}

struct never *never_load(const char *path, pack_say *say, void *ctx, struct err *err)
{
	static const char name[] = NEVER_FILE " (built in)";

	if (path)
		return bind(yaml_doc_open(path, say, ctx, err), path, err);
	return bind(yaml_doc_parse(name, never_yaml, (size_t)(never_yaml_end - never_yaml), say, ctx, err),
	            name, err);
}

/* Writes the path that the list has beside a pack or in a folder of packs. */
static bool beside(const char *path, char *out, size_t room)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	int         n;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		n = snprintf(out, room, "%s/" NEVER_FILE, path);
	else
		n = snprintf(out, room, "%.*s" NEVER_FILE, slash ? (int)(slash - path) + 1 : 0, path);
	return n > 0 && (size_t)n < room && access(out, F_OK) == 0;
}

struct never *never_find(char *const paths[], unsigned n, struct err *err)
{
	static const char installed[] = NFQD_DATADIR "/" NEVER_FILE;
	char              path[4096];

	for (unsigned i = 0; i < n; i++)
		if (beside(paths[i], path, sizeof(path)))
			return never_load(path, NULL, NULL, err);
	return never_load(access(installed, F_OK) == 0 ? installed : NULL, NULL, NULL, err);
}

void never_free(struct never *n)
{
	if (!n)
		return;
	yaml_doc_free(n->doc);
	free(n->path);
	free(n->img);
	free(n->item_of);
	yaml_doc_unbind(&never_schema, n);
}
