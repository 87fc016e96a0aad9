/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts the process that asks resolvers, and leaves it only what it needs. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "parent/parent_private.h"
#include "resolver/resolve.h"

enum { STOP_MS = 1000, RETRY_S = 3 };

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void parent_close_but(int keep[], unsigned n)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(keep, n, sizeof(keep[0]), by_number);
	for (unsigned i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue;
		if (keep[i] > (int)from)
			close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}

static bool is_wanted(const struct parent *p)
{
	return p->boot->client_names || p->conf->resolve.server;
}

void parent_open_resolver(struct parent *p)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	p->answer_names = fds[0];
	p->ask_names = fds[1];
	p->in.ask_name = p->boot->client_names ? p->ask_names : -1;
	if (getrandom(&p->shared->hosts.seed, sizeof(uint64_t), 0) < 0)
		diag_debug("resolver", "no random seed");
}

static void become_resolver(const struct parent *p)
{
	const struct conf_resolve *r = &p->conf->resolve;
	struct resolver_in in = { .hosts = &p->shared->hosts, .ask = p->answer_names,
		                  .priority = p->tokens.own,
		                  .empty_folder = EMPTY_FOLDER,
		                  .diag_lost = &p->shared->diag_lost[PROCESS_RESOLVER],
		                  .beats = &p->shared->resolver_beats, .server = r->server,
		                  .interval = r->interval, .jitter = r->jitter, .rules = p->img,
		                  .watch = &p->shared->watch, .learned = p->learned };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	parent_close_but((int[]){ in.ask, in.learned }, 2);
	_exit(resolver_main(&in));
}

/* The resolver exits when the last writer closes the pipe, and when the next resolver takes its place. */
void parent_start_resolver(struct parent *p)
{
	pid_t before = p->resolver;

	if (p->answer_names < 0 || (before > 0 && !p->conf->resolve.server && !p->resolving))
		return;
	p->resolving = p->conf->resolve.server;
	p->resolver_pulse.still = 0;
	p->resolver = is_wanted(p) ? fork() : 0;
	if (p->resolver == 0 && is_wanted(p))
		become_resolver(p);
	if (p->resolver < 0) {
		diag_error("resolver", "fork: %m; the next try is in %d s", RETRY_S);
		poller_set(&p->poller, &p->resolver_due, RETRY_S * UINT64_C(1000));
	}
	if (before > 0)
		kill(before, SIGTERM);
}

void parent_stop_resolver(struct parent *p)
{
	uint64_t end = poller_ms() + STOP_MS;

	if (p->ask_names >= 0)
		close(p->ask_names); /* the worker has ended: this was the pipe's last writer */
	while (p->resolver > 0 && waitpid(p->resolver, NULL, WNOHANG) == 0 && poller_ms() < end + UINT64_C(2) * STOP_MS) {
		if (poller_ms() > end)
			kill(p->resolver, SIGKILL);
		poll(NULL, 0, 2);
	}
}
