/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The releases that are kept: INTO/NUMBER/, INTO/current -> NUMBER, INTO/highest. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules_update.h"

static int path_of(const struct updater *u, const char *name, char out[static UPDATE_PATH])
{
	return snprintf(out, UPDATE_PATH, "%s/%s", u->into, name) < UPDATE_PATH ? 0 : -1;
}

static int path_of_number(const struct updater *u, uint64_t number, char out[static UPDATE_PATH])
{
	return snprintf(out, UPDATE_PATH, "%s/%" PRIu64, u->into, number) < UPDATE_PATH ? 0 : -1;
}

/* A whole number as text, as folders are called; 0: it is not one. */
static uint64_t number_of_text(const char *text)
{
	if (text[0] < '1' || text[0] > '9' || text[strspn(text, "0123456789")] || strlen(text) > 18)
		return 0;
	return strtoull(text, NULL, 10);
}

int store_open(struct updater *u)
{
	char path[UPDATE_PATH];
	int  fd;

	if (mkdir(u->into, 0755) < 0 && errno != EEXIST)
		return err_set(&u->err, "%s: %s", u->into, strerror(errno));
	if (path_of(u, ".lock", path) < 0)
		return err_set(&u->err, "%s: the path is too long", u->into);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		err_set(&u->err, "%s: %s", path,
		        errno == EWOULDBLOCK ? "another update is running" : strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

uint64_t store_current(const struct updater *u)
{
	char    path[UPDATE_PATH], target[32];
	ssize_t n = path_of(u, "current", path) < 0 ? -1 : readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return 0;
	target[n] = '\0';
	return number_of_text(target);
}

uint64_t store_highest(const struct updater *u)
{
	struct err unused = { .text = "" };
	char       path[UPDATE_PATH];
	uint64_t   highest = store_current(u), seen = 0;
	size_t     n;
	char      *text = path_of(u, "highest", path) < 0 ? NULL : index_read_file(path, 64, &n, &unused);

	if (text) {
		text[strcspn(text, "\n")] = '\0';
		seen = number_of_text(text);
	}
	free(text);
	return seen > highest ? seen : highest;
}

bool store_has(const struct updater *u, uint64_t number)
{
	char path[UPDATE_PATH];

	return path_of_number(u, number, path) == 0 && access(path, F_OK) == 0;
}

/* The largest number of a kept release below this one. */
uint64_t store_before(const struct updater *u, uint64_t number)
{
	DIR           *d = opendir(u->into);
	struct dirent *e;
	uint64_t       found = 0;

	while (d && (e = readdir(d))) {
		uint64_t one = number_of_text(e->d_name);

		if (one < number && one > found)
			found = one;
	}
	if (d)
		closedir(d);
	return found;
}

void store_remove(const char *folder)
{
	DIR           *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(folder);
}

int store_switch(struct updater *u, uint64_t number)
{
	char path[UPDATE_PATH], link[UPDATE_PATH], target[32];

	snprintf(target, sizeof(target), "%" PRIu64, number);
	if (path_of(u, "current", path) < 0 || path_of(u, ".current.new", link) < 0)
		return err_set(&u->err, "%s: the path is too long", u->into);
	unlink(link);
	if (symlink(target, link) < 0 || rename(link, path) < 0)
		return err_set(&u->err, "%s: %s", path, strerror(errno));
	return 0;
}

static int note_highest(struct updater *u, uint64_t number)
{
	char path[UPDATE_PATH], text[32];
	int  n = snprintf(text, sizeof(text), "%" PRIu64 "\n", number);

	if (path_of(u, "highest", path) < 0)
		return err_set(&u->err, "%s: the path is too long", u->into);
	return index_write_file(path, text, (size_t)n, &u->err);
}

/* Drops all but the newest ones and the current one. */
static void prune(const struct updater *u)
{
	uint64_t current = store_current(u), number = UINT64_MAX;
	unsigned kept = 0;
	char     path[UPDATE_PATH];

	while ((number = store_before(u, number)))
		if (kept++ >= UPDATE_KEEP && number != current && path_of_number(u, number, path) == 0)
			store_remove(path);
}

/* The number is written first, so that an older release is refused from then on, whatever happens next. */
int store_commit(struct updater *u)
{
	char path[UPDATE_PATH];

	if (path_of_number(u, u->index.number, path) < 0)
		return err_set(&u->err, "%s: the path is too long", u->into);
	if (note_highest(u, u->index.number) < 0)
		return -1;
	if (store_has(u, u->index.number))
		store_remove(path);
	if (rename(u->staged, path) < 0)
		return err_set(&u->err, "%s: %s", path, strerror(errno));
	if (store_switch(u, u->index.number) < 0)
		return -1;
	prune(u);
	return 0;
}
