/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests at the control socket, one in a line, as the parent's commands see them: a parent that
 * has rules but no worker and no table. Whatever is asked, the answer is one line of JSON that says
 * ok or not. A reload reads files that the input does not choose, and status asks the kernel: both
 * are left out.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

#include "base/diag.h"
#include "parent/parent_private.h"

static void silent(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token, (void)text;
}

static char folder[] = "/dev/shm/nfqd-fuzz-XXXXXX", state[64], path[64], lock[70];

static void remove_folder(void)
{
	unlink(state);
	unlink(path);
	unlink(lock);
	rmdir(folder);
}

static void make_folder(void)
{
	FUZZ_CHECK(mkdtemp(folder));
	snprintf(state, sizeof(state), "%s/state.json", folder);
	snprintf(path, sizeof(path), "%s/control", folder);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	atexit(remove_folder);
}

/* All commands but reload, with what they need of a parent. */
static unsigned some_commands(struct ctl_command out[static 16])
{
	unsigned n = 0;

	for (unsigned i = 0; i < parent_n_commands && n < 16; i++)
		if (strcmp(parent_commands[i].word, "reload") != 0 &&
		    strcmp(parent_commands[i].word, "status") != 0)
			out[n++] = parent_commands[i];
	return n;
}

static struct parent *the_parent(void)
{
	static struct parent p;
	char                *rules[] = {"rules/kaspersky.yaml"};
	struct err           err = {.text = ""};
	static struct ctl_command rows[16];
	struct ctl_commands  commands = {.v = rows};

	if (p.conf)
		return &p;
	diag_register(silent);
	make_folder();
	p = (struct parent){.worker = -1,
			    .mode = -1,
			    .mode_timer = -1,
			    .signals = -1,
			    .learned = -1,
			    .answer_names = -1,
			    .ask_names = -1};
	p.shared = shared_new(); /* records go there, and nobody reads them */
	p.boot = p.conf = conf_default(rules, 1, &err);
	FUZZ_CHECK(p.conf);
	state_open(&p.state, state);
	p.in.rules = parent_build_rules(&p, p.conf, NULL, &p.img, &err);
	commands.n = some_commands(rows);
	commands.ctx = &p;
	FUZZ_CHECK(poller_open(&p.poller) == 0);
	p.ctl = ctl_open(path, &commands, &p.poller, &err);
	FUZZ_CHECK(p.in.rules >= 0 && p.ctl);
	return &p;
}

static void ask(struct parent *p, struct span line)
{
	struct err         err = {.text = ""};
	int                fd = ctl_connect(path, &err);
	static char        answer[1 << 20];
	size_t             got = 0;
	ssize_t            r;
	json_t            *doc;

	FUZZ_CHECK(fd >= 0 && send(fd, line.p, line.n, 0) == (ssize_t)line.n);
	shutdown(fd, SHUT_WR);
	do {	/* its turns: the connection, the request, the answer piece by piece */
		poller_turn(&p->poller);
		while ((r = recv(fd, answer + got, sizeof(answer) - got, MSG_DONTWAIT)) > 0)
			got += (size_t)r;
	} while (r < 0 && errno == EAGAIN);
	close(fd);
	doc = json_loadb(answer, got, 0, NULL);
	FUZZ_CHECK(got && answer[got - 1] == '\n' && json_is_boolean(json_object_get(doc, "ok")));
	json_decref(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parent *p = the_parent();
	size_t         from = 0;

	for (unsigned lines = 0; from < size && lines < 8; lines++) {
		const uint8_t *end = memchr(data + from, '\n', size - from);
		size_t         n = end ? (size_t)(end - data) - from + 1 : size - from;

		if (n <= 60000)
			ask(p, span_of(data + from, n));
		from += n;
	}
	unlink(state); /* exceptions and mode of one input are none of the next one's */
	state_fini(&p->state);
	state_open(&p->state, state);
	p->mode = -1;
	return 0;
}
