/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes the index of a release, and reads whole files. */
#include "rules_index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/regular.h"

#define FORMAT "nfqd rules 1"

bool index_name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t            n = strlen(name);

	return n > 4 && n < sizeof(((struct index_file *)0)->name) && name[0] != '.' &&
	       strspn(name, letters) == n &&
	       (strcmp(name + n - 4, ".txt") == 0 || (n > 5 && strcmp(name + n - 5, ".yaml") == 0));
}

void sha256_hex(const void *data, size_t n, char out[static HEX_SHA256])
{
	struct sha256_ctx sha;
	uint8_t           digest[SHA256_DIGEST_SIZE];

	sha256_init(&sha);
	sha256_update(&sha, n, data);
	sha256_digest(&sha, sizeof(digest), digest);
	for (unsigned i = 0; i < sizeof(digest); i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
}

/* ---- one line ------------------------------------------------------------------------------ */

static int read_number(uint64_t *out, const char *v)
{
	char *end;

	errno = 0;
	*out = strtoumax(v, &end, 10);
	return *v >= '0' && *v <= '9' && *end == '\0' && errno == 0 ? 0 : -1;
}

static int read_seq(struct rules_index *x, const char *v)
{
	return read_number(&x->number, v) == 0 && x->number > 0 ? 0 : -1;
}

static int read_date(struct rules_index *x, const char *v)
{
	return clock_parse(v, &x->date);
}

static int read_expires(struct rules_index *x, const char *v)
{
	return clock_parse(v, &x->expires);
}

static int read_program(struct rules_index *x, const char *v)
{
	return snprintf(x->program, sizeof(x->program), "%s", v) < (int)sizeof(x->program) && *v ? 0 : -1;
}

static int read_key(struct rules_index *x, const char *v)
{
	if (x->n_keys == INDEX_KEYS_MAX)
		return -1;
	return snprintf(x->keys[x->n_keys++], sizeof(x->keys[0]), "%s", v) < (int)sizeof(x->keys[0]) ? 0 : -1;
}

static int read_file_line(struct rules_index *x, const char *v)
{
	struct index_file  f = { .size = 0 };
	struct index_file *more;
	char               size[24], junk;

	if (x->n_files == INDEX_FILES_MAX ||
	    sscanf(v, "%64[0-9a-f] %23[0-9] %127s %39s%c", f.sha256, size, f.name, f.version, &junk) != 4 ||
	    strlen(f.sha256) != HEX_SHA256 - 1 || read_number(&f.size, size) < 0 ||
	    f.size > INDEX_FILE_MAX || !index_name_ok(f.name))
		return -1;
	for (unsigned i = 0; i < x->n_files; i++)
		if (strcmp(x->files[i].name, f.name) == 0)
			return -1;
	more = realloc(x->files, (x->n_files + 1U) * sizeof(*more));
	if (!more)
		return -1;
	x->files = more;
	x->files[x->n_files++] = f;
	return 0;
}

static int read_line(struct rules_index *x, const char *line)
{
	static const struct {
		const char *key;
		int (*read)(struct rules_index *x, const char *value);
	} rows[] = {
		{ "number ", read_seq },      { "date ", read_date }, { "expires ", read_expires },
		{ "program ", read_program }, { "key ", read_key },   { "file ", read_file_line },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strncmp(line, rows[i].key, strlen(rows[i].key)) == 0)
			return rows[i].read(x, line + strlen(rows[i].key));
	return 0; /* from a later version */
}

/* ---- the whole ----------------------------------------------------------------------------- */

int index_parse(const char *text, size_t n, struct rules_index *out, struct err *err)
{
	char    *copy = strndup(text, n), *save, *line;
	unsigned at = 1;
	int      r = copy ? 0 : err_set(err, "out of memory");

	*out = (struct rules_index){ .number = 0 };
	line = copy ? strtok_r(copy, "\n", &save) : NULL;
	if (copy && (!line || strcmp(line, FORMAT) != 0 || strlen(copy) > n))
		r = err_set(err, "the index is not one of this format ('" FORMAT "')");
	while (r == 0 && (line = strtok_r(NULL, "\n", &save)))
		if (at++, read_line(out, line) < 0)
			r = err_set(err, "the index: line %u is damaged: '%.100s'", at, line);
	if (r == 0 && (!out->number || !out->expires || !out->program[0] || !out->n_files))
		r = err_set(err, "the index lacks number, expires, program or files");
	free(copy);
	if (r < 0)
		index_free(out);
	return r;
}

char *index_text(const struct rules_index *x)
{
	char   date[CLOCK_TEXT], expires[CLOCK_TEXT], *text = NULL;
	size_t n = 0;
	FILE  *f = open_memstream(&text, &n);

	if (!f)
		return NULL;
	clock_text_iso(x->date, date);
	clock_text_iso(x->expires, expires);
	fprintf(f, FORMAT "\nnumber %" PRIu64 "\ndate %s\nexpires %s\nprogram %s\n", x->number, date, expires,
	        x->program);
	for (unsigned i = 0; i < x->n_files; i++)
		fprintf(f, "file %s %" PRIu64 " %s %s\n", x->files[i].sha256, x->files[i].size,
		        x->files[i].name, x->files[i].version);
	for (unsigned i = 0; i < x->n_keys; i++)
		fprintf(f, "key %s\n", x->keys[i]);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void index_free(struct rules_index *x)
{
	free(x->files);
	*x = (struct rules_index){ .number = 0 };
}

/* ---- files --------------------------------------------------------------------------------- */

char *index_read_file(const char *path, size_t max, size_t *n, struct err *err)
{
	FILE  *f = regular_fopen(path);
	size_t room = 65536;
	char  *data = f ? malloc(room + 1) : NULL, *more = data;

	*n = 0;
	while (more && *n <= max && !feof(f) && !ferror(f)) {
		if (*n == room && (more = realloc(data, (room *= 2) + 1)))
			data = more;
		if (more)
			*n += fread(data + *n, 1, room - *n, f);
	}
	if (!f || ferror(f))
		err_set(err, "%s: %s", path, regular_error(errno));
	else if (!more)
		err_set(err, "%s: out of memory", path);
	else if (*n > max)
		err_set(err, "%s: larger than %zu bytes", path, max);
	if (f)
		fclose(f);
	if (err->text[0] || !data) {
		free(data);
		return NULL;
	}
	data[*n] = '\0';
	return data;
}

int index_write_file(const char *path, const void *data, size_t n, struct err *err)
{
	char  temporary[4096];
	FILE *f;
	bool  good;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return err_set(err, "%s: the path is too long", path);
	f = fopen(temporary, "we");
	if (!f)
		return err_set(err, "%s: %s", temporary, strerror(errno));
	good = fwrite(data, 1, n, f) == n && fflush(f) == 0 && fsync(fileno(f)) == 0;
	good = fclose(f) == 0 && good && rename(temporary, path) == 0;
	if (!good)
		err_set(err, "%s: %s", path, strerror(errno));
	return good ? 0 : (unlink(temporary), -1);
}
