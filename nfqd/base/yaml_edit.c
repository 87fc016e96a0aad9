/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes a parsed document before it is bound: adds defaults, turns old forms into new ones. What the file
 * has keeps its line; what is added has line 1. Also writes a document out again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "base/yaml_private.h"

enum { ONE_LINE_KEYS = 5 };

/* ---- adding -------------------------------------------------------------------------------- */

static int copy_node(yaml_document_t *to, yaml_document_t *from, int index);

static int copy_items(yaml_document_t *to, yaml_document_t *from, const yaml_node_t *n)
{
	int list = yaml_document_add_sequence(to, NULL, n->data.sequence.style);

	for (const yaml_node_item_t *i = n->data.sequence.items.start;
	     list && i < n->data.sequence.items.top; i++) {
		int item = copy_node(to, from, *i);

		if (!item || !yaml_document_append_sequence_item(to, list, item))
			return 0;
	}
	return list;
}

static int copy_pairs(yaml_document_t *to, yaml_document_t *from, const yaml_node_t *n)
{
	int map = yaml_document_add_mapping(to, NULL, n->data.mapping.style);

	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
	     map && p < n->data.mapping.pairs.top; p++) {
		int key = copy_node(to, from, p->key), value = copy_node(to, from, p->value);

		if (!key || !value || !yaml_document_append_mapping_pair(to, map, key, value))
			return 0;
	}
	return map;
}

/* Returns the index of the copy; 0: no memory. Depth is that of a default, which is ours. */
static int copy_node(yaml_document_t *to, yaml_document_t *from, int index)
{
	const yaml_node_t *n = yaml_document_get_node(from, index);

	if (n->type == YAML_SEQUENCE_NODE)
		return copy_items(to, from, n);
	if (n->type == YAML_MAPPING_NODE)
		return copy_pairs(to, from, n);
	return yaml_document_add_scalar(to, NULL, n->data.scalar.value, (int)n->data.scalar.length,
	                                n->data.scalar.style);
}

static int add_text(yaml_document_t *tree, const char *text, size_t n)
{
	return yaml_document_add_scalar(tree, NULL, (const yaml_char_t *)text, (int)n,
	                                YAML_PLAIN_SCALAR_STYLE);
}

/* The index of a node; 0: it is not in the tree. */
static int index_of(const struct yaml_doc *d, const yaml_node_t *n)
{
	return n ? (int)(n - d->tree.nodes.start) + 1 : 0;
}

/* The mapping of a section ("" is the document), made when it is missing; 0: keys cannot stand there. */
static int section(struct yaml_doc *d, const char *name, size_t len)
{
	const yaml_node_t *root = node_at(d, 1), *n;
	int                made, key;

	if (root->type != YAML_MAPPING_NODE)
		return 0;
	n = len ? child_key(d, root, name, len) : root;
	if (n)
		return n->type == YAML_MAPPING_NODE ? index_of(d, n) : 0;
	key = add_text(&d->tree, name, len);
	made = yaml_document_add_mapping(&d->tree, NULL, YAML_BLOCK_MAPPING_STYLE);
	return key && made && yaml_document_append_mapping_pair(&d->tree, 1, key, made) ? made : 0;
}

static int add_value(struct yaml_doc *d, int map, const char *key, const char *value)
{
	yaml_parser_t   p;
	yaml_document_t tree;
	int             name, copy = 0, r = -1;

	if (!yaml_parser_initialize(&p))
		return -1;
	yaml_parser_set_input_string(&p, (const unsigned char *)value, strlen(value));
	if (yaml_parser_load(&p, &tree)) {
		copy = copy_node(&d->tree, &tree, 1);
		yaml_document_delete(&tree);
	}
	yaml_parser_delete(&p);
	name = add_text(&d->tree, key, strlen(key));
	if (copy && name && yaml_document_append_mapping_pair(&d->tree, map, name, copy))
		r = 0;
	return r;
}

