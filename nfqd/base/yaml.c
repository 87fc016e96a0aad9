/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsing, checking and binding YAML files. libcyaml keeps no positions after loading and names an
 * unknown key one event early; so the checks for which a person needs a line are made here, on
 * libyaml's own tree, driven by the same schema. What libcyaml finds beyond them is passed on.
 */
#include "base/yaml.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#define DEPTH_MAX  32
#define FIELDS_MAX 64 /* keys of one mapping in a schema */

struct yaml_doc {
	char           *name;
	char           *text;
	size_t          n;
	yaml_document_t tree; /* never changed once parsed */
	bool            parsed;
	yaml_say       *say;
	void           *ctx;
};

int yaml_doc_error(const struct yaml_doc *d, struct err *err, unsigned line, const char *fmt, ...)
{
	struct err one = { .text = "" };
	int        n = snprintf(one.text, sizeof(one.text), "%s:%u: ", d->name, line);
	va_list    ap;

	if (n < 0 || (size_t)n >= sizeof(one.text))
		n = 0;
	va_start(ap, fmt);
	vsnprintf(one.text + n, sizeof(one.text) - (size_t)n, fmt, ap);
	va_end(ap);
	if (d->say)
		d->say(d->ctx, one.text);
	return err_set(err, "%s", one.text);
}

/* ---- reading and parsing ------------------------------------------------------------------- */

