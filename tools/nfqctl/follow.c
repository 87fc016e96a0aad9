/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nfqctl.h"

enum { FIRST_LINES = 10, CHUNK = 65536, LINE_LONGEST = 1 << 20 };

static void take_lines(struct follow *f, follow_line *fn, void *ctx)
{
	char *line = f->buf, *end;

	while ((end = memchr(line, '\n', f->used - (size_t)(line - f->buf))) != NULL) {
		fn(ctx, line, (size_t)(end - line));
		line = end + 1;
	}
	f->used -= (size_t)(line - f->buf);
	memmove(f->buf, line, f->used);
}

int follow_more(struct follow *f, follow_line *fn, void *ctx)
{
	ssize_t n;

	for (;;) {
		if (f->used + CHUNK > f->room) {
			char *grown = f->room < LINE_LONGEST ? realloc(f->buf, f->room + (size_t)2 * CHUNK) : NULL;

			if (!grown)
				return -1;
			f->buf = grown;
			f->room += (size_t)2 * CHUNK;
		}
		n = pread(f->fd, f->buf + f->used, CHUNK, f->at);
		if (n <= 0)
			return 0;
		f->at += n;
		f->used += (size_t)n;
		take_lines(f, fn, ctx);
	}
}

static int open_file(struct follow *f)
{
	struct stat st;

	f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
	f->at = 0;
	f->used = 0;
	if (f->fd >= 0 && fstat(f->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(f->fd);
		f->fd = -1;
		errno = EISDIR;
	}
	return f->fd < 0 ? -1 : 0;
}

int follow_open(struct follow *f, const char *path)
{
	*f = (struct follow){ .path = path };
	return open_file(f);
}

void follow_from_last_lines(struct follow *f)
{
	static char bytes[CHUNK * 4];
	off_t       size = lseek(f->fd, 0, SEEK_END), from = size > (off_t)sizeof(bytes) ? size - (off_t)sizeof(bytes) : 0;
	ssize_t     n = pread(f->fd, bytes, sizeof(bytes), from);
	unsigned    lines = 0;

	f->at = from;
	for (ssize_t i = n - 1; i > 0 && f->at == from; i--)
		if (bytes[i - 1] == '\n' && ++lines == FIRST_LINES)
			f->at = from + i;
}

void follow_from_last_bytes(struct follow *f, off_t bytes)
{
	off_t size = lseek(f->fd, 0, SEEK_END);

	f->at = size > bytes ? size - bytes : 0;
}

void follow_again(struct follow *f)
{
	struct stat held, there;

	if (f->fd < 0) {
		(void)!open_file(f);
		return;
	}
	if (fstat(f->fd, &held) < 0)
		return;
	if (held.st_size < f->at) {
		f->at = 0;
		f->used = 0;
	}
	if (stat(f->path, &there) == 0 && (there.st_ino != held.st_ino || there.st_dev != held.st_dev)) {
		close(f->fd);
		(void)!open_file(f);
	}
}

void follow_close(struct follow *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->buf);
}

json_t *follow_record(struct follow_count *c, const char *line, size_t n)
{
	json_t *record = json_loadb(line, n, 0, NULL);

	c->lines += n > 0;
	if (json_is_object(json_object_get(record, "nfqd"))) {
		c->records++;
		return record;
	}
	json_decref(record);
	return NULL;
}

const char *follow_path_of(const json_t *status)
{
	const json_t *output;
	size_t        i;

	json_array_foreach(json_object_get(json_object_get(status, "log"), "outputs"), i, output)
		if (strcmp(text_of(output, "type"), "file") == 0 && strcmp(text_of(output, "path"), "-") != 0)
			return text_of(output, "path");
	return NULL;
}
