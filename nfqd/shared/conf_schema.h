/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of conf_keys.h as tables: for binding, and for everything else that goes key by key. */
#ifndef NFQD_SHARED_CONF_SCHEMA_H
#define NFQD_SHARED_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_BOOL,
	CONF_WORD,
	CONF_TEXT,
	CONF_NUMBER,
	CONF_SPAN,
	CONF_TEXTS,
	CONF_ITEMS,
	CONF_MAPPING,
	CONF_GROUP,
};

struct cyaml_schema_value;
struct cyaml_strval;

struct conf_key {
	const char    *path;   /* "inspect.queues"; "policies[].name" in the items of a list */
	enum conf_type type;
	bool           item;   /* in the items of a list */
	bool           alone;  /* the section has no defaults: without it the feature is off */
	bool           needed, restart;
	const char    *preset; /* as in the file; NULL: none */
	const char    *text;   /* its line in nfqd.yaml(5) */
	size_t         offset; /* in struct conf; not for items */
	unsigned long  least, most;       /* of numbers */
	const char    *shortest, *longest; /* of times */
	const char    *zero; /* a word that means 0; NULL: none */
	const struct cyaml_strval *words;
	unsigned       n_words;
};

extern const struct conf_key           conf_keys[];
extern const unsigned                  conf_n_keys;
extern const struct cyaml_schema_value conf_schema;
extern const struct cyaml_schema_value conf_own_schema; /* {policies: [...]} */

/* The words that a key may have, "a | b"; "" when any text will do. out is cut to room. */
void conf_key_words(const struct conf_key *k, char *out, size_t room);

#endif
