/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's side of the control socket: JSON lines over a unix stream socket. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parent/ctl_private.h"

enum { ASK_TIMEOUT_S = 60, ANSWER_MAX = 16 << 20 };

int ctl_address(struct sockaddr_un *sa, const char *path, struct err *err)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (snprintf(sa->sun_path, sizeof(sa->sun_path), "%s", path) >= (int)sizeof(sa->sun_path))
		return err_set(err, "control socket: '%s' is too long a path", path);
	return 0;
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
	size_t room = 65536, n = 0;
	char  *text = malloc(room + 1), *grown;

	while (text && n < max) {
		ssize_t r = recv(fd, text + n, room - n, 0);

		if (r <= 0)
			break;
		n += (size_t)r;
		if (memchr(text + n - r, '\n', (size_t)r))
			break;
		if (n < room)
			continue;
		grown = realloc(text, 2 * room + 1);
		if (!grown)
			break;
		text = grown;
		room *= 2;
	}
	if (text)
		text[n] = '\0';
	return text;
}

int ctl_connect(const char *path, struct err *err)
{
	struct sockaddr_un sa;
	int                fd, r;

	if (ctl_address(&sa, path, err) < 0)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	r = -errno;
	err_set(err, "%s: %s (%s)", path, strerror(-r),
	        r == -EACCES ? "only root and the group nfqd may ask" : "is nfqd running?");
	if (fd >= 0)
		close(fd);
	return r;
}

json_t *ctl_talk_within(int fd, const json_t *request, int seconds, struct err *err)
{
	json_t *result;
	char   *line;

	set_timeout(fd, seconds);
	send_line(fd, request);
	line = read_line(fd, ANSWER_MAX);
	result = line ? json_loads(line, 0, NULL) : NULL;
	free(line);
	close(fd);
	if (!result)
		err_set(err, "control socket: no answer");
	return result;
}

json_t *ctl_talk(int fd, const json_t *request, struct err *err)
{
	json_t *result = ctl_talk_within(fd, request, ASK_TIMEOUT_S, err);

	if (result && !json_is_true(json_object_get(result, "ok"))) {
		const char *text = json_string_value(json_object_get(result, "error"));

		err_set(err, "%s", text ? text : "failed");
		json_decref(result);
		result = NULL;
	}
	return result;
}

int ctl_beside(const char *control, const char *what, char *out, size_t room)
{
	size_t n = strlen(control);

	if (n > 5 && strcmp(control + n - 5, ".sock") == 0)
		n -= 5;
	return snprintf(out, room, "%.*s-%s.sock", (int)n, control, what) < (int)room ? 0 : -ENAMETOOLONG;
}

json_t *ctl_ask(const char *path, const json_t *request, struct err *err)
{
	int fd = ctl_connect(path, err);

	return fd < 0 ? NULL : ctl_talk(fd, request, err);
}
