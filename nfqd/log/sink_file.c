/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records in files: JSON lines, and readable ones. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/outlet.h"
#include "log/sink_private.h"

/* A symbolic link is followed and reported: whatever rotates the log there may overwrite another file. */
static void say_link(const char *path)
{
	char    to[256];
	ssize_t n = readlink(path, to, sizeof(to));

	if (n > 0)
		diag_warn("log", "%s is a symbolic link to %.*s", path, (int)n, to);
}

/* Never blocks: a FIFO that no program reads fails with ENXIO. */
int sink_file_open(const char *path, struct err *err)
{
	int fd;

	if (strcmp(path, "-") == 0) {
		fd = outlet_duplicate(STDOUT_FILENO);
		return fd < 0 ? err_set(err, "log -: standard output: %s", strerror(-fd)) : fd;
	}
	say_link(path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	if (fd < 0)
		err_set(err, "log %s: %s", path,
		        errno == ENXIO ? "no program reads this FIFO" : strerror(errno));
	return fd;
}

static size_t format_eve(const struct record *r, bool colour, char *out, size_t room)
{
	(void)colour;
	return eve_line(r, out, room);
}

static size_t format_text(const struct record *r, bool colour, char *out, size_t room)
{
	enum { TEXT_MAX = 1024 };

	text_line(r, colour, out, room < TEXT_MAX ? (unsigned)room : TEXT_MAX);
	return strlen(out);
}

const struct sink_ops sink_eve = { sink_file_open, format_eve, eve_own_line, false, false };
const struct sink_ops sink_text = { sink_file_open, format_text, NULL, false, false };
