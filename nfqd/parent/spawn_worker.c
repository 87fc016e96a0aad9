/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps a worker alive: the start, a death, and what is done when every new worker dies, too. The queues'
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
	LOOK_MS = 1000,          /* meanwhile: how often to check whether it lives */
	SLICE_MS = 100,
	STOP_MS = 2000,
	RESTART_PAUSE_MS = 500,  /* delays the next start after a worker that died at once */
	STEADY_MS = 10000,       /* a worker older than this did not fail at start-up */
	DEATHS_MAX = 5,          /* in a row: then nothing is queued until there is a worker again */
	GIVEN_UP_PAUSE_MS = 10000,
	RESOLVER_PAUSE_S = 3
};

/* ---- start ---- */

/* The worker keeps its descriptors and standard output; the others belong to the parent. */
static void close_others(const struct worker_in *in)
{
	int      keep[9 + 2 * QUEUES_MAX + OUTPUTS_MAX] = { in->parent, in->rules, in->ask_name,
		                                        in->inject.forged4, in->inject.forged6,
		                                        in->inject.plain4, in->inject.plain6,
		                                        in->inject.link, in->learned };
	unsigned n = 9;

	for (unsigned i = 0; i < in->queues; i++) {
		keep[n++] = in->queue_fd[i];
		keep[n++] = in->whose[i];
	}
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

bool parent_told_to_stop(void)
{
	sigset_t set;

	return sigpending(&set) == 0 && (sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGINT) == 1);
}

enum { ANSWER_NONE = -1, ANSWER_GONE = -2 };

/* Reads one message of the worker's: returns its type when it is about a generation; ANSWER_NONE when it
 * is not, or when there is none; ANSWER_GONE with the worker. A worker may not send descriptors. */
static int read_answer(struct parent *p, uint64_t generation)
{
	struct message m;
	int            fd, r = message_recv(p->in.parent, &m, &fd);

	if (fd >= 0)
		close(fd);
	if (r == -EAGAIN || r == -EINTR)
		return ANSWER_NONE;
	if (r != 1)
		return ANSWER_GONE;
	return m.number == generation ? (int)m.type : ANSWER_NONE;
}

/* Waits for the worker's answer about a generation: the type of the message, or a negative number. A
 * worker that hangs does not block the parent; nor does a slow one when the parent is to end. */
static int wait_answer(struct parent *p, uint64_t generation, bool alive)
{
	struct pollfd pfd = { p->in.parent, POLLIN, 0 };
	uint64_t      end = poller_ms() + ANSWER_MS, look = poller_ms() + LOOK_MS;

	while (p->worker > 0 && poller_ms() < end && !parent_told_to_stop()) {
		int r = poll(&pfd, 1, SLICE_MS) > 0 ? read_answer(p, generation) : ANSWER_NONE;

		if (r != ANSWER_NONE)
			return r;
		if (alive && poller_ms() >= look) {
			parent_look_at_life(p);
			look = poller_ms() + LOOK_MS;
		}
	}
	return ANSWER_NONE;
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
	p->worker_started = poller_ms();
	p->worker = fork();
	if (p->worker == 0)
		become_worker(p, pair[1]);
	close(pair[1]);
	if (p->worker < 0)
		return err_set(err, "fork: %s", strerror(errno));
	if (wait_answer(p, p->generation, false) == MESSAGE_READY) {
		parent_forget_pulses(p);
		return 0;
	}
	kill(p->worker, SIGKILL); /* one that hangs is as good as dead */
	return err_set(err, "the worker did not start");
}

/* ---- death ---- */

/*
 * A worker that dies again and again would keep the queue blocked: waiting packets are not answered, and
 * `fail: open` lets packets by only when the queue is full.
 */
void parent_worker_is_gone(struct parent *p)
{
	uint64_t now = poller_ms();
	bool     steady = now >= p->worker_started + STEADY_MS;

	p->worker = -1;
	p->restarts++;
	p->deaths = steady ? 1 : p->deaths + 1;
	poller_set(&p->poller, &p->worker_due, steady || p->deaths == 1 ? 0 : RESTART_PAUSE_MS);
	if (p->deaths < DEATHS_MAX || p->boot->fail == FAIL_CLOSED || !p->steer)
		return;
	poller_set(&p->poller, &p->worker_due, GIVEN_UP_PAUSE_MS);
	parent_stop_queueing(p);
}

static void say_end(const char *token, int status, const char *then)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		diag_error(token, "was killed by the kernel: it made a forbidden system call%s", then);
	else if (WIFSIGNALED(status))
		diag_error(token, "was killed by signal %d%s", WTERMSIG(status), then);
	else
		diag_error(token, "ended with code %d%s", WEXITSTATUS(status), then);
}

void parent_reap(struct parent *p)
{
	int   status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->resolver) {
			say_end("resolver", status, "; until it runs again, in 3 s, clients have "
				"no names and no listed name is looked up");
			p->resolver = 0;
			poller_set(&p->poller, &p->resolver_due, RESOLVER_PAUSE_S * UINT64_C(1000));
		}
		if (parent_sightings_ended(p, pid))
			say_end("sightings", status, "; it runs again in 3 s");
		if (pid != p->worker)
			continue;
		say_end("worker", status, "");
		p->forbidden += WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
		parent_worker_is_gone(p);
	}
}

/* Called when worker_due has come. */
void parent_replace_worker(struct parent *p)
{
	struct err err = { 0 };

	if (parent_start_worker(p, &err) < 0) {
		diag_error("worker", "%s", err.text);
		if (p->worker < 0) /* the fork itself failed */
			parent_worker_is_gone(p);
		return;
	}
	diag_info("worker", "running again");
	parent_resume_queueing(p);
}

/* ---- rulesets ---- */

int parent_offer_rules(struct parent *p, int fd, uint64_t generation, struct err *err)
{
	if (p->worker <= 0) /* the next worker reads them from the start */
		return 0;
	if (message_send(p->in.parent, MESSAGE_RULES, generation, fd) < 0)
		return err_set(err, "the worker could not be told");
	switch (wait_answer(p, generation, true)) {
	case MESSAGE_LIVE: return 0;
	case MESSAGE_FAILED: return err_set(err, "the worker could not map the new ruleset");
	default:
		if (parent_told_to_stop()) /* it answers the packets that wait */
			return err_set(err, "nfqd was told to end before the worker had answered");
		if (p->worker > 0) /* which rules it reads is unknown; one that is given up meanwhile is -1: all */
			kill(p->worker, SIGKILL);
		return err_set(err, "the worker ended or hung over the new ruleset");
	}
}

/* ---- the end ---- */

void parent_stop_worker(struct parent *p)
{
	uint64_t end = poller_ms() + STOP_MS;

	if (p->worker <= 0)
		return;
	if (message_send(p->in.parent, MESSAGE_STOP, 0, -1) < 0)
		kill(p->worker, SIGKILL);
	while (waitpid(p->worker, NULL, WNOHANG) == 0 && poller_ms() < end + STOP_MS) {
		if (poller_ms() > end)
			kill(p->worker, SIGKILL);
		parent_sign_checkpoints(p);
		poll(NULL, 0, 2);
	}
	p->worker = -1;
}
