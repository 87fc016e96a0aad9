/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start: queues are bound first (another nfqd is noticed before anything is touched), then the
 * worker reads them, and only then packets are steered there. The end is the same backwards.
 *
 * The parent keeps the queues' sockets open, so a worker that dies loses no waiting packet: they
 * wait for the next one.
 */
#include "run/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "capture/steer.h"
#include "run/ctl.h"
#include "run/message.h"
#include "run/parent_private.h"
#include "run/routes.h"
#include "run/worker.h"

enum { READY_TIMEOUT_MS = 10000, DRAIN_MS = 2000, RESTART_PAUSE_MS = 500 };

/* ---- files ---- */

static void make_folder_of(const char *path)
{
	char *copy = strdup(path);

	if (copy)
		mkdir(dirname(copy), 0755);
	free(copy);
}

static int open_output(const struct conf_output *o, struct err *err)
{
	int fd;

	if (strcmp(o->path, "-") == 0)
		return dup(STDOUT_FILENO);
	make_folder_of(o->path);
	fd = open(o->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	if (fd < 0)
		err_set(err, "log %s: %s", o->path, strerror(errno));
	return fd;
}

static int open_outputs(struct parent *p, struct err *err)
{
	struct worker_in *in = &p->in;

	for (unsigned i = 0; i < p->conf->n_outputs; i++) {
		if (in->outputs == OUTPUTS_MAX)
			return err_set(err, "log: more than %u outputs", OUTPUTS_MAX);
		in->output_fd[i] = open_output(&p->conf->outputs[i], err);
		in->output_type[i] =
			p->conf->outputs[i].type == OUTPUT_TEXT ? SINK_TEXT : SINK_EVE;
		if (in->output_fd[i] < 0)
			return -1;
		in->outputs++;
	}
	return 0;
}

/* After rotation: the worker gets new descriptors; a file that cannot be opened keeps the old one. */
static void reopen_outputs(struct parent *p)
{
	for (unsigned i = 0; i < p->in.outputs; i++) {
		struct err err = { 0 };
		int        fd = open_output(&p->boot->outputs[i], &err);

		if (fd < 0) {
			diag_warn("log", "%s", err.text);
			continue;
		}
		if (message_send(p->in.parent, MESSAGE_OUTPUT, i, fd) < 0)
			diag_warn("log", "the worker could not be told to reopen its logs");
		close(p->in.output_fd[i]);
		p->in.output_fd[i] = fd;
	}
}

/* ---- the worker ---- */

/* The worker keeps its descriptors and standard output; all others are the parent's affair. */
static void close_others(const struct worker_in *in)
{
	int      keep[8 + QUEUES_MAX + OUTPUTS_MAX] = { in->parent, in->rules, in->ask_name,
		                                        in->inject.forged4, in->inject.forged6,
		                                        in->inject.plain4, in->inject.plain6,
		                                        in->learned };
	unsigned n = 8;

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

static int wait_ready(struct parent *p, struct err *err)
{
	struct pollfd  pfd = { p->in.parent, POLLIN, 0 };
	struct message m;
	int            fd;

	if (poll(&pfd, 1, READY_TIMEOUT_MS) != 1 || message_recv(p->in.parent, &m, &fd) != 1 ||
	    m.type != MESSAGE_READY)
		return err_set(err, "the worker did not start");
	return 0;
}

static int start_worker(struct parent *p, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, "socketpair: %s", strerror(errno));
	if (p->in.parent >= 0)
		close(p->in.parent);
	p->in.parent = pair[0];
	p->in.generation = p->generation;
	fflush(stdout);
	fflush(stderr);
	p->worker = fork();
	if (p->worker == 0)
		become_worker(p, pair[1]);
	close(pair[1]);
	if (p->worker < 0)
		return err_set(err, "fork: %s", strerror(errno));
	return wait_ready(p, err);
}

static uint64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* A worker that dies at once, again and again, is not started faster than twice a second. */
static void replace_worker(struct parent *p, int status)
{
	struct err err = { 0 };
	uint64_t   now = monotonic_ms();

	if (WIFSIGNALED(status))
		diag_error("worker", "died of signal %d, starting another", WTERMSIG(status));
	else
		diag_error("worker", "ended with code %d, starting another", WEXITSTATUS(status));
	p->restarts++;
	if (now < p->last_restart + RESTART_PAUSE_MS)
		poll(NULL, 0, RESTART_PAUSE_MS);
	p->last_restart = monotonic_ms();
	if (start_worker(p, &err) < 0)
		diag_error("worker", "%s", err.text);
	else
		diag_info("worker", "running again");
}

static void reap(struct parent *p)
{
	int   status, worker_status = 0;
	bool  died = false;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->worker) {
			died = true;
			worker_status = status;
			p->worker = -1;
		} else if (pid == p->resolver) {
			diag_warn("resolver", "ended; clients stay without names");
			p->resolver = 0;
		}
	}
	if (died && !p->stopping)
		replace_worker(p, worker_status);
}

