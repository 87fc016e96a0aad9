/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checking a document against a libcyaml schema, with messages that name line, key, value and what is
 * allowed. Stricter than libcyaml where that guesses (booleans, enums as numbers, octal numbers).
 */
#include <errno.h>
#include <inttypes.h>

#include "base/schema.h"
#include "base/yaml_private.h"

#define FIELDS_MAX 64 /* keys of one mapping in a schema */

struct check {
	const struct yaml_doc *d;
	struct err            *err;
	const char            *item; /* "entry 'x': ", the innermost list item with a name; or "" */
	unsigned               problems;
};

typedef struct cyaml_schema_value schema_value;
typedef struct cyaml_schema_field schema_field;

static void check_value(struct check *c, const char *key, const schema_value *s,
                        const yaml_node_t *n);

__attribute__((format(printf, 3, 4))) static void problem(struct check *c, const yaml_node_t *n,
                                                          const char *fmt, ...)
{
	char    text[896];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->problems++;
	yaml_doc_error(c->d, c->err, node_line(n), "%s%s", c->item, text);
}

static const char *text_of(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : "";
}

static void list_add(char *out, size_t size, const char *word)
{
	size_t used = strlen(out);

	snprintf(out + used, size - used, "%s%s", used ? ", " : "", word);
}

/* Would the text control a terminal? Blanks and ends of lines are fine. */
static bool has_control(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if ((*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f ||
		    (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f))
			return true;
	return false;
}

static bool check_scalar(struct check *c, const char *key, const yaml_node_t *n)
{
	if (n->type != YAML_SCALAR_NODE)
		problem(c, n, "%s: must be a single value, not a %s", key,
		        n->type == YAML_MAPPING_NODE ? "mapping" : "list");
	else if (strlen(text_of(n)) != n->data.scalar.length)
		problem(c, n, "%s: contains a NUL character", key);
	else if (has_control(text_of(n)))
		problem(c, n, "%s: contains a control character", key);
	else
		return true;
	return false;
}

static void check_string(struct check *c, const char *key, const schema_value *s,
                         const yaml_node_t *n)
{
	if (!check_scalar(c, key, n))
		return;
	if (n->data.scalar.length < s->string.min)
		problem(c, n, "%s: must not be empty", key);
	else if (n->data.scalar.length > s->string.max)
		problem(c, n, "%s: longer than %u characters", key, s->string.max);
}

static void check_uint(struct check *c, const char *key, const schema_value *s,
                       const yaml_node_t *n)
{
	uint64_t max = s->data_size >= 8 ? UINT64_MAX : (UINT64_C(1) << s->data_size * 8) - 1;
	char    *end;
	uint64_t v;

	if (!check_scalar(c, key, n))
		return;
	errno = 0;
	v = strtoumax(text_of(n), &end, 10);
	if (*end || text_of(n)[0] < '0' || text_of(n)[0] > '9' || errno || v > max)
		problem(c, n, "%s: '%s' is not a number between 0 and %" PRIu64, key, text_of(n), max);
}

/* Strict: libcyaml takes every other word as true. */
static void check_bool(struct check *c, const char *key, const schema_value *s,
                       const yaml_node_t *n)
{
	static const char *const words[] = { "true", "false", "yes", "no" };

	(void)s;
	if (!check_scalar(c, key, n))
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text_of(n), words[i]) == 0)
			return;
	problem(c, n, "%s: '%s' is not one of true, false", key, text_of(n));
}

static void check_enum(struct check *c, const char *key, const schema_value *s,
                       const yaml_node_t *n)
{
	char allowed[512] = "";

	if (!check_scalar(c, key, n))
		return;
	for (uint32_t i = 0; i < s->enumeration.count; i++) {
		if (strcmp(text_of(n), s->enumeration.strings[i].str) == 0)
			return;
		list_add(allowed, sizeof(allowed), s->enumeration.strings[i].str);
	}
	problem(c, n, "%s: '%s' is not one of %s", key, text_of(n), allowed);
}

static void check_ignored(struct check *c, const char *key, const schema_value *s,
                          const yaml_node_t *n)
{
	(void)c, (void)key, (void)s, (void)n;
}

static const schema_field *field_find(const schema_field *fields, const yaml_node_t *key)
{
	for (const schema_field *f = fields; f->key; f++)
		if (is_text(key, f->key, strlen(f->key)))
			return f;
	return NULL;
}

static void unknown_key(struct check *c, const schema_field *fields, const yaml_node_t *key)
{
	char allowed[512] = "";

	for (const schema_field *f = fields; f->key; f++)
		list_add(allowed, sizeof(allowed), f->key);
	problem(c, key, "unknown key '%s' (allowed: %s)", text_of(key), allowed);
}

