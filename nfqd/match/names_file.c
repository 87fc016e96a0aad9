/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain file of names beside a pack (`names-file:` of an entry): one name per line, as under `names`;
 * '#' begins a comment. Read line by line: a million names need no more memory than one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/regular.h"
#include "match/pack.h"

#define LINE_MAX_TEXT 1024 /* the longest pattern, and a comment after it */

bool pack_names_file_ok(const struct pack_entry *e)
{
	return !strchr(e->names_file, '/') && strcmp(e->names_file, ".") != 0 &&
	       strcmp(e->names_file, "..") != 0;
}

int pack_names_path(const struct pack *p, const struct pack_entry *e, char *out, size_t room)
{
	const char *slash = strrchr(p->path, '/');
	int         folder = slash ? (int)(slash - p->path) + 1 : 0;

	return snprintf(out, room, "%.*s%s", folder, p->path, e->names_file) < (int)room ? 0 : -1;
}

/* Removes the comment and the blanks at both ends. */
static char *trim(char *line)
{
	char  *begin = line + strspn(line, " \t");
	size_t n = strcspn(begin, "#\r\n");

	while (n > 0 && (begin[n - 1] == ' ' || begin[n - 1] == '\t'))
		n--;
	begin[n] = '\0';
	return begin;
}

static int each_line(FILE *f, const char *path, names_file_line *each, void *ctx, struct err *err)
{
	char     line[LINE_MAX_TEXT];
	unsigned at = 0;
	int      r = 0;

	while (r >= 0 && fgets(line, sizeof(line), f)) {
		const char *name;

		at++;
		if (!strchr(line, '\n') && !feof(f))
			return err_set(err, "%s:%u: a line longer than %d characters, or with a NUL", path,
			               at, LINE_MAX_TEXT - 2);
		name = trim(line);
		if (*name)
			r = each(ctx, name, path, at);
	}
	if (r >= 0 && ferror(f))
		return err_set(err, "%s: %s", path, strerror(errno));
	return r;
}

int pack_names_file(const struct pack *p, const struct pack_entry *e, names_file_line *each, void *ctx,
                    struct err *err)
{
	char  path[4096];
	FILE *f;
	int   r;

	if (pack_names_path(p, e, path, sizeof(path)) < 0)
		return err_set(err, "%s: entry '%s': names-file: the path is too long", p->path, e->id);
	f = regular_fopen(path);
	if (!f)
		return err_set(err, "%s: %s (names-file of entry '%s' in %s)", path, regular_error(errno),
		               e->id, p->path);
	r = each_line(f, path, each, ctx, err);
	fclose(f);
	return r;
}
