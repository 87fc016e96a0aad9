/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a release comes from: a folder, or an https URL by way of nfqd-fetch. */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rules_update.h"

#define URL_MAX 2048

/* The program beside this one, else the one that the path finds. */
static void fetcher(char out[static UPDATE_PATH])
{
	ssize_t n = readlink("/proc/self/exe", out, UPDATE_PATH - 32);
	char   *slash;

	if (n > 0) {
		out[n] = '\0';
		slash = strrchr(out, '/');
		snprintf(slash + 1, 32, "nfqd-fetch");
		if (access(out, X_OK) == 0)
			return;
	}
	snprintf(out, UPDATE_PATH, "nfqd-fetch");
}

static void run_fetcher(const struct updater *u, const char *url, size_t max, int to)
{
	char  program[UPDATE_PATH], limit[32];
	char *argv[] = { program, "--max", limit, (char *)url, NULL, NULL, NULL };

	fetcher(program);
	snprintf(limit, sizeof(limit), "%zu", max);
	if (u->ca) {
		argv[3] = "--ca";
		argv[4] = (char *)u->ca;
		argv[5] = (char *)url;
	}
	if (dup2(to, STDOUT_FILENO) >= 0)
		execvp(program, argv);
	fprintf(stderr, "nfqctl: %s: %s\n", program, strerror(errno));
	_exit(127);
}

/* Reads all that comes, but at most max bytes. NULL: more came, or there is no memory. */
static char *read_pipe(int fd, size_t max, size_t *n)
{
	size_t room = 65536;
	char  *data = malloc(room + 1);

	*n = 0;
	while (data && *n <= max) {
		ssize_t got;

		if (*n == room) {
			char *more = realloc(data, (room *= 2) + 1);

			if (!more)
				break;
			data = more;
		}
		got = read(fd, data + *n, room - *n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			data[*n] = '\0';
			if (got == 0)
				return data;
			break;
		}
		*n += (size_t)got;
	}
	free(data);
	return NULL;
}

static char *fetch_url(struct updater *u, const char *url, size_t max, size_t *n)
{
	int   fds[2], status = 0;
	char *data;
	pid_t pid;

	if (pipe(fds) < 0 || (pid = fork()) < 0) {
		err_set(&u->err, "nfqd-fetch: %s", strerror(errno));
		return NULL;
	}
	if (pid == 0) {
		close(fds[0]);
		run_fetcher(u, url, max, fds[1]);
	}
	close(fds[1]);
	data = read_pipe(fds[0], max, n);
	close(fds[0]);
	if (!data)
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!data || status != 0) {
		free(data);
		err_set(&u->err, "%s: cannot be fetched", url);
		return NULL;
	}
	return data;
}

char *update_fetch(struct updater *u, const char *name, size_t max, size_t *n)
{
	char path[URL_MAX + 128];

	if (strlen(u->from) > URL_MAX) {
		err_set(&u->err, "--from: longer than %d characters", URL_MAX);
		return NULL;
	}
	snprintf(path, sizeof(path), "%s%s%s", u->from, u->from[strlen(u->from) - 1] == '/' ? "" : "/", name);
	if (strncmp(u->from, "https://", 8) == 0)
		return fetch_url(u, path, max, n);
	if (strstr(u->from, "://")) {
		err_set(&u->err, "'%s' is not a folder and does not begin with https://", u->from);
		return NULL;
	}
	return index_read_file(path, max, n, &u->err);
}
