/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping a worker alive: start, death, and what is done when every new one dies, too. The queues'
 * sockets stay open here, so packets that wait when a worker dies wait for the next one.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "parent/parent_private.h"
#include "shared/message.h"

enum {
	ANSWER_MS = 10000,       /* for a start, or a new ruleset */
	STOP_MS = 2000,
	RESTART_PAUSE_MS = 500,  /* workers that die at once are not started faster */
	STEADY_MS = 10000,       /* who lived so long did not die of its start */
	DEATHS_MAX = 5,          /* in a row: then nothing is queued until there is a worker again */
	GIVEN_UP_PAUSE_MS = 10000
};

/* ---- start ---- */

/* The worker keeps its descriptors and standard output; all others are the parent's affair. */
static void close_others(const struct worker_in *in)
{
	int      keep[9 + QUEUES_MAX + OUTPUTS_MAX] = { in->parent, in->rules, in->ask_name,
		                                        in->inject.forged4, in->inject.forged6,
		                                        in->inject.plain4, in->inject.plain6,
		                                        in->inject.link, in->learned };
	unsigned n = 9;

	for (unsigned i = 0; i < in->queues; i++)
		keep[n++] = in->queue_fd[i];
	for (unsigned i = 0; i < in->outputs; i++)
		keep[n++] = in->output_fd[i];
	parent_close_but(keep, n);
}

static void become_worker(struct parent *p, int socket)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	p->in.parent = socket;
	close_others(&p->in);
	_exit(worker_main(&p->in));
}

/* The worker's answer about a generation: the type of the message, or -1. */
static int wait_answer(struct parent *p, uint64_t generation)
{
	struct pollfd  pfd = { p->in.parent, POLLIN, 0 };
	struct message m;
	int            fd;

	while (poll(&pfd, 1, ANSWER_MS) == 1 && message_recv(p->in.parent, &m, &fd) == 1)
		if (m.number == generation)
			return (int)m.type;
	return -1;
}

int parent_start_worker(struct parent *p, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, "socketpair: %s", strerror(errno));
	if (p->in.parent >= 0)
		close(p->in.parent);
	p->in.parent = pair[0];
	p->in.generation = p->generation;
	p->worker_started = parent_ms();
	p->worker = fork();
	if (p->worker == 0)
		become_worker(p, pair[1]);
	close(pair[1]);
	if (p->worker < 0)
		return err_set(err, "fork: %s", strerror(errno));
	if (wait_answer(p, p->generation) == MESSAGE_READY)
		return 0;
	kill(p->worker, SIGKILL); /* one that hangs is as good as dead */
	return err_set(err, "the worker did not start");
}

/* ---- death ---- */

/*
 * One that dies again and again would hold the queue shut: what waits there is answered by nobody,
 * and `fail: open` alone lets packets by only when the queue is full.
 */
static void on_death(struct parent *p)
{
	uint64_t now = parent_ms();
	bool     steady = now >= p->worker_started + STEADY_MS;

	p->restarts++;
	p->deaths = steady ? 1 : p->deaths + 1;
	p->worker_due = steady || p->deaths == 1 ? now : now + RESTART_PAUSE_MS;
	if (p->deaths < DEATHS_MAX || p->boot->fail == FAIL_CLOSED || !p->steer)
		return;
	p->worker_due = now + GIVEN_UP_PAUSE_MS;
	parent_stop_queueing(p);
}

void parent_reap(struct parent *p)
{
	int   status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->resolver) {
			diag_warn("resolver", "ended; clients stay without names");
			p->resolver = 0;
		}
		if (pid != p->worker)
			continue;
		p->worker = -1;
		if (WIFSIGNALED(status))
			diag_error("worker", "died of signal %d", WTERMSIG(status));
		else
			diag_error("worker", "ended with code %d", WEXITSTATUS(status));
		on_death(p);
	}
}

/* Called when worker_due has come. */
void parent_replace_worker(struct parent *p)
{
	struct err err = { 0 };

	if (parent_start_worker(p, &err) < 0) {
		diag_error("worker", "%s", err.text);
		if (p->worker < 0) /* not even forked */
			on_death(p);
		return;
	}
	diag_info("worker", "running again");
	parent_resume_queueing(p);
}

/* ---- rulesets ---- */

int parent_offer_rules(struct parent *p, int fd, uint64_t generation, struct err *err)
{
	if (p->worker <= 0) /* the next one reads them from the start */
		return 0;
	if (message_send(p->in.parent, MESSAGE_RULES, generation, fd) < 0)
		return err_set(err, "the worker could not be told");
	switch (wait_answer(p, generation)) {
	case MESSAGE_LIVE: return 0;
	case MESSAGE_FAILED: return err_set(err, "the worker could not map the new ruleset");
	default:
		kill(p->worker, SIGKILL); /* which rules it reads, if it lives, nobody knows */
		return err_set(err, "the worker ended or hung over the new ruleset");
	}
}

/* ---- the end ---- */

void parent_stop_worker(struct parent *p)
{
	uint64_t end = parent_ms() + STOP_MS;

	if (p->worker <= 0)
		return;
	if (message_send(p->in.parent, MESSAGE_STOP, 0, -1) < 0)
		kill(p->worker, SIGKILL);
	while (waitpid(p->worker, NULL, WNOHANG) == 0) {
		if (parent_ms() > end)
			kill(p->worker, SIGKILL);
		poll(NULL, 0, 2);
	}
	p->worker = -1;
}
