/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to match/: the parts of a pack's schema that never.yaml has, too. */
#ifndef NFQD_MATCH_PACK_SCHEMA_H
#define NFQD_MATCH_PACK_SCHEMA_H

#include "base/schema.h"

extern const cyaml_schema_value_t pack_text_value;   /* an item of a list of texts */
extern const cyaml_schema_value_t pack_source_value; /* struct pack_source */

#endif
