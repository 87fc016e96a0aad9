/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start: queues are bound first (another nfqd is noticed before anything is changed), then the worker
 * reads them (spawn_worker.c), and only then packets are steered there (steering.c). At the
 * end nothing more is queued, the worker answers what waits and ends, and the table goes last. With a watched
 * interface there is no queue and no table.
 */
#include "parent/parent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "capture/steer.h"
#include "parent/ctl.h"
#include "parent/notify.h"
#include "parent/parent_private.h"
#include "parent/routes.h"
#include "shared/file.h"
#include "shared/identity.h"
#include "shared/privs.h"
#include "worker/worker.h"

enum { BIND_MS = 5000, BIND_AGAIN_MS = 20, LOOK_MS = 1000, LOOKS_STEERING = 5 };

/* ---- start ---- */

/* A killed run's worker holds its queues until it has noticed that, which is no reason not to start. */
static int bind_queue(struct queue_conf *qc, struct err *err)
{
	uint64_t end = poller_ms() + BIND_MS;
	int      fd = queue_bind(qc, err);

	if (fd == -EBUSY)
		diag_info("queue", "%u is bound by another process: waiting for its end", qc->num);
	while (fd == -EBUSY && poller_ms() < end && !parent_told_to_stop()) {
		poll(NULL, 0, BIND_AGAIN_MS);
		fd = queue_bind(qc, err);
	}
	return fd;
}

