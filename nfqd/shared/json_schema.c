/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the same rows as the check of a file (conf_keys.h, match/pack.c): libcyaml's schema gives the shape, the table of
 * keys what stands in the manual. Values are meant as YAML 1.2 reads them (off is a text, 64 a number).
 */
#include "shared/json_schema.h"

#include <string.h>

#include "base/schema.h"
#include "match/pack.h"
#include "shared/conf_schema.h"

/* Where in a file a value stands, "policies[].name". */
struct place {
	char path[128];
	bool has_keys; /* the rows of conf_keys[] are about this file */
};

static json_t *of_value(const cyaml_schema_value_t *s, const struct place *at);

static const struct conf_key *key_at(const struct place *at)
{
	for (unsigned i = 0; at->has_keys && i < conf_n_keys; i++)
		if (strcmp(conf_keys[i].path, at->path) == 0)
			return &conf_keys[i];
	return NULL;
}

/* Of another key in a mapping, or of the items of a list. */
static struct place inner(const struct place *at, const char *key)
{
	struct place in = { .has_keys = at->has_keys };

	snprintf(in.path, sizeof(in.path), "%.60s%s%.60s", at->path, *key && *at->path ? "." : "", *key ? key : "[]");
	return in;
}

static json_t *of_text(const cyaml_schema_value_t *s)
{
	return json_pack("{s:[s,s,s], s:i, s:I}", "type", "string", "number", "boolean", "minLength", (int)s->string.min,
	                 "maxLength", (json_int_t)s->string.max);
}

static json_t *of_bool(void)
{
	return json_pack("{s:[b,b,s,s]}", "enum", 1, 0, "yes", "no");
}

/* A word of digits may be written as a number. */
static json_t *of_enum(const cyaml_schema_value_t *s)
{
	json_t *words = json_array();

	for (uint32_t i = 0; i < s->enumeration.count; i++) {
		const char *word = s->enumeration.strings[i].str;

		json_array_append_new(words, json_string(word));
		if (strspn(word, "0123456789") == strlen(word))
			json_array_append_new(words, json_integer(word[0] - '0'));
	}
	return json_pack("{s:o}", "enum", words);
}

static json_t *of_uint(const cyaml_schema_value_t *s)
{
	return json_pack("{s:s, s:i, s:I}", "type", "integer", "minimum", 0, "maximum",
	                 (json_int_t)((UINT64_C(1) << s->data_size * 8) - 1));
}

/* Numbers and times have several ways to be written; libcyaml leaves them to conf.c. */
static json_t *of_number(const struct conf_key *k)
{
	json_t *ways = k->type == CONF_SPAN
	                       ? json_pack("[{s:s, s:s}]", "type", "string", "pattern", "^[0-9]{1,9}[smhdw]$")
	                       : json_pack("[{s:s, s:I, s:I}, {s:s, s:s}]", "type", "integer", "minimum",
	                                   (json_int_t)k->least, "maximum", (json_int_t)k->most, "type", "string",
	                                   "pattern", "^([0-9]+|0[xX][0-9a-fA-F]+)$");

	if (k->zero)
		json_array_append_new(ways, json_pack("{s:s}", "const", k->zero));
	return json_pack("{s:o}", "anyOf", ways);
}

static json_t *of_list(const cyaml_schema_value_t *s, const struct place *at)
{
	struct place in = inner(at, "");
	json_t      *list = json_pack("{s:s, s:o, s:i}", "type", "array", "items", of_value(s->sequence.entry, &in), "minItems",
	                              (int)s->sequence.min);

	if (at->has_keys && strcmp(at->path, "inspect.inside") == 0) /* one value may stand alone */
		list = json_pack("{s:[o, o]}", "anyOf", list, of_value(s->sequence.entry, &in));
	return list;
}

static json_t *of_mapping(const cyaml_schema_value_t *s, const struct place *at)
{
	json_t *properties = json_object(), *needed = json_array();

	for (const cyaml_schema_field_t *f = s->mapping.fields; f->key; f++) {
		struct place in = inner(at, f->key);

		json_object_set_new(properties, f->key, of_value(&f->value, &in));
		if (!(f->value.flags & CYAML_FLAG_OPTIONAL))
			json_array_append_new(needed, json_string(f->key));
	}
	return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties, "required", needed,
	                 "additionalProperties", 0);
}

static json_t *of_type(const cyaml_schema_value_t *s, const struct place *at)
{
	switch (s->type) {
	case CYAML_STRING: return of_text(s);
	case CYAML_BOOL: return of_bool();
	case CYAML_ENUM: return of_enum(s);
	case CYAML_UINT: return of_uint(s);
	case CYAML_SEQUENCE: return of_list(s, at);
	case CYAML_MAPPING: return of_mapping(s, at);
	default: return key_at(at) ? of_number(key_at(at)) : json_object();
	}
}

static json_t *of_value(const cyaml_schema_value_t *s, const struct place *at)
{
	const struct conf_key *k = key_at(at);
	json_t                *o = of_type(s, at);

	if (k && *k->text)
		json_object_set_new(o, "description", json_sprintf("%s%s%s", k->text, k->preset ? "; default: " : "",
		                                                    k->preset ? k->preset : ""));
	return o;
}

/* Its former name, which is still read. */
static void add_old_name(json_t *config)
{
	json_t *properties = json_object_get(config, "properties");
	json_t *old = json_deep_copy(json_object_get(properties, "on-fault"));

	json_object_set_new(old, "description", json_string("now called on-fault"));
	json_object_set_new(properties, "on-exception", old);
}

json_t *json_schema(const char *of, struct err *err)
{
	const bool   config = strcmp(of, "config") == 0;
	struct place top = { .path = "", .has_keys = config };
	json_t      *o;

	if (!config && strcmp(of, "pack") != 0)
		return err_set(err, "--schema: '%s' is unknown (allowed: config, pack)", of), NULL;
	o = of_value(config ? &conf_schema : &pack_schema, &top);
	if (!o)
		return err_set(err, "out of memory"), NULL;
	if (config)
		add_old_name(o);
	json_object_set_new(o, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
	json_object_set_new(o, "title", json_string(config ? "nfqd.yaml" : "a rule pack of nfqd"));
	return o;
}
