/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML files for people: a file is parsed once into a tree that keeps the line of everything, checked
 * against a libcyaml schema with messages that name line, key, value and what is allowed, and only
 * then bound to C structures by libcyaml. Anchors, aliases, duplicate keys and second documents are
 * refused.
 *
 * Places in a document are written as printf formats that give a path: "entries[%u].names[%u]".
 */
#ifndef NFQD_BASE_YAML_H
#define NFQD_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

#define YAML_FILE_MAX (64u << 20)

struct cyaml_schema_value;
struct yaml_doc;

/* Called with every problem of a document; struct err keeps only the first. */
typedef void yaml_say(void *ctx, const char *text);

/* Reads and parses a file, or a text whose name stands in messages. say may be NULL. */
MUST_CHECK struct yaml_doc *yaml_doc_open(const char *path, yaml_say *say, void *ctx,
                                          struct err *err);
MUST_CHECK struct yaml_doc *yaml_doc_parse(const char *name, const char *text, size_t n,
                                           yaml_say *say, void *ctx, struct err *err);
void                        yaml_doc_free(struct yaml_doc *d);

#define YAML_SHA256_TEXT 65 /* with its NUL */
/* The SHA-256 of the text as it was read, in hexadecimal. */
void yaml_doc_sha256(const struct yaml_doc *d, char out[YAML_SHA256_TEXT]);

/* Checks the document, then loads it as the schema says. NULL: err is filled. */
MUST_CHECK void *yaml_doc_bind(struct yaml_doc *d, const struct cyaml_schema_value *schema,
                               struct err *err);
void             yaml_doc_unbind(const struct cyaml_schema_value *schema, void *data);

/* Does the document fit the schema? Says every problem; returns how many. */
unsigned yaml_doc_problems(const struct yaml_doc *d, const struct cyaml_schema_value *schema,
                           struct err *err);
/* What a text of this key that is missing or wrong is taken for; a NULL key ends a list of them. */
struct yaml_stand_in {
	const char *key, *value;
};
/* Makes a document whose problems were said fit the schema: drops what does not, and puts stand-ins where
 * something must be. For looking for more problems, never for use. Returns -1 when that cannot be done. */
MUST_CHECK int yaml_doc_repair(struct yaml_doc *d, const struct cyaml_schema_value *schema,
                               const struct yaml_stand_in *stand_ins);

/* Gives a key ("key" or "section.key") that the document does not have a value, written as YAML. */
MUST_CHECK int yaml_doc_default(struct yaml_doc *d, const char *path, const char *value,
                                struct err *err);
/* Renames a key of the document. Returns its line; 0: the document does not have it. */
unsigned yaml_doc_rename(struct yaml_doc *d, const char *old, const char *now);
/* Replaces the text of an item of a list of the document. */
MUST_CHECK int yaml_doc_set(struct yaml_doc *d, const char *list, unsigned i, const char *text);
/* Where a list may be written as one value alone: makes it a list of that value. */
MUST_CHECK int yaml_doc_as_list(struct yaml_doc *d, const char *section, const char *key);
/* Are two documents equal at a path? */
bool yaml_doc_same(const struct yaml_doc *a, const struct yaml_doc *b, const char *path);
/* Writes the document as YAML. */
MUST_CHECK int yaml_doc_write(const struct yaml_doc *d, FILE *f);

/* Formats `file:line: what`, for err and for say; returns -1. */
__attribute__((format(printf, 4, 5))) int yaml_doc_error(const struct yaml_doc *d, struct err *err,
                                                         unsigned line, const char *fmt, ...);

/* Hands a problem that is not the document's own to say, if there is one. */
void yaml_doc_tell(const struct yaml_doc *d, const char *text);

/* The line of a place; where the path does not exist, that of its last part that does. */
__attribute__((format(printf, 2, 3))) unsigned yaml_doc_line(const struct yaml_doc *d,
                                                             const char *path, ...);
__attribute__((format(printf, 2, 3))) bool yaml_doc_has(const struct yaml_doc *d, const char *path,
                                                        ...);
/* The text of a scalar, borrowed; NULL when there is none at that place. */
__attribute__((format(printf, 2, 3))) const char *yaml_doc_text(const struct yaml_doc *d,
                                                                const char *path, ...);
/* How many items the list at that place has; 0 when it is not a list. */
__attribute__((format(printf, 2, 3))) unsigned yaml_doc_items(const struct yaml_doc *d,
                                                              const char *path, ...);

#endif