/* ---- reload ---- */

/* Waits until every thread reads the new ruleset. */
static int wait_live(struct parent *p, uint64_t generation, struct err *err)
{
	struct pollfd  pfd = { p->in.parent, POLLIN, 0 };
	struct message m;
	int            fd;

	while (poll(&pfd, 1, READY_TIMEOUT_MS) == 1) {
		if (message_recv(p->in.parent, &m, &fd) != 1)
			break;
		if (m.type == MESSAGE_LIVE && m.number == generation)
			return 0;
	}
	return err_set(err, "the worker did not take generation %llu",
	               (unsigned long long)generation);
}

/* The next generation of rules; of the packs of an image, or (NULL) read anew. Returns the sealed
 * image's descriptor, and a view of it: parent and worker share its memory. */
static int build_rules(struct parent *p, const struct conf *conf, const struct image *from,
                       const struct image **img, struct err *err)
{
	struct live   live = parent_live(p, conf);
	struct image *built;
	int           fd;

	if (conf_build_live(conf, &live, p->generation + 1, from, &built, err) < 0)
		return -1;
	fd = image_seal(built, "nfqd-rules");
	free(built);
	malloc_trim(0); /* what building took; workers are forked from here */
	if (fd < 0)
		return err_set(err, "ruleset image: %s", strerror(-fd));
	*img = image_map(fd);
	if (*img)
		return fd;
	close(fd);
	return err_set(err, "ruleset image: %s", strerror(errno));
}

/* What the kernel was told at the start and a reload cannot change. */
static bool needs_restart(const struct conf *a, const struct conf *b)
{
	const struct conf_inspect *x = &a->inspect, *y = &b->inspect;

	return a->fail != b->fail || x->forward != y->forward || x->output != y->output ||
	       x->queues != y->queues || x->queue_num != y->queue_num ||
	       x->mark_mask != y->mark_mask || x->answers != y->answers ||
	       x->marked_output != y->marked_output ||
	       x->n_inside != y->n_inside || a->n_outputs != b->n_outputs ||
	       strcmp(a->control, b->control) != 0 || strcmp(a->state, b->state) != 0;
}

/* Takes img and fd. */
static int swap_rules(struct parent *p, const struct image *img, int fd, struct err *err)
{
	close(p->in.rules);
	p->in.rules = fd;
	image_unmap(p->img);
	p->img = img;
	p->generation++;
	if (message_send(p->in.parent, MESSAGE_RULES, p->generation, fd) < 0)
		return err_set(err, "the worker could not be told");
	return wait_live(p, p->generation, err);
}

int parent_reload(struct parent *p, struct err *err)
{
	struct conf        *conf = p->conf->path ? conf_load(p->conf->path, err) : p->conf;
	const struct image *img;
	int                 fd;

	if (!conf)
		return -1;
	fd = build_rules(p, conf, NULL, &img, err);
	if (fd < 0) {
		if (conf != p->conf)
			conf_free(conf);
		return -1;
	}
	parent_note_changes(p, img);
	if (conf != p->conf) {
		if (needs_restart(p->boot, conf))
			diag_warn("reload", "changes of fail, inspect, control, state and log outputs take "
			                    "effect at the next start");
		if (p->conf != p->boot)
			conf_free(p->conf);
		p->conf = conf;
	}
	if (swap_rules(p, img, fd, err) < 0 || parent_steer_nets(p, err) < 0)
		return -1;
	parent_start_resolver(p);
	parent_loaded(p);
	return 0;
}

