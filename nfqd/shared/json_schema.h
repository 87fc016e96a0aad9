/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schemas of our YAML files as JSON Schema (draft-07), for editors and other programs. */
#ifndef NFQD_SHARED_JSON_SCHEMA_H
#define NFQD_SHARED_JSON_SCHEMA_H

#include <jansson.h>

#include "base/err.h"

/* Of "config" (nfqd.yaml) or "pack"; NULL with err filled. What it refuses nfqd refuses, too; not the other way round: it
 * cannot say what a name, a date or an address is, nor compare lengths of time. */
json_t *json_schema(const char *of, struct err *err);

#endif
