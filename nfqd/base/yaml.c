/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsing and binding YAML files. libcyaml keeps no positions after loading and reports an unknown key one
 * event early, so whatever needs a line number is checked first (yaml_check.c), on libyaml's own tree,
 * driven by the same schema. What only libcyaml finds is passed on.
 */
#include "base/yaml.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/regular.h"
#include "base/yaml_private.h"

#define DEPTH_MAX 32

int yaml_doc_error(const struct yaml_doc *d, struct err *err, unsigned line, const char *fmt, ...)
{
	struct err one = { .text = "" };
	va_list    ap;

	va_start(ap, fmt);
	err_vset_at(&one, d->name, line, fmt, ap);
	va_end(ap);
	if (d->say)
		d->say(d->ctx, one.text);
	return err_set(err, "%s", one.text);
}

void yaml_doc_tell(const struct yaml_doc *d, const char *text)
{
	if (d->say)
		d->say(d->ctx, text);
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
	int fd = regular_open(path);
	int r = fd < 0 ? fd : read_all(fd, text, n);

	if (fd >= 0)
		close(fd);
	if (r == -EFBIG)
		return err_set(err, "%s: larger than %u MiB", path, YAML_FILE_MAX >> 20);
	if (r < 0)
		return err_set(err, "%s: %s", path, regular_error(-r));
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
	if (p->context && strstr(p->context, "an alias")) /* *.example.com */
		return yaml_doc_error(d, err, problem_line(d, p), "text that begins with '*' needs quotes: quote it, "
		                      "as in '*.example.com'");
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

void yaml_doc_sha256(const struct yaml_doc *d, char out[YAML_SHA256_TEXT])
{
	struct sha256_ctx sha;
	uint8_t           digest[SHA256_DIGEST_SIZE];

	sha256_init(&sha);
	sha256_update(&sha, d->n, (const uint8_t *)d->text);
	sha256_digest(&sha, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
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

static const yaml_node_t *child_index(const struct yaml_doc *d, const yaml_node_t *n, uint64_t i)
{
	if (n->type != YAML_SEQUENCE_NODE ||
	    i >= (uint64_t)(n->data.sequence.items.top - n->data.sequence.items.start))
		return NULL;
	return node_at(d, n->data.sequence.items.start[i]);
}

/* One step of a path; *path moves past it. */
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

__attribute__((format(printf, 2, 3))) static const yaml_node_t *node_of(const struct yaml_doc *d,
                                                                         const char *path, ...)
{
	const yaml_node_t *last, *n;
	va_list            ap;

	va_start(ap, path);
	n = find(d, &last, path, ap);
	va_end(ap);
	return n;
}

const yaml_node_t *yaml_doc_node(const struct yaml_doc *d, const char *path)
{
	return node_of(d, "%s", path);
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

/* The text that libcyaml gets: the file's, or the tree's when the tree was changed. *made is the
 * caller's to free. */
static const char *text_to_bind(const struct yaml_doc *d, char **made, size_t *n)
{
	FILE *f;
	int   r;

	*n = d->n;
	if (!d->edited)
		return d->text;
	f = open_memstream(made, n);
	if (!f)
		return NULL;
	r = yaml_doc_write(d, f);
	return fclose(f) == 0 && r == 0 ? *made : NULL;
}

unsigned yaml_doc_problems(const struct yaml_doc *d, const struct cyaml_schema_value *schema,
                           struct err *err)
{
	return yaml_check(d, schema, err);
}

void *yaml_doc_bind(struct yaml_doc *d, const struct cyaml_schema_value *schema, struct err *err)
{
	struct err     found = { .text = "" };
	cyaml_config_t config = quiet;
	void          *data = NULL;
	char          *made = NULL;
	const char    *text;
	size_t         n;
	cyaml_err_t    r;

	if (yaml_check(d, schema, err) > 0)
		return NULL;
	text = text_to_bind(d, &made, &n);
	config.log_fn = keep_first;
	config.log_ctx = &found;
	r = text ? cyaml_load_data((const uint8_t *)text, n, &config, schema, &data, NULL) :
	           CYAML_ERR_OOM;
	free(made);
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
