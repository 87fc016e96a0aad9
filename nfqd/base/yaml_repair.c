/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a document fit its schema, so that what is wrong in one place does not hide what is wrong in
 * others: what does not fit is taken out, and what must be there gets a stand-in. Only for a program that
 * has said every problem already and loads the document to look for more; never for a daemon.
 *
 * Nodes are named by index: adding one may move them all.
 */
#include <stdio.h>
#include <string.h>

#include "base/schema.h"
#include "base/yaml_private.h"

struct repair {
	struct yaml_doc            *d;
	const struct yaml_stand_in *stand_ins;
	unsigned                    made; /* stand-ins, so that no two are alike */
};

typedef struct cyaml_schema_value schema_value;
typedef struct cyaml_schema_field schema_field;

/* Returns false when the node cannot be made to fit: its place needs another, or none. */
static bool repair_value(struct repair *r, const schema_value *s, int node);

static yaml_node_t *node(struct repair *r, int index)
{
	return yaml_document_get_node(&r->d->tree, index);
}

/* ---- stand-ins ----------------------------------------------------------------------------- */

static int add_scalar(struct repair *r, const char *text)
{
	return yaml_document_add_scalar(&r->d->tree, NULL, (const yaml_char_t *)text, (int)strlen(text),
	                                YAML_PLAIN_SCALAR_STYLE);
}

static int add_list_of(struct repair *r, int item)
{
	int list = yaml_document_add_sequence(&r->d->tree, NULL, YAML_FLOW_SEQUENCE_STYLE);

	if (list && item && !yaml_document_append_sequence_item(&r->d->tree, list, item))
		return 0;
	return list;
}

/* A value of the right type; a mapping's keys are filled in by repair_value(). */
static int stand_in(struct repair *r, const char *key, const schema_value *s)
{
	const struct yaml_stand_in *known = r->stand_ins;
	char                        text[32];

	while (known->key && strcmp(known->key, key) != 0)
		known++;
	if (s->type == CYAML_MAPPING)
		return yaml_document_add_mapping(&r->d->tree, NULL, YAML_BLOCK_MAPPING_STYLE);
	if (s->type == CYAML_SEQUENCE)
		return add_list_of(r, s->sequence.min ? stand_in(r, key, s->sequence.entry) : 0);
	if (s->type == CYAML_ENUM)
		return add_scalar(r, s->enumeration.strings[0].str);
	if (s->type == CYAML_UINT || s->type == CYAML_BOOL)
		return add_scalar(r, s->type == CYAML_UINT ? "0" : "false");
	snprintf(text, sizeof(text), "missing-%u", ++r->made);
	return add_scalar(r, known->key && known->value ? known->value : text);
}

/* The stand-in beside the line of what it stands for. */
static int placed(struct repair *r, const char *key, const schema_value *s, int at)
{
	int made = stand_in(r, key, s);

	if (!made)
		return 0;
	node(r, made)->start_mark = node(r, at)->start_mark;
	return repair_value(r, s, made) ? made : 0;
}

/* ---- mappings ------------------------------------------------------------------------------ */

static void drop_pair(yaml_node_t *map, size_t i)
{
	yaml_node_pair_t *start = map->data.mapping.pairs.start, *top = map->data.mapping.pairs.top;

	memmove(start + i, start + i + 1, (size_t)(top - start - (long)i - 1) * sizeof(*start));
	map->data.mapping.pairs.top--;
}

static const schema_field *field_of(struct repair *r, const schema_field *fields, int key)
{
	for (; fields->key; fields++)
		if (is_text(node(r, key), fields->key, strlen(fields->key)))
			return fields;
	return NULL;
}

static bool is_second(struct repair *r, int map, size_t i, const char *key)
{
	for (size_t k = 0; k < i; k++)
		if (is_text(node(r, node(r, map)->data.mapping.pairs.start[k].key), key, strlen(key)))
			return true;
	return false;
}

/* Returns false when the pair is to be dropped. */
static bool repair_pair(struct repair *r, const schema_field *fields, int map, size_t i)
{
	yaml_node_pair_t    pair = node(r, map)->data.mapping.pairs.start[i];
	const schema_field *f = field_of(r, fields, pair.key);
	int                 other;

	if (!f || is_second(r, map, i, f->key))
		return false;
	if (f->value.type == CYAML_SEQUENCE && node(r, pair.value)->type == YAML_SCALAR_NODE) {
		other = add_list_of(r, pair.value); /* a list of one that was written without brackets */
		if (!other)
			return false;
		node(r, other)->start_mark = node(r, pair.value)->start_mark;
		node(r, map)->data.mapping.pairs.start[i].value = pair.value = other;
	}
	if (repair_value(r, &f->value, pair.value))
		return true;
	if (f->value.flags & CYAML_FLAG_OPTIONAL)
		return false;
	other = placed(r, f->key, &f->value, pair.value);
	node(r, map)->data.mapping.pairs.start[i].value = other;
	return other != 0;
}

static bool add_missing(struct repair *r, const schema_field *fields, int map)
{
	for (const schema_field *f = fields; f->key; f++) {
		int key, value;

		if (f->value.flags & CYAML_FLAG_OPTIONAL || child_key(r->d, node(r, map), f->key, strlen(f->key)))
			continue;
		key = add_scalar(r, f->key);
		value = placed(r, f->key, &f->value, map);
		if (!key || !value || !yaml_document_append_mapping_pair(&r->d->tree, map, key, value))
			return false;
	}
	return true;
}

static bool repair_mapping(struct repair *r, const schema_value *s, int map)
{
	size_t i = 0;

	if (node(r, map)->type != YAML_MAPPING_NODE)
		return false;
	while (i < (size_t)(node(r, map)->data.mapping.pairs.top - node(r, map)->data.mapping.pairs.start))
		if (repair_pair(r, s->mapping.fields, map, i))
			i++;
		else
			drop_pair(node(r, map), i);
	return add_missing(r, s->mapping.fields, map);
}

/* ---- lists --------------------------------------------------------------------------------- */

static bool repair_sequence(struct repair *r, const schema_value *s, int list)
{
	size_t i = 0, n;

	if (node(r, list)->type != YAML_SEQUENCE_NODE)
		return false;
	for (;;) {
		yaml_node_item_t *start = node(r, list)->data.sequence.items.start;

		n = (size_t)(node(r, list)->data.sequence.items.top - start);
		if (i >= n)
			break;
		if (repair_value(r, s->sequence.entry, start[i])) {
			i++;
			continue;
		}
		start = node(r, list)->data.sequence.items.start;
		memmove(start + i, start + i + 1, (n - i - 1) * sizeof(*start));
		node(r, list)->data.sequence.items.top--;
	}
	return n >= s->sequence.min && n <= s->sequence.max;
}

static bool repair_value(struct repair *r, const schema_value *s, int at)
{
	if (s->type == CYAML_MAPPING)
		return repair_mapping(r, s, at);
	if (s->type == CYAML_SEQUENCE)
		return repair_sequence(r, s, at);
	return yaml_check_node(r->d, s, node_at(r->d, at));
}

int yaml_doc_repair(struct yaml_doc *d, const struct cyaml_schema_value *schema,
                    const struct yaml_stand_in *stand_ins)
{
	struct repair r = { .d = d, .stand_ins = stand_ins };

	d->edited = true;
	return repair_value(&r, schema, 1) && yaml_check_node(d, schema, node_at(d, 1)) ? 0 : -1;
}
