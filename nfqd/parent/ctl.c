/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON lines over a unix stream socket, both sides. */
#include "parent/ctl.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_MAX = 65536, SERVE_TIMEOUT_S = 2, ASK_TIMEOUT_S = 60 };

static int address(struct sockaddr_un *sa, const char *path, struct err *err)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (snprintf(sa->sun_path, sizeof(sa->sun_path), "%s", path) >= (int)sizeof(sa->sun_path))
		return err_set(err, "control socket: '%s' is too long a path", path);
	return 0;
}

int ctl_open(const char *path, struct err *err)
{
	const struct group *group = getgrnam("nfqd");
	struct sockaddr_un  sa;
	mode_t              mask;
	int                 fd, r;

	if (address(&sa, path, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(path); /* a killed run's: the queue is ours, so nobody listens there */
	mask = umask(0177);
	r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (r == 0 && group && chown(path, 0, group->gr_gid) == 0)
		r = chmod(path, 0660);
	if (r == 0)
		r = listen(fd, 16);
	if (r == 0)
		return fd;
	err_set(err, "control socket %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static void set_timeout(int fd, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static bool send_line(int fd, const json_t *doc)
{
	char  *text = json_dumps(doc, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0, sent = 0;

	if (text)
		text[n++] = '\n'; /* where the NUL was */
	while (sent < n) {
		ssize_t r = send(fd, text + sent, n - sent, MSG_NOSIGNAL);

		if (r <= 0)
			break;
		sent += (size_t)r;
	}
	free(text);
	return n && sent == n;
}

/* Reads up to the newline or the end. Returns a malloc()ed text or NULL. */
static char *read_line(int fd, size_t max)
{
	char  *text = malloc(max + 1);
	size_t n = 0;

	while (text && n < max) {
		ssize_t r = recv(fd, text + n, max - n, 0);

		if (r <= 0)
			break;
		n += (size_t)r;
		if (memchr(text + n - r, '\n', (size_t)r))
			break;
	}
	if (text)
		text[n] = '\0';
	return text;
}

static json_t *failure(const struct err *err)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", err->text);
}

/* Who is at the other end, as the kernel knows him. */
static json_t *caller(int fd)
{
	struct ucred         peer = { .uid = (uid_t)-1 };
	socklen_t            len = sizeof(peer);
	const struct passwd *user;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return json_string("unknown");
	user = getpwuid(peer.uid);
	return user ? json_string(user->pw_name) : json_sprintf("uid %u", (unsigned)peer.uid);
}

static json_t *answer(int fd, const char *line, const struct ctl_command *commands, unsigned n,
                      void *ctx)
{
	struct err  err = { 0 };
	json_t     *request = line ? json_loads(line, 0, NULL) : NULL;
	const char *word = json_string_value(json_object_get(request, "command"));
	json_t     *result = NULL;

	if (word)
		json_object_set_new(request, "caller", caller(fd));
	for (unsigned i = 0; word && i < n; i++)
		if (strcmp(word, commands[i].word) == 0) {
			result = commands[i].run(ctx, request, &err);
			goto out;
		}
	err_set(&err, "no such command: '%s'", word ? word : "");
out:
	json_decref(request);
	if (!result)
		return failure(&err);
	json_object_set_new(result, "ok", json_true());
	return result;
}

void ctl_serve(int listener, const struct ctl_command *commands, unsigned n, void *ctx)
{
	int     fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char   *line;
	json_t *result;

	if (fd < 0)
		return;
	set_timeout(fd, SERVE_TIMEOUT_S);
	line = read_line(fd, REQUEST_MAX);
	result = answer(fd, line, commands, n, ctx);
	send_line(fd, result);
	json_decref(result);
	free(line);
	close(fd);
}

int ctl_connect(const char *path, struct err *err)
{
	struct sockaddr_un sa;
	int                fd;

	if (address(&sa, path, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	err_set(err, "%s: %s (is nfqd running?)", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

json_t *ctl_talk(int fd, const json_t *request, struct err *err)
{
	json_t *result;
	char   *line;

	set_timeout(fd, ASK_TIMEOUT_S);
	send_line(fd, request);
	line = read_line(fd, 16U << 20);
	result = line ? json_loads(line, 0, NULL) : NULL;
	free(line);
	close(fd);
	if (!result) {
		err_set(err, "control socket: no answer");
	} else if (!json_is_true(json_object_get(result, "ok"))) {
		const char *text = json_string_value(json_object_get(result, "error"));

		err_set(err, "%s", text ? text : "failed");
		json_decref(result);
		result = NULL;
	}
	return result;
}

json_t *ctl_ask(const char *path, const json_t *request, struct err *err)
{
	int fd = ctl_connect(path, err);

	return fd < 0 ? NULL : ctl_talk(fd, request, err);
}
