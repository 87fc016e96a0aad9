/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nfqctl/nfqctl.h"
#include "parent/ctl.h"

enum { LIMIT_S = 5, LINE_MAX = 4 << 20 };

/* An answer that is a failure becomes an error. */
static json_t *checked(json_t *answer, struct err *err)
{
	const char *text = json_string_value(json_object_get(answer, "error"));

	if (!answer || json_is_true(json_object_get(answer, "ok"))) {
		json_object_del(answer, "ok");
		return answer;
	}
	err_set(err, "%s", text ? text : "failed");
	json_decref(answer);
	return NULL;
}

static json_t *ask_path(const char *path, json_t *request, bool *no_daemon, struct err *err)
{
	int     fd = request ? ctl_connect(path, err) : -EINVAL;
	json_t *answer = fd < 0 ? NULL : ctl_talk_within(fd, request, LIMIT_S, err);

	if (!request)
		err_set(err, "not UTF-8");
	if (no_daemon)
		*no_daemon = fd == -ENOENT || fd == -ECONNREFUSED;
	json_decref(request);
	return checked(answer, err);
}

json_t *ask_view(const struct console *c, json_t *request, bool *no_daemon, struct err *err)
{
	return ask_path(c->view_path, request, no_daemon, err);
}

json_t *ask_change(const struct console *c, const struct who *who, json_t *request, struct err *err)
{
	if (who->role == ROLE_OPERATE && c->may_operate) {
		json_object_set_new(request, "on_behalf", json_string(who->user));
		return ask_path(c->control_path, request, NULL, err);
	}
	json_decref(request);
	err_set(err, "this needs the role operate");
	return NULL;
}

json_t *ask_sightings(const struct console *c, json_t *request, struct err *err)
{
	return ask_path(c->sightings_path, request, NULL, err);
}

json_t *ask_status_or_none(const struct console *c, struct err *err)
{
	bool    no_daemon;
	json_t *status = ask_view(c, json_pack("{s:s}", "command", "status"), &no_daemon, err);

	return status || !no_daemon ? status : status_of_no_daemon(err->text);
}

void ask_note_sign_in(const struct console *c, const char *what, const char *user, const char *from)
{
	struct err err = { .text = "" };

	json_decref(ask_view(c, json_pack("{s:s, s:s, s:s, s:s}", "command", "sign-in", "what", what, "user", user, "from", from),
	                     NULL, &err));
}

/* ---- names: a line for each machine, so that never more than one is in memory ---- */

static bool send_request(int fd, json_t *request)
{
	char   *text = json_dumps(request, JSON_COMPACT);
	size_t  n = text ? strlen(text) : 0;
	bool    sent = n > 0 && send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n && send(fd, "\n", 1, MSG_NOSIGNAL) == 1;

	free(text);
	json_decref(request);
	return sent;
}

int ask_names(const struct console *c, json_t *request, ask_names_fn *each, void *ctx, struct err *err)
{
	struct timeval limit = { .tv_sec = LIMIT_S };
	int            fd = ctl_connect(c->sightings_path, err);
	FILE          *f = fd < 0 ? NULL : fdopen(fd, "r");
	char          *line = NULL;
	size_t         room = 0;
	ssize_t        n;
	json_t        *last = NULL;

	if (!f) {
		json_decref(request);
		return err_set(err, "no answer");
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (send_request(fd, request))
		while (!json_object_get(last, "ok") && (n = getline(&line, &room, f)) > 0 && n < LINE_MAX) {
			json_decref(last);
			last = json_loadb(line, (size_t)n, 0, NULL);
			if (json_object_get(last, "machine"))
				each(ctx, json_object_get(last, "machine"), json_object_get(last, "names"));
		}
	free(line);
	fclose(f);
	if (!last || !json_object_get(last, "ok"))
		err_set(err, "the database of machines does not answer");
	last = checked(last, err);
	json_decref(last);
	return err->text[0] ? -1 : 0;
}
