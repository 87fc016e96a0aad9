/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short forms of the libcyaml schema rows that packs and the configuration are made of. A row is
 * (key in the file, structure, member, ...); a list's count is the member n_<member>.
 */
#ifndef NFQD_BASE_SCHEMA_H
#define NFQD_BASE_SCHEMA_H

#include <cyaml/cyaml.h>

#include "base/yaml.h"

#define SCHEMA_TEXT_MAX 4096
#define SCHEMA_NEEDED   0
#define SCHEMA_OPTIONAL CYAML_FLAG_OPTIONAL

/* A text that is not empty. */
#define SCHEMA_TEXT(key, flags, type, member)                                                      \
	CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, SCHEMA_TEXT_MAX)
/* A row of a vocabulary (base/words.h), as libcyaml wants it. */
#define SCHEMA_STRVAL(id, word, ...) { word, id },
/* One of the words of an array of cyaml_strval_t; SCHEMA_SOME: one of n of them, from the first one on. */
#define SCHEMA_SOME(key, flags, type, member, words, first, n)                                     \
	CYAML_FIELD_ENUM(key, (flags) | CYAML_FLAG_STRICT, type, member, (words) + (first), n)
#define SCHEMA_WORD(key, flags, type, member, words)                                               \
	CYAML_FIELD_ENUM(key, (flags) | CYAML_FLAG_STRICT, type, member, words,                    \
	                 CYAML_ARRAY_LEN(words))
/* A list of at least min items. */
#define SCHEMA_LIST(key, flags, type, member, item, min)                                           \
	CYAML_FIELD_SEQUENCE_COUNT(key, (flags) | CYAML_FLAG_POINTER, type, member, n_##member,    \
	                           item, min, CYAML_UNLIMITED)
/* A mapping whose keys are members of the structure around it. */
#define SCHEMA_GROUP(group, optional, type, rows)                                                  \
	{                                                                                          \
		.key = (group), .data_offset = 0, .value = {                                         \
			CYAML_VALUE_MAPPING(optional, type, rows),                                 \
		},                                                                                 \
	}

#endif