int parent_rebuild(struct parent *p, struct err *err)
{
	const struct image *img;
	int                 fd = build_rules(p, p->conf, p->img, &img, err);

	return fd < 0 ? -1 : swap_rules(p, img, fd, err);
}

static void on_hangup(struct parent *p)
{
	struct err err = { 0 };

	reopen_outputs(p);
	if (parent_reload(p, &err) < 0)
		diag_error("reload", "%s; the running rules stay", err.text);
	else
		diag_info("reload", "generation %llu is live", (unsigned long long)p->generation);
}

/* ---- start ---- */

static int bind_queues(struct parent *p, struct err *err)
{
	struct worker_in *in = &p->in;

	for (in->queues = 0; in->queues < p->conf->inspect.queues; in->queues++) {
		struct queue_conf qc = { .num = (uint16_t)(in->queue_num + in->queues),
			                 .fail_open = p->conf->fail == FAIL_OPEN };
		int               fd = queue_bind(&qc, err);

		if (fd < 0)
			return -1;
		in->queue_fd[in->queues] = fd;
	}
	return 0;
}

static int steer(struct parent *p, struct err *err)
{
	const struct conf_inspect *ins = &p->conf->inspect;
	struct steer_conf sc = { .mark_mask = ins->mark_mask, .queue_num = p->in.queue_num,
		                 .queues = (uint16_t)p->in.queues,
		                 .fail_open = p->conf->fail == FAIL_OPEN, .forward = ins->forward,
		                 .output = ins->output, .answers = ins->answers,
		                 .marked_output = ins->marked_output,
		                 .inside = ins->inside, .n_inside = ins->n_inside };

	sc.inside_auto = ins->n_inside == 1 && strcmp(ins->inside[0], "auto") == 0;
	p->inside_auto = sc.inside_auto;
	p->steer = steer_install(&sc, err);
	return p->steer ? 0 : -1;
}

static int update_routes(struct parent *p, struct err *err)
{
	char     outside[OUTSIDE_MAX][16] = { 0 };
	unsigned n = routes_read(p->routes, p->shared, outside);

	if (n == p->n_outside && memcmp(outside, p->outside, sizeof(outside)) == 0)
		return 0;
	memcpy(p->outside, outside, sizeof(outside));
	p->n_outside = n;
	return p->steer && p->inside_auto
	               ? steer_set_outside(p->steer, (const char (*)[16])p->outside, n, err)
	               : 0;
}

static int open_signals(struct parent *p, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signals < 0 ? err_set(err, "signalfd: %s", strerror(errno)) : 0;
}

static int start(struct parent *p, struct err *err)
{
	struct worker_in *in = &p->in;

	mkdir("/run/nfqd", 0755);
	mkdir(EMPTY_FOLDER, 0755);
	*in = (struct worker_in){ .parent = -1, .rules = -1, .ask_name = -1,
		                  .mark_mask = p->conf->inspect.mark_mask,
		                  .queue_num = (uint16_t)p->conf->inspect.queue_num,
		                  .fail_closed = p->conf->fail == FAIL_CLOSED,
		                  .empty_folder = EMPTY_FOLDER, .inject = INJECTOR_NONE };
	p->shared = in->shared = shared_new();
	if (!p->shared)
		return err_set(err, "out of memory");
	p->learned = in->learned = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	parent_open_resolver(p);
	parent_live_open(p);
	in->rules = build_rules(p, p->conf, NULL, &p->img, err);
	p->generation++;
	if (in->rules < 0 || open_signals(p, err) < 0 || bind_queues(p, err) < 0 ||
	    injector_open(&in->inject, steer_mark(in->mark_mask, CODE_FORGED), err) < 0 ||
	    open_outputs(p, err) < 0)
		return -1;
	make_folder_of(p->conf->control);
	p->ctl = ctl_open(p->conf->control, err);
	p->routes = p->ctl < 0 ? NULL : routes_open(err);
	if (!p->routes || update_routes(p, err) < 0 || start_worker(p, err) < 0 ||
	    steer(p, err) < 0 || parent_steer_nets(p, err) < 0)
		return -1;
	parent_start_resolver(p);
	return p->inside_auto ? steer_set_outside(p->steer, (const char (*)[16])p->outside,
	                                          p->n_outside, err)
	                      : 0;
}

