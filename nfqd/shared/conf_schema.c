/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of conf_keys.h: once as libcyaml's schema, once as a table of keys. */
#include "shared/conf_schema.h"

#include "base/schema.h"
#include "shared/conf_types.h"
#include "shared/shared.h"

/* ---- words --------------------------------------------------------------------------------- */

static const cyaml_strval_t modes[] = { MODES(SCHEMA_STRVAL) };
static const cyaml_strval_t fails[] = { FAILS(SCHEMA_STRVAL) };
static const cyaml_strval_t events[] = { EVENTS(SCHEMA_STRVAL) };
static const cyaml_strval_t offloads[] = { { "hold", OFFLOAD_HOLD },
	                                   { "warn", OFFLOAD_WARN },
	                                   { "refuse-start", OFFLOAD_REFUSE } };
static const cyaml_strval_t marked[] = { { "accept", false }, { "queue", true } };
static const cyaml_strval_t prefilters[] = { { "off", false }, { "bpf", true } };
static const cyaml_strval_t fault_actions[] = { FAULT_ACTIONS(SCHEMA_STRVAL) };
static const cyaml_strval_t actions[] = { ACTIONS(SCHEMA_STRVAL) };
static const cyaml_strval_t dns_styles[] = { DNS_STYLES(SCHEMA_STRVAL) };
static const cyaml_strval_t packets[] = { PACKETS(SCHEMA_STRVAL) };
static const cyaml_strval_t privacies[] = { PRIVACIES(SCHEMA_STRVAL) };
static const cyaml_strval_t dns_versions[] = { DNS_VERSIONS(SCHEMA_STRVAL) };
static const cyaml_strval_t storages[] = { STORAGES(SCHEMA_STRVAL) };
static const cyaml_strval_t output_types[] = { SINKS(SCHEMA_STRVAL) };

static const cyaml_schema_value_t text_value = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1,
	                                                            SCHEMA_TEXT_MAX) };

/* ---- the schema ---------------------------------------------------------------------------- */

/* What the tables' argument P stands for: structure, path, offset in struct conf, and traits. */
#define STRUCT_TOP       struct conf
#define STRUCT_LOG       struct conf
#define STRUCT_INSPECT   struct conf_inspect
#define STRUCT_RESOLVE   struct conf_resolve
#define STRUCT_UPDATE    struct conf_update
#define STRUCT_SIGHTINGS struct conf_sightings
#define STRUCT_POLICY    struct policy_in
#define STRUCT_MATCH     struct policy_in
#define STRUCT_EXCEPTION struct exception_in
#define STRUCT_OUTPUT    struct conf_output

#define UNPACK(...)       __VA_ARGS__
#define CALL(macro, ...)  macro(__VA_ARGS__)

#define FIELD(P, type, key, member, need, limits, ...)                                             \
	CALL(FIELD_##type, key, SCHEMA_##need, STRUCT_##P, member, UNPACK limits),
#define FIELD_BOOL(key, need, S, m, ...)              CYAML_FIELD_BOOL(key, need, S, m)
#define FIELD_WORD(key, need, S, m, words, first, n)  SCHEMA_SOME(key, need, S, m, words, first, n)
#define FIELD_TEXT(key, need, S, m, ...)              SCHEMA_TEXT(key, need, S, m)
#define FIELD_TEXTS(key, need, S, m, least)           SCHEMA_LIST(key, need, S, m, &text_value, least)
#define FIELD_ITEMS(key, need, S, m, type, value)     SCHEMA_LIST(key, need, S, m, &value, 0)
#define FIELD_MAPPING(key, need, S, m, type, fields)  CYAML_FIELD_MAPPING(key, need, S, m, fields)
#define FIELD_GROUP(key, need, S, m, fields)          SCHEMA_GROUP(key, need, S, fields)
/* several ways to write them: conf.c reads them */
#define FIELD_NUMBER(key, need, ...)                  CYAML_FIELD_IGNORE(key, need)
#define FIELD_SPAN(key, need, ...)                    CYAML_FIELD_IGNORE(key, need)

static const cyaml_schema_field_t inspect_fields[] = { CONF_INSPECT(FIELD, INSPECT) CYAML_FIELD_END };
static const cyaml_schema_field_t resolve_fields[] = { CONF_RESOLVE(FIELD, RESOLVE) CYAML_FIELD_END };
static const cyaml_schema_field_t update_fields[] = { CONF_UPDATE(FIELD, UPDATE) CYAML_FIELD_END };
static const cyaml_schema_field_t sightings_fields[] = { CONF_SIGHTINGS(FIELD, SIGHTINGS) CYAML_FIELD_END };
static const cyaml_schema_field_t match_fields[] = { CONF_MATCH(FIELD, MATCH) CYAML_FIELD_END };
static const cyaml_schema_field_t policy_fields[] = { CONF_POLICY(FIELD, POLICY) CYAML_FIELD_END };
static const cyaml_schema_field_t exception_fields[] = {
	CONF_EXCEPTION(FIELD, EXCEPTION) CYAML_FIELD_END
};
static const cyaml_schema_field_t output_fields[] = { CONF_OUTPUT(FIELD, OUTPUT) CYAML_FIELD_END };
static const cyaml_schema_field_t on_fault_fields[] = {
#define X(id, key, text, preset) SCHEMA_WORD(key, SCHEMA_OPTIONAL, struct conf, on_fault[FAULT_##id], fault_actions),
	FAULTS(X)
#undef X
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t policy_value = { CYAML_VALUE_MAPPING(0, struct policy_in,
	                                                               policy_fields) };
static const cyaml_schema_value_t exception_value = { CYAML_VALUE_MAPPING(0, struct exception_in,
	                                                                  exception_fields) };
static const cyaml_schema_value_t output_value = { CYAML_VALUE_MAPPING(0, struct conf_output,
	                                                               output_fields) };
static const cyaml_schema_field_t log_fields[] = { CONF_LOG(FIELD, LOG) CYAML_FIELD_END };
static const cyaml_schema_field_t conf_fields[] = { CONF_TOP(FIELD, TOP) CYAML_FIELD_END };

const cyaml_schema_value_t conf_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct conf,
	                                                       conf_fields) };