static int bind_queues(struct parent *p, struct err *err)
{
	struct worker_in *in = &p->in;
	unsigned          n = conf_queues(p->conf);

	for (in->queues = 0; in->queues < n; in->queues++) {
		struct queue_conf qc = in->queue;
		int               fd;

		qc.num = (uint16_t)(qc.num + in->queues);
		fd = bind_queue(&qc, err);
		if (fd < 0)
			return -1;
		in->queue_fd[in->queues] = fd;
		in->queue.glue = p->means.glue = qc.glue;
	}
	return 0;
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

/* Opens the queues as far as this kernel supports them. */
static int open_queues(struct parent *p, struct err *err)
{
	if (steer_probe(&p->means, err) < 0)
		return -1;
	p->in.queue = (struct queue_conf){ .num = (uint16_t)p->conf->inspect.queue_num,
		                           .fail_open = p->conf->fail == FAIL_OPEN,
		                           .labels = p->means.labels, .glue = p->means.glue,
		                           .mark_token = p->means.mark_token };
	if (parent_take_over(p))
		return 0;
	if (steer_tokens_new(&p->tokens, err) < 0)
		return -1;
	p->in.queue.token = p->tokens.verdict;
	steer_stop_left(p->in.queue.fail_open);
	return bind_queues(p, err);
}

/* Made before the first worker, and kept as long as this process runs. Without it, what a dead worker had half read
 * passes without being counted. */
static void open_kept(struct parent *p)
{
	void *kept = mmap(NULL, worker_kept_size(p->in.queues), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (kept == MAP_FAILED)
		diag_warn("worker", "no memory for what outlives a worker: %m");
	else
		p->in.kept = kept;
}

static int open_packets(struct parent *p, struct err *err)
{
	struct worker_in *in = &p->in;

	if (!p->tap) {
		if (open_queues(p, err) < 0)
			return -1;
		open_kept(p);
		return injector_open(&in->inject, p->tokens.forged, err);
	}
	in->device = p->tap->device;
	in->filter = p->tap->filter;
	in->queues = 1;
	in->queue_fd[0] = -1;
	return 0;
}

/* Without a configuration nothing says where a watcher's socket should be, and a daemon that protects
 * this machine may use the default path. */
static int open_control(struct parent *p, struct err *err)
{
	const struct ctl_commands all = { parent_commands, parent_n_commands, p, CTL_OPERATORS };
	const struct ctl_commands view = { parent_view_commands, parent_n_view_commands, p, CTL_CONSOLE };
	struct err                why = { .text = "" };
	char                      path[PATH_MAX];

	if (p->tap && !p->conf->path)
		return 0;
	file_make_folder(p->conf->control);
	p->ctl = ctl_open(p->conf->control, &all, &p->poller, err);
	if (!p->ctl)
		return -1;
	/* for the console alone: packets do not wait for it */
	if (ctl_beside(p->conf->control, "view", path, sizeof(path)) == 0)
		p->view = ctl_open(path, &view, &p->poller, &why);
	if (!p->view)
		diag_warn("control", "%s: no console can ask", why.text);
	parent_open_sightings_socket(p);
	return 0;
}

/* Two daemons would overwrite each other's exceptions, and give records the same numbers. */
static int lock_state(struct parent *p, struct err *err)
{
	struct err why = { 0 };

	if (p->tap && !p->conf->path)
		return 0;
	file_make_folder(p->conf->state);
	p->state_lock = file_lock(p->conf->state, "state", &why);
	if (p->state_lock == -EWOULDBLOCK)
		return err_set(err, "%s", why.text);
	if (p->state_lock < 0) /* where nothing can be written, nothing is overwritten */
		diag_warn("state", "%s", why.text);
	return 0;
}

/* A watcher without a configuration keeps nothing. */
static void open_identity(struct parent *p)
{
	struct err err = { 0 };

	if (p->tap && !p->conf->path)
		identity_of_run(&p->in.identity, SOURCE_INTERFACE);
	else if (identity_open(&p->in.identity, p->tap ? SOURCE_INTERFACE : SOURCE_QUEUE,
	                       p->conf->state, &p->last, &err) < 0)
		diag_error("sensor", "%s; the records of this run carry an identity of their own", err.text);
	else
		p->sensor_kept = true;
}

/* Lets the next start know with which record this run ended. */
static void keep_identity(struct parent *p)
{
	struct err err = { 0 };
	uint64_t   next = p->shared ? p->shared->seq : 0; /* 0: there was none */

	if (p->sensor_kept &&
	    identity_close(&p->in.identity, p->boot->state, next ? next - 1 : 0, &err) < 0)
		diag_warn("sensor", "%s", err.text);
}

/* Processes of other users enter them, whatever the umask is. */
static void make_folders(void)
{
	mode_t mask = umask(022);

	mkdir(RUN_FOLDER, 0755);
	mkdir(EMPTY_FOLDER, 0755);
	umask(mask);
}

static int start(struct parent *p, struct err *err)
{
	struct worker_in *in = &p->in;

	make_folders();
	if (geteuid() == 0 && privs_find_users(err) < 0)
		return -1;
	*in = (struct worker_in){ .parent = -1, .rules = -1, .ask_name = -1,
		                  .heartbeat = !p->tap && p->conf->heartbeat,
		                  .answers = p->tap || p->conf->inspect.answers,
		                  .empty_folder = EMPTY_FOLDER, .inject = INJECTOR_NONE };
	p->shared = in->shared = shared_new();
	in->counts = shared_counts();
	if (!p->shared || !in->counts)
		return err_set(err, "out of memory");
	parent_open_prefilter(p);
	diag_never_wait(&p->shared->diag_lost[PROCESS_PARENT]);
	if (poller_open(&p->poller) < 0)
		return err_set(err, "epoll: %s", strerror(errno));
	p->learned = in->learned = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!p->tap) /* a watcher sends nothing, not even look-ups */
		parent_open_resolver(p);
	parent_open_sightings(p);
	if (lock_state(p, err) < 0 || parent_claim(p, err) < 0)
		return -1;
	parent_open_state(p);
	parent_open_counts(p);
	open_identity(p);
	in->rules = parent_build_rules(p, p->conf, NULL, &p->img, err);
	p->generation++;
	if (in->rules < 0 || open_signals(p, err) < 0 || open_packets(p, err) < 0 ||
	    parent_open_outputs(p, err) < 0 || open_control(p, err) < 0)
		return -1;
	p->routes = routes_open(err);
	if (!p->routes || parent_update_routes(p, err) < 0)
		return -1;
	parent_open_signing(p);
	parent_record_start(p);
	if (parent_open_asks(p, err) < 0 || parent_start_worker(p, err) < 0 ||
	    (!p->tap && parent_steer(p, err) < 0))
		return -1;
	parent_start_resolver(p);
	parent_start_sightings(p);
	parent_open_heartbeat(p);
	return 0;
}

static void say_ready(struct parent *p)
{
	status_say(p);
	status_say_checks(p);
	parent_rules_are_live(p);
	diag_line("nfqd: ready");
	sd_notify(0, "READY=1");
}

/* ---- run and end ---- */

static void on_signal(struct poller_source *s)
{
	struct parent          *p = s->ctx;
	struct signalfd_siginfo si;

	while (read(p->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			parent_reap(p);
		else if (si.ssi_signo == SIGHUP)
			parent_on_hangup(p);
		else
			p->stopping = true;
	}
}

static void on_routes(struct poller_source *s)
{
	struct parent *p = s->ctx;
	struct err     err = { 0 };

	routes_drain(p->routes);
	if (parent_update_routes(p, &err) < 0)
		diag_warn("routes", "%s", err.text);
}

static void on_mode_timer(struct poller_source *s)
{
	parent_mode_ends(s->ctx);
}

static void on_learned(struct poller_source *s)
{
	parent_steer_watched(s->ctx);
}

static void on_nft_event(struct poller_source *s)
{
	parent_on_nft_event(s->ctx);
}

/* What no event told. */
static void on_nft_look(struct poller_timer *t)
{
	parent_look_at_tables(t->ctx);
}

static void on_worker_due(struct poller_timer *t)
{
	struct parent *p = t->ctx;

	if (p->worker <= 0)
		parent_replace_worker(p);
}

static void on_resolver_due(struct poller_timer *t)
{
	struct parent *p = t->ctx;

	if (p->resolver > 0)
		return;
	p->resolver_restarts++;
	parent_start_resolver(p);
}

static void on_look(struct poller_timer *t)
{
	struct parent *p = t->ctx;
	struct err     err = { 0 };

	poller_set(&p->poller, t, LOOK_MS);
	diag_drain();
	parent_sign_checkpoints(p);
	parent_record_by_clock(p);
	parent_look_at_life(p);
	parent_look_at_sightings(p);
	parent_follow_clock(p);
	parent_tell_prefilter(p);
	parent_look_at_protection(p);
	if (p->looks++ % LOOKS_STEERING)
		return;
	parent_steer_tick(p);
	if (p->routes_due && parent_update_routes(p, &err) < 0)
		diag_warn("routes", "%s", err.text);
	parent_mend_outputs(p);
	parent_save_state(p);
}

static int serve(struct parent *p, struct err *err)
{
	struct poller_source sources[] = { { on_signal, p, p->signals },
		                           { on_routes, p, routes_fd(p->routes) },
		                           { on_mode_timer, p, p->mode_timer },
		                           { on_learned, p, p->learned },
		                           { on_nft_event, p, p->nft_events } };
	/* a watcher has no table */
	const unsigned       n = sizeof(sources) / sizeof(sources[0]) - (p->tap ? 1 : 0);

	for (unsigned i = 0; i < n; i++) {
		int r = sources[i].fd < 0 ? -EBADF : poller_watch(&p->poller, &sources[i], EPOLLIN);

		if (r < 0)
			return err_set(err, "epoll: %s", strerror(-r));
	}
	poller_set(&p->poller, &p->look, LOOK_MS);
	while (!p->stopping)
		poller_turn(&p->poller);
	for (unsigned i = 0; i < n; i++)
		poller_forget(&p->poller, &sources[i]);
	return 0;
}

static void close_if(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void stop(struct parent *p)
{
	p->stopping = true;
	parent_close_heartbeat(p);
	parent_end_packets(p);
	parent_stop_sightings(p);
	keep_identity(p);
	parent_close_signing(p);
	parent_close_asks(p);
	for (unsigned i = 0; i < p->in.queues; i++)
		close_if(p->in.queue_fd[i]);
	for (unsigned i = 0; i < p->in.outputs; i++)
		close(p->in.output_fd[i]);
	parent_stop_resolver(p);
	ctl_close(p->ctl);
	ctl_close(p->view);
	injector_close(&p->in.inject);
	close_if(p->nft_events);
	close_if(p->in.rules);
	close_if(p->in.parent);
	close_if(p->signals);
	parent_live_close(p);
	close_if(p->state_lock);
	parent_close_counts(p);
	parent_unclaim(p);
	poller_close(&p->poller);
	close_if(p->learned);
	close_if(p->answer_names);
	routes_close(p->routes);
	image_unmap(p->img);
	prefilter_free(p->prefilter);
	free(p->inside);
	if (p->conf != p->boot)
		conf_free(p->conf);
	conf_free(p->boot);
}

/* Reports how much of the traffic could be judged. */
static void say_watched(const struct parent *p)
{
	diag_info("capture", "%s: %llu packets, %llu dropped by the kernel because its buffer was full",
	          p->tap->device, (unsigned long long)p->shared->tap.received,
	          (unsigned long long)p->shared->tap.dropped);
}

int parent_run(struct conf *conf, const struct tap *tap, struct err *err)
{
	static struct parent p;
	int                  r;

	p.conf = p.boot = conf;
	p.tap = tap;
	p.state_lock = p.net_lock = p.signals = p.in.ask_name = p.mode_timer = p.mode = -1;
	p.ask_names = p.answer_names = p.learned = p.nft_events = -1;
	p.started = poller_ms();
	p.look = (struct poller_timer){ .run = on_look, .ctx = &p };
	handover_receive(&p.handed);
	p.nft_look = (struct poller_timer){ .run = on_nft_look, .ctx = &p };
	p.worker_due = (struct poller_timer){ .run = on_worker_due, .ctx = &p };
	p.resolver_due = (struct poller_timer){ .run = on_resolver_due, .ctx = &p };
	r = start(&p, err);
	if (r == 0) {
		say_ready(&p);
		r = serve(&p, err);
		sd_notify(0, "STOPPING=1");
	}
	stop(&p);
	handover_abandon(&p.handed);
	if (r == 0 && tap)
		say_watched(&p);
	return r;
}