int yaml_doc_default(struct yaml_doc *d, const char *path, const char *value, struct err *err)
{
	const char *dot = strrchr(path, '.'), *key = dot ? dot + 1 : path;
	int         map = section(d, path, dot ? (size_t)(dot - path) : 0);

	if (!map || child_key(d, node_at(d, map), key, strlen(key)))
		return 0;
	d->edited = true;
	return add_value(d, map, key, value) < 0 ? err_set(err, "%s: out of memory", d->name) : 0;
}

/* ---- changing ------------------------------------------------------------------------------ */

static int set_text(yaml_node_t *n, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -1;
	free(n->data.scalar.value);
	n->data.scalar.value = (yaml_char_t *)copy;
	n->data.scalar.length = strlen(text);
	return 0;
}

unsigned yaml_doc_rename(struct yaml_doc *d, const char *old, const char *now)
{
	const yaml_node_t *root = node_at(d, 1);

	if (root->type != YAML_MAPPING_NODE)
		return 0;
	for (const yaml_node_pair_t *p = root->data.mapping.pairs.start;
	     p < root->data.mapping.pairs.top; p++) {
		yaml_node_t *key = yaml_document_get_node(&d->tree, p->key);

		if (!is_text(key, old, strlen(old)) || set_text(key, now) < 0)
			continue;
		d->edited = true;
		return node_line(key);
	}
	return 0;
}

int yaml_doc_set(struct yaml_doc *d, const char *list, unsigned i, const char *text)
{
	const yaml_node_t *n = child_key(d, node_at(d, 1), list, strlen(list));
	yaml_node_t       *item;

	if (!n || n->type != YAML_SEQUENCE_NODE ||
	    i >= (size_t)(n->data.sequence.items.top - n->data.sequence.items.start))
		return -1;
	item = yaml_document_get_node(&d->tree, n->data.sequence.items.start[i]);
	d->edited = true;
	return item->type == YAML_SCALAR_NODE ? set_text(item, text) : -1;
}

