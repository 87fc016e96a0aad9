/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing without waiting, whatever kind of file it is. */
#include "base/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int outlet_duplicate(int fd)
{
	struct stat st;
	char        path[32];
	int         own;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (own >= 0)
			return own;
	}
	/* a socket or a file; or /proc is missing, or the other end is gone: outlet_write() polls first */
	own = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return own < 0 ? -errno : own;
}

struct outlet outlet_of(int fd)
{
	struct outlet o = { .fd = fd };
	struct stat   st;
	int           flags = fcntl(fd, F_GETFL);

	if (fstat(fd, &st) < 0)
		return o;
	o.socket = S_ISSOCK(st.st_mode);
	o.look = !o.socket && !S_ISREG(st.st_mode) && flags >= 0 && !(flags & O_NONBLOCK);
	return o;
}

ssize_t outlet_write(const struct outlet *o, const void *bytes, size_t n)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };
	ssize_t       r;

	if (o->look && poll(&p, 1, 0) != 1)
		return -EAGAIN;
	if (o->look && n > PIPE_BUF) /* a pipe that polls as writable has room for that much, pipe(7) */
		n = PIPE_BUF;
	r = o->socket ? send(o->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) : write(o->fd, bytes, n);
	return r < 0 ? -errno : r;
}

void outlet_close(struct outlet *o)
{
	if (o->fd > STDERR_FILENO)
		close(o->fd);
	o->fd = -1;
}
