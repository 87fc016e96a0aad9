/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records as JSON lines to a reader's stream socket, such as EveBox's. nfqd reconnects when the reader has closed it.
 * What that reader had received but not read is lost, and nfqd cannot know it.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/sink_private.h"

int sink_connect(const char *path, int type, const char *reader, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int                fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && strlen(path) < sizeof(a.sun_path)) {
		memcpy(a.sun_path, path, strlen(path));
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return fd;
	} else if (fd >= 0) {
		errno = ENAMETOOLONG;
	}
	err_set(err, "log %s: no %s: %s", path, reader, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int sink_open_place(struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? err_set(err, "log: socket: %s", strerror(errno)) : fd;
}

static int open_stream(const char *path, struct err *err)
{
	return sink_connect(path, SOCK_STREAM, "program reads this socket", err);
}

static size_t format(const struct record *r, bool colour, char *out, size_t room)
{
	(void)colour;
	return eve_line(r, out, room);
}

const struct sink_ops sink_unix = { open_stream, format, eve_own_line, false, true };
