/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces a file so that a power cut leaves either the old one or the new one. */
#include "shared/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"

void file_make_folder(const char *path)
{
	char *copy = strdup(path);

	if (copy && mkdir(dirname(copy), 0755) < 0 && errno != EEXIST)
		diag_debug("file", "%s: %m", copy);
	free(copy);
}

int file_beside(const char *path, const char *name, char out[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int         folder = slash ? (int)(slash - path) + 1 : 0;

	return snprintf(out, PATH_MAX, "%.*s%s", folder, path, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int sync_folder(const char *path)
{
	char *copy = strdup(path);
	int   fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int   r = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return r;
}

static int write_whole(const char *path, const json_t *doc)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return -errno;
	errno = ENOSPC; /* a short write sets no errno, and ends the document */
	r = json_dumpfd(doc, fd, JSON_INDENT(2)) < 0 || write(fd, "\n", 1) != 1 || fsync(fd) < 0
	            ? -errno
	            : 0;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

int file_replace_json(const char *path, const json_t *doc)
{
	char fresh[4096];
	int  r;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	r = write_whole(fresh, doc);
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	return r == 0 ? sync_folder(path) : r;
}

/* Is the file that fd has open still the one of that name? */
static bool is_there(const char *path, int fd)
{
	struct stat held, there;

	return fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
	       held.st_dev == there.st_dev;
}

/* A lock file that its holder removed between our open() and our flock() locks nothing: try again. */
static int lock(const char *path)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600), r;

		if (fd < 0)
			return -errno;
		r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
		if (r == 0 && is_there(path, fd))
			return fd;
		close(fd);
		if (r < 0)
			return r;
	}
}

int file_lock(const char *path, const char *what, struct err *err)
{
	char name[4096];
	int  fd = -ENAMETOOLONG;

	if (snprintf(name, sizeof(name), "%s.lock", path) < (int)sizeof(name))
		fd = lock(name);
	if (fd == -EWOULDBLOCK)
		err_set(err, "%s %s: another nfqd uses it", what, path);
	else if (fd < 0)
		err_set(err, "%s %s: its lock %s: %s", what, path, name, strerror(-fd));
	return fd;
}