int yaml_doc_as_list(struct yaml_doc *d, const char *in, const char *key)
{
	const yaml_node_t *map = child_key(d, node_at(d, 1), in, strlen(in)), *value;
	yaml_node_pair_t  *p;
	size_t             at;
	int                list;

	value = map ? child_key(d, map, key, strlen(key)) : NULL;
	if (!value || value->type != YAML_SCALAR_NODE)
		return 0;
	for (p = map->data.mapping.pairs.start; node_at(d, p->value) != value; p++)
		continue;
	at = (size_t)(p - map->data.mapping.pairs.start);
	list = yaml_document_add_sequence(&d->tree, NULL, YAML_FLOW_SEQUENCE_STYLE);
	map = child_key(d, node_at(d, 1), in, strlen(in)); /* adding may have moved the nodes */
	p = map->data.mapping.pairs.start + at;
	if (!list || !yaml_document_append_sequence_item(&d->tree, list, p->value))
		return -1;
	yaml_document_get_node(&d->tree, list)->start_mark = node_at(d, p->value)->start_mark;
	p->value = list;
	d->edited = true;
	return 0;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static bool same_nodes(const struct yaml_doc *a, const yaml_node_t *x, const struct yaml_doc *b,
                       const yaml_node_t *y);

static bool same_items(const struct yaml_doc *a, const yaml_node_t *x, const struct yaml_doc *b,
                       const yaml_node_t *y)
{
	const yaml_node_item_t *i = x->data.sequence.items.start, *k = y->data.sequence.items.start;

	for (; i < x->data.sequence.items.top && k < y->data.sequence.items.top; i++, k++)
		if (!same_nodes(a, node_at(a, *i), b, node_at(b, *k)))
			return false;
	return i == x->data.sequence.items.top && k == y->data.sequence.items.top;
}

static bool same_pairs(const struct yaml_doc *a, const yaml_node_t *x, const struct yaml_doc *b,
                       const yaml_node_t *y)
{
	const yaml_node_pair_t *p = x->data.mapping.pairs.start, *end = x->data.mapping.pairs.top;

	if (end - p != y->data.mapping.pairs.top - y->data.mapping.pairs.start)
		return false;
	for (; p < end; p++) {
		const yaml_node_t *key = node_at(a, p->key);
		const yaml_node_t *other = child_key(b, y, (const char *)key->data.scalar.value,
		                                     key->data.scalar.length);

		if (!other || !same_nodes(a, node_at(a, p->value), b, other))
			return false;
	}
	return true;
}

static bool same_nodes(const struct yaml_doc *a, const yaml_node_t *x, const struct yaml_doc *b,
                       const yaml_node_t *y)
{
	if (x->type != y->type)
		return false;
	if (x->type == YAML_SEQUENCE_NODE)
		return same_items(a, x, b, y);
	if (x->type == YAML_MAPPING_NODE)
		return same_pairs(a, x, b, y);
	return is_text(x, (const char *)y->data.scalar.value, y->data.scalar.length);
}

bool yaml_doc_same(const struct yaml_doc *a, const struct yaml_doc *b, const char *path)
{
	const yaml_node_t *x = yaml_doc_node(a, path), *y = yaml_doc_node(b, path);

	return x && y ? same_nodes(a, x, b, y) : !x && !y;
}

/* ---- writing ------------------------------------------------------------------------------- */

static bool emit_node(yaml_emitter_t *to, const struct yaml_doc *d, const yaml_node_t *n);

static bool emit(yaml_emitter_t *to, yaml_event_t *e, int made)
{
	return made && yaml_emitter_emit(to, e);
}

static bool emit_items(yaml_emitter_t *to, const struct yaml_doc *d, const yaml_node_t *n)
{
	yaml_event_t e;
	bool ok = emit(to, &e, yaml_sequence_start_event_initialize(&e, NULL, NULL, 1,
	                                                            n->data.sequence.style));

	for (const yaml_node_item_t *i = n->data.sequence.items.start;
	     ok && i < n->data.sequence.items.top; i++)
		ok = emit_node(to, d, node_at(d, *i));
	return ok && emit(to, &e, yaml_sequence_end_event_initialize(&e));
}

static bool emit_pairs(yaml_emitter_t *to, const struct yaml_doc *d, const yaml_node_t *n)
{
	yaml_event_t e;
	/* added defaults can make a short line long */
	bool many = n->data.mapping.pairs.top - n->data.mapping.pairs.start > ONE_LINE_KEYS;
	bool ok = emit(to, &e, yaml_mapping_start_event_initialize(
	                               &e, NULL, NULL, 1,
	                               many ? YAML_BLOCK_MAPPING_STYLE : n->data.mapping.style));

	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
	     ok && p < n->data.mapping.pairs.top; p++)
		ok = emit_node(to, d, node_at(d, p->key)) && emit_node(to, d, node_at(d, p->value));
	return ok && emit(to, &e, yaml_mapping_end_event_initialize(&e));
}

static bool emit_node(yaml_emitter_t *to, const struct yaml_doc *d, const yaml_node_t *n)
{
	yaml_event_t e;

	if (n->type == YAML_SEQUENCE_NODE)
		return emit_items(to, d, n);
	if (n->type == YAML_MAPPING_NODE)
		return emit_pairs(to, d, n);
	return emit(to, &e, yaml_scalar_event_initialize(&e, NULL, NULL, n->data.scalar.value,
	                                                 (int)n->data.scalar.length, 1, 1,
	                                                 n->data.scalar.style));
}

static int write_text(void *file, unsigned char *text, size_t n)
{
	return fwrite(text, 1, n, file) == n;
}

static bool emit_doc(yaml_emitter_t *to, const struct yaml_doc *d)
{
	yaml_event_t e;

	return emit(to, &e, yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING)) &&
	       emit(to, &e, yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1)) &&
	       emit_node(to, d, node_at(d, 1)) &&
	       emit(to, &e, yaml_document_end_event_initialize(&e, 1)) &&
	       emit(to, &e, yaml_stream_end_event_initialize(&e));
}

int yaml_doc_write(const struct yaml_doc *d, FILE *f)
{
	yaml_emitter_t to;
	bool           ok;

	if (!yaml_emitter_initialize(&to))
		return -1;
	yaml_emitter_set_output(&to, write_text, f);
	yaml_emitter_set_unicode(&to, 1);
	yaml_emitter_set_width(&to, 100);
	ok = emit_doc(&to, d);
	yaml_emitter_delete(&to);
	return ok ? 0 : -1;
}
