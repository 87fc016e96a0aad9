/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parsed tree behind struct yaml_doc. Private to base/yaml*.c. */
#ifndef NFQD_BASE_YAML_PRIVATE_H
#define NFQD_BASE_YAML_PRIVATE_H

#include <string.h>
#include <yaml.h>

#include "base/yaml.h"

struct yaml_doc {
	char           *name;
	char           *text;
	size_t          n;
	yaml_document_t tree; /* changed by yaml_edit.c and yaml_repair.c only */
	bool            parsed;
	bool            edited; /* the tree is no longer what text says */
	yaml_say       *say;
	void           *ctx;
};

/* libyaml only hands out nodes of a tree that it may change; the two above alone do. */
static inline const yaml_node_t *node_at(const struct yaml_doc *d, int index)
{
	return d->tree.nodes.start + index - 1;
}

static inline bool is_text(const yaml_node_t *n, const char *text, size_t len)
{
	return n->type == YAML_SCALAR_NODE && n->data.scalar.length == len &&
	       memcmp(n->data.scalar.value, text, len) == 0;
}

static inline unsigned node_line(const yaml_node_t *n)
{
	return (unsigned)n->start_mark.line + 1;
}

/* The value of a key; NULL: there is none. */
static inline const yaml_node_t *child_key(const struct yaml_doc *d, const yaml_node_t *n,
                                           const char *key, size_t len)
{
	const yaml_node_pair_t *p;

	if (n->type != YAML_MAPPING_NODE)
		return NULL;
	for (p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++)
		if (is_text(node_at(d, p->key), key, len))
			return node_at(d, p->value);
	return NULL;
}

/* The node at a path; NULL: there is none. */
const yaml_node_t *yaml_doc_node(const struct yaml_doc *d, const char *path);

/* Checks the whole document against a schema; returns how many problems it said. */
unsigned yaml_check(const struct yaml_doc *d, const struct cyaml_schema_value *schema, struct err *err);
/* Does a node fit a schema? Says nothing. */
bool yaml_check_node(const struct yaml_doc *d, const struct cyaml_schema_value *schema, const yaml_node_t *n);

#endif
