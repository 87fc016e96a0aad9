/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rule packs: the schema of their YAML files, and loading them. To add a key: a member in pack.h, a row
 * here, and its checks in pack_check.c.
 */
#include "match/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/pack_schema.h"
#include "match/ruleset.h"

/* nfqd/match/canary.S */
extern const char canary_yaml[];
extern const char canary_yaml_end[];

/* ---- the schema ---------------------------------------------------------------------------- */

static const cyaml_strval_t categories[] = { CATEGORIES(SCHEMA_STRVAL) };
static const cyaml_strval_t confidences[] = { CONFIDENCES(SCHEMA_STRVAL) };
static const cyaml_strval_t bases[] = { BASES(SCHEMA_STRVAL) };
static const cyaml_strval_t entry_actions[] = { ENTRY_ACTIONS(SCHEMA_STRVAL) };
static const cyaml_strval_t protections[] = { PROTECTIONS(SCHEMA_STRVAL) };
static const cyaml_strval_t stage_actions[] = { STAGE_ACTIONS(SCHEMA_STRVAL) };

const cyaml_schema_value_t pack_text_value = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1,
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
const cyaml_schema_value_t pack_source_value = { CYAML_VALUE_MAPPING(0, struct pack_source,
	                                                           source_fields) };

static const cyaml_schema_field_t stage_fields[] = {
	SCHEMA_TEXT("id", SCHEMA_NEEDED, struct pack_stage, id),
	SCHEMA_TEXT("from", SCHEMA_NEEDED, struct pack_stage, from),
	SCHEMA_WORD("action", SCHEMA_NEEDED, struct pack_stage, action, stage_actions),
	SCHEMA_LIST("categories", SCHEMA_OPTIONAL, struct pack_stage, categories, &category_value, 1),
	SCHEMA_WORD("basis", SCHEMA_NEEDED, struct pack_stage, basis, bases),
	SCHEMA_TEXT("citation", SCHEMA_OPTIONAL, struct pack_stage, citation),
	SCHEMA_TEXT("profile", SCHEMA_OPTIONAL, struct pack_stage, profile),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t stage_value = { CYAML_VALUE_MAPPING(0, struct pack_stage,
	                                                            stage_fields) };

/* names may be missing: pack_check() requires them or names-file */
static const cyaml_schema_field_t entry_fields[] = {
	SCHEMA_TEXT("id", SCHEMA_NEEDED, struct pack_entry, id),
	SCHEMA_LIST("names", SCHEMA_OPTIONAL, struct pack_entry, names, &pack_text_value, 0),
	SCHEMA_TEXT("names-file", SCHEMA_OPTIONAL, struct pack_entry, names_file),
	SCHEMA_WORD("category", SCHEMA_NEEDED, struct pack_entry, category, categories),
	SCHEMA_LIST("ports", SCHEMA_OPTIONAL, struct pack_entry, ports, &pack_text_value, 0),
	SCHEMA_LIST("products", SCHEMA_OPTIONAL, struct pack_entry, products, &pack_text_value, 0),
	SCHEMA_LIST("sources", SCHEMA_NEEDED, struct pack_entry, sources, &pack_text_value, 1),
	SCHEMA_WORD("confidence", SCHEMA_NEEDED, struct pack_entry, confidence, confidences),
	CYAML_FIELD_BOOL("shared", SCHEMA_OPTIONAL, struct pack_entry, shared),
	SCHEMA_TEXT("side_effect", SCHEMA_NEEDED, struct pack_entry, side_effect),
	SCHEMA_TEXT("remark", SCHEMA_OPTIONAL, struct pack_entry, remark),
	SCHEMA_SOME("action", SCHEMA_OPTIONAL, struct pack_entry, action, entry_actions, 1, ENTRY_N - 1),
	SCHEMA_WORD("protects", SCHEMA_OPTIONAL, struct pack_entry, protects, protections),
	CYAML_FIELD_UINT("sid", SCHEMA_OPTIONAL, struct pack_entry, sid),
	SCHEMA_TEXT("added", SCHEMA_OPTIONAL, struct pack_entry, added),
	SCHEMA_TEXT("reviewed", SCHEMA_OPTIONAL, struct pack_entry, reviewed),
	SCHEMA_TEXT("override", SCHEMA_OPTIONAL, struct pack_entry, override_reason),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t entry_value = { CYAML_VALUE_MAPPING(0, struct pack_entry,
	                                                            entry_fields) };

static const cyaml_schema_field_t net_fields[] = {
	SCHEMA_TEXT("id", SCHEMA_OPTIONAL, struct pack_net, id),
	SCHEMA_TEXT("cidr", SCHEMA_NEEDED, struct pack_net, cidr),
	CYAML_FIELD_UINT("asn", SCHEMA_OPTIONAL, struct pack_net, asn),
	SCHEMA_WORD("category", SCHEMA_NEEDED, struct pack_net, category, categories),
	SCHEMA_LIST("ports", SCHEMA_OPTIONAL, struct pack_net, ports, &pack_text_value, 0),
	SCHEMA_LIST("sources", SCHEMA_NEEDED, struct pack_net, sources, &pack_text_value, 1),
	SCHEMA_WORD("confidence", SCHEMA_NEEDED, struct pack_net, confidence, confidences),
	SCHEMA_SOME("action", SCHEMA_OPTIONAL, struct pack_net, action, entry_actions, 1, ENTRY_N - 1),
	SCHEMA_TEXT("side_effect", SCHEMA_OPTIONAL, struct pack_net, side_effect),
	SCHEMA_TEXT("remark", SCHEMA_OPTIONAL, struct pack_net, remark),
	CYAML_FIELD_UINT("sid", SCHEMA_OPTIONAL, struct pack_net, sid),
	SCHEMA_TEXT("added", SCHEMA_OPTIONAL, struct pack_net, added),
	SCHEMA_TEXT("reviewed", SCHEMA_OPTIONAL, struct pack_net, reviewed),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t net_value = { CYAML_VALUE_MAPPING(0, struct pack_net, net_fields) };

static const cyaml_schema_field_t retired_fields[] = {
	SCHEMA_TEXT("id", SCHEMA_NEEDED, struct pack_retired, id),
	CYAML_FIELD_UINT("sid", SCHEMA_OPTIONAL, struct pack_retired, sid),
	SCHEMA_TEXT("since", SCHEMA_NEEDED, struct pack_retired, since),
	SCHEMA_TEXT("reason", SCHEMA_NEEDED, struct pack_retired, reason),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t retired_value = { CYAML_VALUE_MAPPING(0, struct pack_retired,
	                                                              retired_fields) };

static const cyaml_schema_field_t test_fields[] = {
	SCHEMA_LIST("allow", SCHEMA_OPTIONAL, struct pack_tests, allow, &pack_text_value, 0),
	SCHEMA_LIST("match", SCHEMA_OPTIONAL, struct pack_tests, match, &pack_text_value, 0),
	SCHEMA_LIST("no_match", SCHEMA_OPTIONAL, struct pack_tests, no_match, &pack_text_value, 0),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t pack_fields[] = {
	SCHEMA_TEXT("pack", SCHEMA_NEEDED, struct pack, id),
	SCHEMA_TEXT("vendor", SCHEMA_NEEDED, struct pack, vendor),
	SCHEMA_TEXT("title", SCHEMA_OPTIONAL, struct pack, title),
	SCHEMA_TEXT("version", SCHEMA_NEEDED, struct pack, version),
	SCHEMA_TEXT("expires", SCHEMA_OPTIONAL, struct pack, expires),
	SCHEMA_TEXT("license", SCHEMA_OPTIONAL, struct pack, license),
	SCHEMA_LIST("sources", SCHEMA_NEEDED, struct pack, sources, &pack_source_value, 0),
	SCHEMA_LIST("stages", SCHEMA_NEEDED, struct pack, stages, &stage_value, 0),
	SCHEMA_LIST("entries", SCHEMA_NEEDED, struct pack, entries, &entry_value, 0),
	SCHEMA_LIST("nets", SCHEMA_OPTIONAL, struct pack, nets, &net_value, 0),
	SCHEMA_LIST("retired", SCHEMA_OPTIONAL, struct pack, retired, &retired_value, 0),
	CYAML_FIELD_UINT("sids", SCHEMA_OPTIONAL, struct pack, sids),
	CYAML_FIELD_MAPPING_PTR("tests", SCHEMA_OPTIONAL, struct pack, tests, test_fields),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t pack_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct pack, pack_fields) };

/* ---- loading ------------------------------------------------------------------------------- */

/* As if written in the file, and freed like the rest of it. */
static int pack_name_nets(struct pack *p)
{
	for (unsigned i = 0; i < p->n_nets; i++)
		if (!p->nets[i].id && asprintf(&p->nets[i].id, "net-%s", p->nets[i].cidr) < 0) {
			p->nets[i].id = NULL;
			return -1;
		}
	return 0;
}

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
	if (!p->path || pack_name_nets(p) < 0) {
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
	struct yaml_doc           *doc = yaml_doc_open(path, say, ctx, err);
	const char                *source = doc ? yaml_doc_text(doc, "sources[0].id") : NULL;
	const struct yaml_stand_in stand_ins[] = {
		{ "sources", source }, { "from", "1970-01-01" }, { "since", "1970-01-01" }, { NULL, NULL },
	};

	if (doc && yaml_doc_problems(doc, &pack_schema, err) > 0 &&
	    yaml_doc_repair(doc, &pack_schema, stand_ins) < 0) {
		yaml_doc_free(doc);
		return NULL;
	}
	return pack_bind(doc, path, err);
}

struct pack *pack_take(struct yaml_doc *doc, const char *path, struct err *err)
{
	return pack_checked(pack_bind(doc, path, err), err);
}

struct pack *pack_load(const char *path, struct err *err)
{
	return pack_take(yaml_doc_open(path, NULL, NULL, err), path, err);
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