static int read_all(int fd, char **text, size_t *n)
{
	size_t room = 0;

	for (;;) {
		ssize_t got;

		if (*n == room) {
			char *more = *n > YAML_FILE_MAX ? NULL : realloc(*text, room = room * 2 + 65536);

			if (!more)
				return *n > YAML_FILE_MAX ? -EFBIG : -ENOMEM;
			*text = more;
		}
		got = read(fd, *text + *n, room - *n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return *n > YAML_FILE_MAX ? -EFBIG : 0;
		*n += got > 0 ? (size_t)got : 0;
	}
}

static int read_file(const char *path, char **text, size_t *n, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : read_all(fd, text, n);

	if (fd >= 0)
		close(fd);
	if (r == -EFBIG)
		return err_set(err, "%s: larger than %u MiB", path, YAML_FILE_MAX >> 20);
	if (r < 0)
		return err_set(err, "%s: %s", path, strerror(-r));
	return 0;
}

/* libyaml gives a line for what it cannot parse, but only an offset for what it cannot decode. */
static unsigned problem_line(const struct yaml_doc *d, const yaml_parser_t *p)
{
	unsigned line = 1;

	if (p->error != YAML_READER_ERROR)
		return (unsigned)p->problem_mark.line + 1;
	for (size_t i = 0; i < p->problem_offset && i < d->n; i++)
		line += d->text[i] == '\n';
	return line;
}

static int parser_error(const struct yaml_doc *d, const yaml_parser_t *p, struct err *err)
{
	return yaml_doc_error(d, err, problem_line(d, p), "not valid YAML: %s%s%s",
	                      p->problem ? p->problem : "out of memory", p->context ? ", " : "",
	                      p->context ? p->context : "");
}

/* What the tree no longer shows: anchors, aliases, depth and further documents. */
static int check_event(const struct yaml_doc *d, const yaml_event_t *e, int *depth, int *docs,
                       struct err *err)
{
	unsigned           line = (unsigned)e->start_mark.line + 1;
	const yaml_char_t *anchor = e->type == YAML_SCALAR_EVENT ? e->data.scalar.anchor :
	                            e->type == YAML_SEQUENCE_START_EVENT ?
	                                                       e->data.sequence_start.anchor :
	                            e->type == YAML_MAPPING_START_EVENT ? e->data.mapping_start.anchor :
	                                                                  NULL;

	if (e->type == YAML_ALIAS_EVENT)
		return yaml_doc_error(d, err, line, "alias '*%s': aliases are not supported (text "
		                      "that begins with '*' needs quotes)",
		                      (const char *)e->data.alias.anchor);
	if (anchor)
		return yaml_doc_error(d, err, line, "anchor '&%s': anchors are not supported (text "
		                      "that begins with '&' needs quotes)",
		                      (const char *)anchor);
	if (e->type == YAML_DOCUMENT_START_EVENT && ++*docs > 1)
		return yaml_doc_error(d, err, line, "a second document: a file holds one");
	*depth += e->type == YAML_SEQUENCE_START_EVENT || e->type == YAML_MAPPING_START_EVENT;
	*depth -= e->type == YAML_SEQUENCE_END_EVENT || e->type == YAML_MAPPING_END_EVENT;
	if (*depth > DEPTH_MAX)
		return yaml_doc_error(d, err, line, "nested more than %d levels deep", DEPTH_MAX);
	return 0;
}

static int check_events(const struct yaml_doc *d, struct err *err)
{
	yaml_parser_t p;
	int           depth = 0, docs = 0, r = 0;
	bool          end = false;

	if (!yaml_parser_initialize(&p))
		return err_set(err, "%s: out of memory", d->name);
	yaml_parser_set_input_string(&p, (const unsigned char *)d->text, d->n);
	while (r == 0 && !end) {
		yaml_event_t e;

		if (!yaml_parser_parse(&p, &e)) {
			r = parser_error(d, &p, err);
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		r = check_event(d, &e, &depth, &docs, err);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
	if (r == 0 && docs == 0)
		r = yaml_doc_error(d, err, 1, "the file is empty");
	return r;
}

static int parse_tree(struct yaml_doc *d, struct err *err)
{
	yaml_parser_t p;
	int           r = 0;

	if (!yaml_parser_initialize(&p))
		return err_set(err, "%s: out of memory", d->name);
	yaml_parser_set_input_string(&p, (const unsigned char *)d->text, d->n);
	if (yaml_parser_load(&p, &d->tree))
		d->parsed = true;
	else
		r = parser_error(d, &p, err);
	yaml_parser_delete(&p);
	return r;
}

/* Takes text. */
static struct yaml_doc *doc_new(const char *name, char *text, size_t n, yaml_say *say, void *ctx,
                                struct err *err)
{
	struct yaml_doc *d = calloc(1, sizeof(*d));

	if (!d || !(d->name = strdup(name))) {
		err_set(err, "%s: out of memory", name);
		free(text);
		free(d);
		return NULL;
	}
	d->text = text;
	d->n = n;
	d->say = say;
	d->ctx = ctx;
	if (check_events(d, err) < 0 || parse_tree(d, err) < 0) {
		yaml_doc_free(d);
		return NULL;
	}
	return d;
}

struct yaml_doc *yaml_doc_open(const char *path, yaml_say *say, void *ctx, struct err *err)
{
	char  *text = NULL;
	size_t n = 0;

	if (read_file(path, &text, &n, err) < 0) {
		if (say)
			say(ctx, err->text);
		free(text);
		return NULL;
	}
	return doc_new(path, text, n, say, ctx, err);
}

struct yaml_doc *yaml_doc_parse(const char *name, const char *text, size_t n, yaml_say *say,
                                void *ctx, struct err *err)
{
	char *copy = malloc(n + 1);

	if (!copy) {
		err_set(err, "%s: out of memory", name);
		return NULL;
	}
	memcpy(copy, text, n);
	return doc_new(name, copy, n, say, ctx, err);
}

void yaml_doc_free(struct yaml_doc *d)
{
	if (!d)
		return;
	if (d->parsed)
		yaml_document_delete(&d->tree);
	free(d->text);
	free(d->name);
	free(d);
}

/* ---- places -------------------------------------------------------------------------------- */

/* libyaml only hands out nodes of a tree that it may change; nothing here changes one. */
static const yaml_node_t *node_at(const struct yaml_doc *d, int index)
{
	return d->tree.nodes.start + index - 1;
}

static bool is_text(const yaml_node_t *n, const char *text, size_t len)
{
	return n->type == YAML_SCALAR_NODE && n->data.scalar.length == len &&
	       memcmp(n->data.scalar.value, text, len) == 0;
}

static unsigned node_line(const yaml_node_t *n)
{
	return (unsigned)n->start_mark.line + 1;
}

static const yaml_node_t *child_key(const struct yaml_doc *d, const yaml_node_t *n, const char *key,
                                    size_t len)
{
	const yaml_node_pair_t *p;

	if (n->type != YAML_MAPPING_NODE)
		return NULL;
	for (p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++)
		if (is_text(node_at(d, p->key), key, len))
			return node_at(d, p->value);
	return NULL;
}

static const yaml_node_t *child_index(const struct yaml_doc *d, const yaml_node_t *n, size_t i)
{
	if (n->type != YAML_SEQUENCE_NODE ||
	    i >= (size_t)(n->data.sequence.items.top - n->data.sequence.items.start))
		return NULL;
	return node_at(d, n->data.sequence.items.start[i]);
}

/* One step of a path; *path moves behind it. */
static const yaml_node_t *child(const struct yaml_doc *d, const yaml_node_t *n, const char **path)
{
	const char *at = *path;
	size_t      len;

	if (*at == '[') {
		char    *end;
		uint64_t i = strtoumax(at + 1, &end, 10);

		*path = *end ? end + 1 : end;
		return child_index(d, n, i);
	}
	at += *at == '.';
	len = strcspn(at, ".[");
	*path = at + len;
	return child_key(d, n, at, len);
}

/* The node at a path, and the last one on the way to it that exists. */
static const yaml_node_t *find(const struct yaml_doc *d, const yaml_node_t **last, const char *fmt,
                               va_list ap)
{
	char               path[256];
	const char        *at = path;
	const yaml_node_t *n = node_at(d, 1);

	vsnprintf(path, sizeof(path), fmt, ap);
	for (*last = n; n && *at; *last = n ? n : *last)
		n = child(d, n, &at);
	return n;
}

unsigned yaml_doc_line(const struct yaml_doc *d, const char *path, ...)
{
	const yaml_node_t *last;
	va_list            ap;

	va_start(ap, path);
	find(d, &last, path, ap);
	va_end(ap);
	return node_line(last);
}

bool yaml_doc_has(const struct yaml_doc *d, const char *path, ...)
{
	const yaml_node_t *last, *n;
	va_list            ap;

	va_start(ap, path);
	n = find(d, &last, path, ap);
	va_end(ap);
	return n != NULL;
}

const char *yaml_doc_text(const struct yaml_doc *d, const char *path, ...)
{
	const yaml_node_t *last, *n;
	va_list            ap;

	va_start(ap, path);
	n = find(d, &last, path, ap);
	va_end(ap);
	return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

unsigned yaml_doc_items(const struct yaml_doc *d, const char *path, ...)
{
	const yaml_node_t *last, *n;
	va_list            ap;

	va_start(ap, path);
	n = find(d, &last, path, ap);
	va_end(ap);
	if (!n || n->type != YAML_SEQUENCE_NODE)
		return 0;
	return (unsigned)(n->data.sequence.items.top - n->data.sequence.items.start);
}

/* ---- checking against a schema ------------------------------------------------------------- */

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

static bool check_scalar(struct check *c, const char *key, const yaml_node_t *n)
{
	if (n->type != YAML_SCALAR_NODE)
		problem(c, n, "%s: must be a single value, not a %s", key,
		        n->type == YAML_MAPPING_NODE ? "mapping" : "list");
	else if (strlen(text_of(n)) != n->data.scalar.length)
		problem(c, n, "%s: contains a NUL character", key);
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
		problem(c, n, "%s: '%s' is no number from 0 to %" PRIu64, key, text_of(n), max);
}

/* Strict: libcyaml takes every other word for true. */
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
	problem(c, n, "%s: '%s' is none of true, false", key, text_of(n));
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
	problem(c, n, "%s: '%s' is none of %s", key, text_of(n), allowed);
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
	int                      stem = (int)(ies ? len - 3 : len > 0 ? len - 1 : 0);

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

/* ---- binding ------------------------------------------------------------------------------- */

static void *mem(void *ctx, void *ptr, size_t size)
{
	(void)ctx;
	if (size > 0)
		return realloc(ptr, size);
	free(ptr);
	return NULL;
}

__attribute__((format(printf, 3, 0))) static void keep_first(cyaml_log_t level, void *ctx,
                                                             const char *fmt, va_list args)
{
	struct err *first = ctx;

	(void)level;
	if (!first->text[0])
		vsnprintf(first->text, sizeof(first->text), fmt, args);
	first->text[strcspn(first->text, "\n")] = '\0';
}

static const cyaml_config_t quiet = {
	.mem_fn = mem,
	.log_level = CYAML_LOG_ERROR,
	.flags = CYAML_CFG_NO_ALIAS,
};

void *yaml_doc_bind(struct yaml_doc *d, const struct cyaml_schema_value *schema, struct err *err)
{
	struct check   c = { .d = d, .err = err, .item = "" };
	struct err     found = { .text = "" };
	cyaml_config_t config = quiet;
	void          *data = NULL;
	cyaml_err_t    r;

	check_value(&c, "the file", schema, node_at(d, 1));
	if (c.problems > 0)
		return NULL;
	config.log_fn = keep_first;
	config.log_ctx = &found;
	r = cyaml_load_data((const uint8_t *)d->text, d->n, &config, schema, &data, NULL);
	if (r != CYAML_OK) {
		yaml_doc_error(d, err, 1, "%s (%s)", cyaml_strerror(r), found.text);
		return NULL;
	}
	if (!data)
		yaml_doc_error(d, err, 1, "the file is empty");
	return data;
}

void yaml_doc_unbind(const struct cyaml_schema_value *schema, void *data)
{
	cyaml_free(&quiet, schema, data, 0);
}
