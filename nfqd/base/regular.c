/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening regular files, and only those, for reading. */
#include "base/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int regular_open(const char *path)
{
	int         fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		r = -ENOTSUP;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

FILE *regular_fopen(const char *path)
{
	int   fd = regular_open(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd < 0)
		errno = -fd;
	else if (!f)
		close(fd);
	return f;
}

const char *regular_error(int error)
{
	return error == ENOTSUP ? REGULAR_WHAT : strerror(error);
}