static void say_ready(struct parent *p)
{
	status_say(p);
	parent_loaded(p);
	fputs("nfqd: ready\n", stderr);
	sd_notify(0, "READY=1");
}

/* ---- run and end ---- */

static void on_signal(struct parent *p)
{
	struct signalfd_siginfo si;

	while (read(p->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(p);
		else if (si.ssi_signo == SIGHUP)
			on_hangup(p);
		else
			p->stopping = true;
	}
}

static void serve(struct parent *p)
{
	struct pollfd fds[] = { { p->signals, POLLIN, 0 },
		                { p->ctl, POLLIN, 0 },
		                { routes_fd(p->routes), POLLIN, 0 },
		                { p->mode_timer, POLLIN, 0 },
		                { p->learned, POLLIN, 0 } };

	while (!p->stopping) {
		struct err err = { 0 };

		if (poll(fds, 5, p->worker > 0 ? -1 : RESTART_PAUSE_MS) < 0)
			continue;
		if (p->worker <= 0 && start_worker(p, &err) < 0) { /* as when fork() failed */
			diag_error("worker", "%s", err.text);
			err = (struct err){ 0 };
		}
		if (fds[0].revents)
			on_signal(p);
		if (fds[1].revents)
			ctl_serve(p->ctl, parent_commands, parent_n_commands, p);
		if (fds[3].revents)
			parent_mode_ends(p);
		if (fds[2].revents) {
			routes_drain(p->routes);
			if (update_routes(p, &err) < 0)
				diag_warn("routes", "%s", err.text);
		}
		if (fds[4].revents)
			parent_steer_watched(p);
	}
}

static void drain_queues(struct parent *p)
{
	uint64_t end = monotonic_ms() + DRAIN_MS;

	for (unsigned i = 0; i < p->in.queues; i++) {
		struct queue_kernel k;

		while (queue_kernel_counters((uint16_t)(p->in.queue_num + i), &k) == 0 && k.waiting &&
		       p->worker > 0 && monotonic_ms() < end)
			poll(NULL, 0, 2);
	}
}

static void stop_worker(struct parent *p)
{
	uint64_t end = monotonic_ms() + DRAIN_MS;

	if (p->worker <= 0)
		return;
	if (message_send(p->in.parent, MESSAGE_STOP, 0, -1) < 0)
		kill(p->worker, SIGKILL);
	while (waitpid(p->worker, NULL, WNOHANG) == 0) {
		if (monotonic_ms() > end)
			kill(p->worker, SIGKILL);
		poll(NULL, 0, 2);
	}
	p->worker = -1;
}

static void close_if(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void stop(struct parent *p)
{
	p->stopping = true;
	if (p->steer) {
		steer_stop_queueing(p->steer);
		drain_queues(p);
		steer_remove(p->steer);
	}
	stop_worker(p);
	for (unsigned i = 0; i < p->in.queues; i++)
		close(p->in.queue_fd[i]);
	for (unsigned i = 0; i < p->in.outputs; i++)
		close(p->in.output_fd[i]);
	close_if(p->ask_names);
	if (p->resolver > 0)
		waitpid(p->resolver, NULL, 0);
	if (p->ctl >= 0) {
		close(p->ctl);
		unlink(p->boot->control);
	}
	close_if(p->in.inject.forged4);
	close_if(p->in.inject.forged6);
	close_if(p->in.inject.plain4);
	close_if(p->in.inject.plain6);
	close_if(p->in.rules);
	close_if(p->in.parent);
	close_if(p->signals);
	parent_live_close(p);
	close_if(p->learned);
	close_if(p->answer_names);
	routes_close(p->routes);
	image_unmap(p->img);
	if (p->conf != p->boot)
		conf_free(p->conf);
	conf_free(p->boot);
}

int parent_run(struct conf *conf, struct err *err)
{
	static struct parent p;
	int                  r;

	p.conf = p.boot = conf;
	p.ctl = p.signals = p.in.ask_name = p.mode_timer = p.mode = -1;
	p.ask_names = p.answer_names = p.learned = -1;
	p.started = clock_now();
	r = start(&p, err);
	if (r == 0) {
		say_ready(&p);
		serve(&p);
		sd_notify(0, "STOPPING=1");
	}
	stop(&p);
	return r;
}