static void check_pair(struct check *c, const schema_field *fields, const yaml_node_pair_t *p,
                       bool seen[FIELDS_MAX])
{
	const yaml_node_t  *key = node_at(c->d, p->key);
	const schema_field *f = field_find(fields, key);

	if (!f) {
		unknown_key(c, fields, key);
	} else if (seen[f - fields]) {
		problem(c, key, "key '%s' is given twice", f->key);
	} else {
		seen[f - fields] = true;
		check_value(c, f->key, &f->value, node_at(c->d, p->value));
	}
}

static void check_mapping(struct check *c, const char *key, const schema_value *s,
                          const yaml_node_t *n)
{
	const schema_field *fields = s->mapping.fields;
	bool                seen[FIELDS_MAX] = { false };

	if (n->type != YAML_MAPPING_NODE) {
		problem(c, n, "%s: must be a mapping (key: value)", key);
		return;
	}
	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
	     p < n->data.mapping.pairs.top; p++)
		check_pair(c, fields, p, seen);
	for (const schema_field *f = fields; f->key; f++)
		if (!seen[f - fields] && !(f->value.flags & CYAML_FLAG_OPTIONAL))
			problem(c, n, "missing key '%s'", f->key);
}

/* "entries", item 3 with an id or a name -> "entry 'x': " */
static void item_text(const struct check *c, const char *key, const yaml_node_t *n, unsigned i,
                      char *out, size_t size)
{
	static const char *const by[] = { "id", "name", "cidr" };
	size_t                   len = strlen(key);
	bool                     ies = len > 3 && strcmp(key + len - 3, "ies") == 0;
	bool                     s = len > 0 && key[len - 1] == 's';
	int                      stem = (int)(ies ? len - 3 : len - s);

	for (size_t k = 0; k < sizeof(by) / sizeof(by[0]); k++) {
		const yaml_node_t *id = child_key(c->d, n, by[k], strlen(by[k]));

		if (id && *text_of(id)) {
			snprintf(out, size, "%.*s%s '%.80s': ", stem, key, ies ? "y" : "", text_of(id));
			return;
		}
	}
	snprintf(out, size, "%.*s%s %u: ", stem, key, ies ? "y" : "", i + 1);
}

static void check_item(struct check *c, const char *key, const schema_value *s,
                       const yaml_node_t *n, unsigned i)
{
	const char *outer = c->item;
	char        text[160];

	if (s->type == CYAML_MAPPING) {
		item_text(c, key, n, i, text, sizeof(text));
		c->item = text;
	}
	check_value(c, key, s, n);
	c->item = outer;
}

static void check_sequence(struct check *c, const char *key, const schema_value *s,
                           const yaml_node_t *n)
{
	unsigned count;

	if (n->type != YAML_SEQUENCE_NODE) {
		problem(c, n, "%s: must be a list ([a, b] or one '- a' per line)", key);
		return;
	}
	count = (unsigned)(n->data.sequence.items.top - n->data.sequence.items.start);
	if (count < s->sequence.min)
		problem(c, n, count == 0 ? "%s: must not be empty" : "%s: has too few items", key);
	if (count > s->sequence.max)
		problem(c, n, "%s: has more than %u items", key, s->sequence.max);
	for (unsigned i = 0; i < count; i++)
		check_item(c, key, s->sequence.entry, node_at(c->d, n->data.sequence.items.start[i]),
		           i);
}

static void check_value(struct check *c, const char *key, const schema_value *s,
                        const yaml_node_t *n)
{
	static void (*const checks[CYAML__TYPE_COUNT])(struct check *, const char *,
	                                               const schema_value *, const yaml_node_t *) = {
		[CYAML_UINT] = check_uint,         [CYAML_BOOL] = check_bool,
		[CYAML_ENUM] = check_enum,         [CYAML_STRING] = check_string,
		[CYAML_MAPPING] = check_mapping,   [CYAML_SEQUENCE] = check_sequence,
		[CYAML_IGNORE] = check_ignored,
	};

	if (checks[s->type])
		checks[s->type](c, key, s, n);
}

unsigned yaml_check(const struct yaml_doc *d, const struct cyaml_schema_value *schema, struct err *err)
{
	struct check c = { .d = d, .err = err, .item = "" };

	check_value(&c, "the file", schema, node_at(d, 1));
	return c.problems;
}

bool yaml_check_node(const struct yaml_doc *d, const struct cyaml_schema_value *schema, const yaml_node_t *n)
{
	struct yaml_doc quiet = *d;
	struct err      unused = { .text = "" };
	struct check    c = { .d = &quiet, .err = &unused, .item = "" };

	quiet.say = NULL;
	check_value(&c, "value", schema, n);
	return c.problems == 0;
}
