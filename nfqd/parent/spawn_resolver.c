/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting the process that asks resolvers, and leaving it only what it needs. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/diag.h"
#include "parent/parent_private.h"

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
		                  .diag_lost = &p->shared->diag_lost[PROCESS_RESOLVER], .server = r->server,
		                  .interval = r->interval, .jitter = r->jitter, .rules = p->img,
		                  .watch = &p->shared->watch, .learned = p->learned };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	parent_close_but((int[]){ in.ask, in.learned }, 2);
	_exit(resolver_main(&in));
}

/* It ends when the pipe's last writer is gone, or for the next one. */
void parent_start_resolver(struct parent *p)
{
	pid_t before = p->resolver;

	if (p->answer_names < 0 || (before > 0 && !p->conf->resolve.server && !p->resolving))
		return;
	p->resolving = p->conf->resolve.server;
	p->resolver = is_wanted(p) ? fork() : 0;
	if (p->resolver == 0 && is_wanted(p))
		become_resolver(p);
	if (before > 0)
		kill(before, SIGTERM);
}