struct own {
	struct policy_in *policies;
	unsigned          n_policies;
};
static const cyaml_schema_field_t own_fields[] = {
	SCHEMA_LIST("policies", SCHEMA_OPTIONAL, struct own, policies, &policy_value, 0), CYAML_FIELD_END
};
const cyaml_schema_value_t conf_own_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct own, own_fields) };

/* ---- the keys ------------------------------------------------------------------------------ */

/* path, offset in struct conf, in a list's items?, does the section stand alone? */
#define PLACE_TOP       "", 0, false, false
#define PLACE_LOG       "log.", 0, false, false
#define PLACE_INSPECT   "inspect.", offsetof(struct conf, inspect), false, false
#define PLACE_RESOLVE   "resolve.", offsetof(struct conf, resolve), false, true
#define PLACE_UPDATE    "update.", offsetof(struct conf, update), false, true
#define PLACE_SIGHTINGS "sightings.", offsetof(struct conf, sightings), false, false
#define PLACE_POLICY    "policies[].", 0, true, false
#define PLACE_MATCH     "policies[].match.", 0, true, false
#define PLACE_EXCEPTION "exceptions[].", 0, true, false
#define PLACE_OUTPUT    "log.outputs[].", 0, true, false

#define NEED_NEEDED    true
#define NEED_OPTIONAL  false
#define EFFECT_RESTART true
#define EFFECT_RELOAD  false

#define ROW(P, type, key, member, need, limits, preset, effect, text)                              \
	CALL(ROW_AT, PLACE_##P, type, key, OFFSET_##type(STRUCT_##P, member), need, preset, effect, \
	     text, LIMITS_##type limits)
#define ROW_AT(prefix, base, in_item, stands_alone, kind, key, at, need, value, effect, line, ...)  \
	{ .path = prefix key, .type = CONF_##kind, .item = in_item, .alone = stands_alone,         \
	  .needed = NEED_##need, .restart = EFFECT_##effect, .preset = value, .text = line,        \
	  .offset = (base) + (at), __VA_ARGS__ },
#define OFFSET_BOOL(S, m)    offsetof(S, m)
#define OFFSET_WORD(S, m)    offsetof(S, m)
#define OFFSET_TEXT(S, m)    offsetof(S, m)
#define OFFSET_NUMBER(S, m)  offsetof(S, m)
#define OFFSET_SPAN(S, m)    offsetof(S, m)
#define OFFSET_TEXTS(S, m)   offsetof(S, m)
#define OFFSET_ITEMS(S, m)   offsetof(S, m)
#define OFFSET_MAPPING(S, m) offsetof(S, m)
#define OFFSET_GROUP(S, m)   0

#define LIMITS_BOOL()                  .zero = NULL
#define LIMITS_TEXT()                  .zero = NULL
#define LIMITS_TEXTS(n)                .zero = NULL
#define LIMITS_ITEMS(type, value)      .zero = NULL
#define LIMITS_MAPPING(type, fields)   .zero = NULL
#define LIMITS_GROUP(fields)           .zero = NULL
#define LIMITS_WORD(list, first, n)    .words = (list) + (first), .n_words = (n)
#define LIMITS_SPAN(min, ...)          .shortest = (min), CALL(LIMITS_LONGEST, __VA_ARGS__, NULL, NULL)
#define LIMITS_LONGEST(max, word, ...) .longest = (max), .zero = (word)
#define LIMITS_NUMBER(min, ...)        .least = (min), CALL(LIMITS_MOST, __VA_ARGS__, NULL, NULL)
#define LIMITS_MOST(max, word, ...)    .most = (max), .zero = (word)

const struct conf_key conf_keys[] = {
	CONF_TOP(ROW, TOP) CONF_INSPECT(ROW, INSPECT) CONF_RESOLVE(ROW, RESOLVE)
	CONF_UPDATE(ROW, UPDATE) CONF_SIGHTINGS(ROW, SIGHTINGS)
	CONF_POLICY(ROW, POLICY) CONF_MATCH(ROW, MATCH) CONF_EXCEPTION(ROW, EXCEPTION)
#define X(id, key, title, value)                                                                       \
	{ .path = "on-fault." key, .type = CONF_WORD, .preset = value, .text = title,              \
	  .offset = offsetof(struct conf, on_fault[FAULT_##id]), .words = fault_actions, .n_words = ON_FAULT_N },
	FAULTS(X)
#undef X
	CONF_LOG(ROW, LOG) CONF_OUTPUT(ROW, OUTPUT)
};
const unsigned conf_n_keys = sizeof(conf_keys) / sizeof(conf_keys[0]);

void conf_key_words(const struct conf_key *k, char *out, size_t room)
{
	size_t used = 0;

	snprintf(out, room, "%s", k->type == CONF_BOOL ? "true | false" : "");
	for (unsigned i = 0; i < k->n_words && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%s", i ? " | " : "",
		                         k->words[i].str);
}
