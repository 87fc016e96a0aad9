/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent's side of the control socket. Every client has one time limit for everything, whatever it
 * sends or reads; several are served at once, so that a slow one delays no other.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parent/ctl_private.h"

enum { REQUEST_MAX = 65536, REQUEST_MS = 2000, ANSWER_MS = 5000, CLIENTS_MAX = 16, CALLER_TEXT = 64 };

struct client {
	struct ctl          *ctl;
	struct poller_source source; /* fd -1: free */
	struct poller_timer  limit;
	char                *text; /* owned: the request so far, then the answer */
	size_t               n, sent;
	bool                 answering;
};

struct ctl {
	struct poller            *poller;
	struct poller_source      listener;
	struct ctl_commands       commands;
	struct ctl_place          place;
	unsigned                  n; /* clients */
	struct client             clients[CLIENTS_MAX];
};

/* ---- answers ------------------------------------------------------------------------------- */

static json_t *failure(const struct err *err)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", err->text);
}

/* The user at the other end, according to the kernel. */
static void caller(int fd, char out[static CALLER_TEXT])
{
	struct ucred         peer = { .uid = (uid_t)-1 };
	socklen_t            len = sizeof(peer);
	const struct passwd *user;

	snprintf(out, CALLER_TEXT, "unknown");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return;
	user = getpwuid(peer.uid);
	if (user)
		snprintf(out, CALLER_TEXT, "%s", user->pw_name);
	else
		snprintf(out, CALLER_TEXT, "uid %u", (unsigned)peer.uid);
}

/* The caller, and for whom it says that it asks: a program that has users of its own. */
static json_t *who(int fd, const json_t *request)
{
	const char *by = json_string_value(json_object_get(request, "on_behalf"));
	char        text[CALLER_TEXT], safe[CALLER_TEXT];

	caller(fd, text);
	if (!by || !*by)
		return json_string(text);
	printable(by, safe, sizeof(safe));
	return json_sprintf("%s for %s", text, safe);
}

static json_t *answer(int fd, const char *line, const struct ctl_commands *c)
{
	struct err  err = { 0 };
	json_t     *request = json_loads(line, 0, NULL);
	const char *word = json_string_value(json_object_get(request, "command"));
	json_t     *result = NULL;

	if (word)
		json_object_set_new(request, "caller", who(fd, request));
	for (unsigned i = 0; word && i < c->n; i++)
		if (strcmp(word, c->v[i].word) == 0) {
			result = c->v[i].run(c->ctx, request, &err);
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

/* ---- one client ---------------------------------------------------------------------------- */

static void end(struct client *c)
{
	struct ctl *ctl = c->ctl;

	poller_unset(ctl->poller, &c->limit);
	poller_forget(ctl->poller, &c->source);
	close(c->source.fd);
	c->source.fd = -1;
	free(c->text);
	c->text = NULL;
	if (ctl->n-- == CLIENTS_MAX && poller_change(ctl->poller, &ctl->listener, EPOLLIN) < 0)
		diag_error("control", "the socket can no longer be watched: %m");
}

static void time_is_up(struct poller_timer *t)
{
	end(t->ctx);
}

/* False when this client is finished. */
static bool send_some(struct client *c)
{
	ssize_t r = send(c->source.fd, c->text + c->sent, c->n - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (r < 0)
		return errno == EAGAIN || errno == EINTR;
	c->sent += (size_t)r;
	return c->sent < c->n;
}

static void begin_answer(struct client *c)
{
	json_t *result;

	c->text[c->n] = '\0';
	result = answer(c->source.fd, c->text, &c->ctl->commands);
	free(c->text);
	c->text = json_dumps(result, JSON_COMPACT);
	json_decref(result);
	c->n = c->text ? strlen(c->text) : 0;
	if (c->n)
		c->text[c->n++] = '\n'; /* where the NUL was */
	c->answering = true;
	poller_set(c->ctl->poller, &c->limit, ANSWER_MS);
	if (!send_some(c) || poller_change(c->ctl->poller, &c->source, EPOLLOUT) < 0)
		end(c);
}

/* A request ends with its newline or when the client closes its side. */
static void read_some(struct client *c)
{
	ssize_t r = recv(c->source.fd, c->text + c->n, REQUEST_MAX - c->n, MSG_DONTWAIT);

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r > 0)
		c->n += (size_t)r;
	if (r <= 0 || c->n == REQUEST_MAX || memchr(c->text + c->n - r, '\n', (size_t)r))
		begin_answer(c);
}

static void on_client(struct poller_source *s)
{
	struct client *c = s->ctx;

	if (!c->answering)
		read_some(c);
	else if (!send_some(c))
		end(c);
}

static void on_listener(struct poller_source *s)
{
	struct ctl    *ctl = s->ctx;
	struct client *c = ctl->clients;
	int            fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	while (c->source.fd >= 0) /* one is free, or the listener would not be watched */
		c++;
	*c = (struct client){ .ctl = ctl, .source = { on_client, c, fd }, .limit = { time_is_up, c, 0, NULL } };
	c->text = malloc(REQUEST_MAX + 1);
	if (!c->text || poller_watch(ctl->poller, &c->source, EPOLLIN) < 0) {
		free(c->text);
		close(fd);
		c->source.fd = -1;
		return;
	}
	poller_set(ctl->poller, &c->limit, REQUEST_MS);
	if (++ctl->n == CLIENTS_MAX && poller_change(ctl->poller, s, 0) < 0)
		diag_warn("control", "%m");
}

/* ---- opening and closing --------------------------------------------------------------------- */

struct ctl *ctl_open(const char *path, const struct ctl_commands *commands, struct poller *poller,
                     struct err *err)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl) {
		err_set(err, "out of memory");
		return NULL;
	}
	ctl->poller = poller;
	ctl->commands = *commands;
	ctl->place = CTL_NO_PLACE;
	ctl->listener = (struct poller_source){ on_listener, ctl, -1 };
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		ctl->clients[i].source.fd = -1;
	if (ctl_place_open(&ctl->place, path, &commands->group, err) == 0) {
		ctl->listener.fd = ctl->place.fd;
		if (poller_watch(poller, &ctl->listener, EPOLLIN) == 0)
			return ctl;
	}
	err_set(err, "control socket %s: %m", path);
	ctl_close(ctl);
	return NULL;
}

void ctl_close(struct ctl *ctl)
{
	if (!ctl)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (ctl->clients[i].source.fd >= 0)
			end(&ctl->clients[i]);
	if (ctl->listener.fd >= 0)
		poller_forget(ctl->poller, &ctl->listener);
	ctl_place_close(&ctl->place);
	free(ctl);
}
