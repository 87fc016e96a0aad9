/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queue threads, the log thread's loop, and the swap of rulesets. */
#include "worker/worker.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/hops.h"
#include "shared/message.h"
#include "shared/privs.h"
#include "worker/late.h"
#include "worker/loop.h"
#include "worker/ring.h"
#include "worker/whose.h"

/* Totals for all threads: each gets its share, so that memory does not grow with their number. */
enum { MAX_RECORDS = 8192, MAX_BYTES = 1 << 20 /* of packets in records */ };

/* The log thread rests after each round, so that records gather: a wake-up for every record would cost the
 * packet threads more than the records themselves. */
enum { IDLE_WAKE_MS = 500, REST_MS = 2 };

struct worker;

struct queue_thread {
	struct worker  *worker;
	struct pipeline pipeline;
	struct loop     loop;
	struct ring    *ring;
	struct whose    whose;
	pthread_t       thread;
	bool            running;
	struct hops    *hops; /* owned; of a watched interface */
	char            ifname[16];
};

struct worker {
	const struct worker_in *in;
	struct sinks           *sinks;
	ruleset_slot            rules;
	_Atomic bool            stop;
	_Atomic bool            failed; /* a queue cannot be read any more */
	bool                    told_to_stop;
	_Atomic bool            asleep; /* the log thread waits: a new record must wake it */
	int                     wake;
	struct late             late;
	uint64_t                looked_at; /* for what is due each second: ns */
	unsigned                threads;
	struct queue_thread     thread[QUEUES_MAX];
};

/* ---- on the queue threads ---- */

static bool emit(void *ctx, const struct event *e)
{
	return ring_push(((struct queue_thread *)ctx)->ring, e);
}

static const char *name_of_interface(void *ctx, uint32_t index)
{
	struct queue_thread *t = ctx;

	return iface_name(t->worker->in->shared, index, t->ifname);
}

/* Tells the parent, which steers watched addresses. */
static void tell_learned(void *ctx)
{
	eventfd_write(((struct queue_thread *)ctx)->worker->in->learned, 1);
}

static int whose(void *ctx, const struct packet *pkt, const uint16_t port[], const struct addr *client)
{
	return whose_is(&((struct queue_thread *)ctx)->whose, pkt, port, client);
}

static void wake_log(void *ctx)
{
	struct queue_thread *t = ctx;

	if (ring_peek(t->ring) && atomic_exchange(&t->worker->asleep, false))
		eventfd_write(t->worker->wake, 1);
}

static void *queue_thread(void *ctx)
{
	struct queue_thread *t = ctx;
	int                  r = loop_run(&t->loop);

	if (r < 0) { /* the parent starts a new worker, once the log thread has written this line */
		diag_error("queue", "reading failed: %s", strerror(-r));
		atomic_store(&t->worker->failed, true);
		eventfd_write(t->worker->wake, 1);
	}
	return NULL;
}

/* ---- on the log thread ---- */

static void write_own(void *ctx, uint64_t ts, const char *members)
{
	sinks_write_own(((struct worker *)ctx)->sinks, ts, members);
}

/* A repeat is only counted. */
static bool is_folded(struct worker *w, const struct event *e)
{
	struct fold      *f = &w->in->shared->fold;
	struct fold_slot *s;

	if (f->window == 0)
		return false;
	s = fold_take(f, e, write_own, w);
	if (s)
		s->seq = sinks_seq(w->sinks);
	return !s;
}

static void write_record(struct worker *w, const struct event *e)
{
	char              ifname[16], client[HOST_NAME_MAX_LEN];
	struct shared    *shared = w->in->shared;
	struct event      beyond;
	struct sink_hints hints = { .ifname = iface_name(shared, e->ifin, ifname) };

	if (is_folded(w, e))
		return;
	if (e->has_mac && e->ifin && onlink_is_beyond(&shared->onlink, e->ifin, &e->src)) {
		beyond = *e;
		beyond.mac_shared = true;
		e = &beyond;
	}
	if (e->client.has_mac && onlink_is_beyond(&shared->onlink, e->client.ifin, &e->client.addr)) {
		beyond = *e;
		beyond.client.has_mac = false;
		e = &beyond;
	}
	if (e->ifin || e->client.addr.len) /* the client is another machine: this one knows its own name */
		hints.client = host_name(&shared->hosts, w->in->ask_name,
		                         e->client.addr.len ? &e->client.addr : &e->src, e->ts, client);
	if (e->ifin && !hints.client && w->in->ask_name >= 0)
		late_add(&w->late, e, sinks_seq(w->sinks));
	sinks_write(w->sinks, e, &hints);
}

/* Each second, and at the end: repeats whose window is over, and names that came late. */
static void write_due(struct worker *w)
{
	struct shared *shared = w->in->shared;
	uint64_t       now = clock_now();

	if (now >= w->looked_at && now < w->looked_at + NS_PER_S && !w->told_to_stop)
		return;
	w->looked_at = now;
	if (shared->fold.window)
		fold_end(&shared->fold, now, w->told_to_stop, write_own, w);
	late_tell(&w->late, &shared->hosts, w->sinks, now);
}

static void write_notes(struct worker *w)
{
	struct notes      *notes = &w->in->shared->notes;
	const struct note *n;

	for (; (n = notes_peek(notes)) != NULL; notes_pop(notes))
		sinks_write_own(w->sinks, n->ts, n->members);
}

/* Writes only what was there at the beginning: under a flood a ring is never empty, and the parent waits
 * to be heard. */
static void write_records(struct worker *w)
{
	struct shared *shared = w->in->shared;

	sinks_flush(w->sinks); /* an output that has room again loses none of these */
	for (unsigned i = 0; i < w->threads; i++) {
		struct ring *ring = w->thread[i].ring;

		atomic_fetch_add(&shared->log_beats, 1);
		for (uint32_t n = ring_used(ring); n > 0; n--) {
			atomic_fetch_add(&shared->events_taken, 1);
			write_record(w, ring_peek(ring));
			ring_pop(ring);
		}
	}
	write_due(w);
	write_notes(w);
	sinks_flush(w->sinks);
	sinks_checkpoint(w->sinks, w->in->checkpoint_s);
	diag_drain();
}

/* What packet threads of the worker before had made and its log thread had not taken; how many. */
static uint64_t settle_events(const struct worker *w)
{
	struct shared *shared = w->in->shared;
	uint64_t       made = 0, taken = atomic_load(&shared->events_taken);

	for (unsigned i = 0; i < w->in->queues; i++)
		made += atomic_load(&shared->count[i].v[COUNT_records]);
	if (made <= taken)
		return 0;
	atomic_fetch_add(&shared->events_died, made - taken);
	atomic_store(&shared->events_taken, made);
	return made - taken;
}

static struct ruleset *open_rules(int fd)
{
	const struct image *img = image_map(fd);
	struct ruleset     *rs = img ? malloc(sizeof(*rs)) : NULL;

	close(fd);
	if (rs)
		ruleset_open_named(rs, img);
	else
		image_unmap(img);
	return rs;
}

static void close_rules(struct ruleset *rs)
{
	image_unmap(rs->img);
	free(rs);
}

static void tell(struct worker *w, enum message_type type, uint64_t generation)
{
	if (message_send(w->in->parent, type, generation, -1) < 0)
		diag_warn("worker", "the parent does not respond");
}

static void swap_rules(struct worker *w, int fd, uint64_t generation)
{
	struct ruleset       *fresh = open_rules(fd);
	const struct ruleset *old;
	struct loop          *loops[QUEUES_MAX];

	if (!fresh) {
		tell(w, MESSAGE_FAILED, generation);
		return;
	}
	for (unsigned i = 0; i < w->threads; i++)
		loops[i] = &w->thread[i].loop;
	old = atomic_exchange(&w->rules, fresh);
	loop_wait_unused(loops, w->threads, old);
	write_records(w); /* records that point into the old one */
	close_rules((struct ruleset *)(uintptr_t)old);
	atomic_store(&w->in->shared->generation, generation);
	tell(w, MESSAGE_LIVE, generation);
}

/* Returns false when it is time to end. */
static bool obey(struct worker *w)
{
	struct message m;
	int            fd, r = message_recv(w->in->parent, &m, &fd);

	if (r == -EINTR || r == -EAGAIN)
		return true;
	if (r <= 0)
		return false;
	if (m.type == MESSAGE_RULES)
		swap_rules(w, fd, m.number);
	else if (m.type == MESSAGE_OUTPUT)
		sinks_reopen(w->sinks, (unsigned)m.number, fd);
	w->told_to_stop = m.type == MESSAGE_STOP;
	return !w->told_to_stop;
}

static bool nothing_to_write(const struct worker *w)
{
	for (unsigned i = 0; i < w->threads; i++)
		if (ring_peek(w->thread[i].ring))
			return false;
	return true;
}

static void log_loop(struct worker *w)
{
	struct pollfd fds[2 + SINKS_MAX] = { { w->in->parent, POLLIN, 0 }, { w->wake, POLLIN, 0 } };

	while (!atomic_load(&w->failed)) {
		eventfd_t n;

		atomic_store(&w->asleep, true);
		if (nothing_to_write(w))
			poll(fds, 2 + sinks_poll(w->sinks, fds + 2), IDLE_WAKE_MS);
		atomic_store(&w->asleep, false);
		if (fds[1].revents & POLLIN)
			eventfd_read(w->wake, &n);
		write_records(w);
		if (fds[0].revents && !obey(w))
			return;
		poll(fds, 1, REST_MS);
		fds[0].revents = fds[1].revents = 0;
	}
}

/* ---- start and end ---- */

static int open_sinks(struct worker *w, struct err *err)
{
	w->sinks = sinks_new(false);
	if (!w->sinks)
		return err_set(err, "worker: out of memory");
	sinks_identify(w->sinks, &w->in->identity);
	sinks_number_by(w->sinks, &w->in->shared->seq);
	for (unsigned i = 0; i < w->in->outputs; i++) {
		if (sinks_add(w->sinks, w->in->output_type[i], w->in->output_fd[i],
		              &w->in->shared->output[i]) < 0)
			return err_set(err, "worker: out of memory");
		sinks_shape(w->sinks, i, w->in->output_privacy[i], w->in->output_dns[i]);
		sinks_keep(w->sinks, i, &w->in->shared->ledger[i]);
	}
	sinks_feed(w->sinks, w->in->feed);
	sinks_recover(w->sinks);
	sinks_flush(w->sinks); /* what the worker before lost is told before anything else */
	sinks_note_unnumbered(w->sinks, settle_events(w));
	return 0;
}

/* As shared out among the threads; the sizes keep each one's part aligned. */
static size_t kept_of_thread(unsigned queues)
{
	return (pipeline_kept_size(BOUND_CONNS / queues) + 7) & ~(size_t)7;
}

size_t worker_kept_size(unsigned queues)
{
	return queues * kept_of_thread(queues);
}

static int open_thread(struct worker *w, unsigned i, struct err *err)
{
	const struct worker_in *in = w->in;
	struct queue_thread    *t = &w->thread[i];
	struct queue_conf       queue = in->queue;

	t->worker = w;
	t->whose = (struct whose){ .fd = in->whose[i], .number = (uint32_t)clock_monotonic() };
	t->ring = ring_new(MAX_RECORDS / in->queues, MAX_BYTES / in->queues);
	t->hops = in->device ? calloc(1, sizeof(*t->hops)) : NULL;
	t->pipeline = (struct pipeline){ .copies = in->device != NULL, .count = &in->shared->count[i], .inject.fds = in->inject,
		                         .watch = &in->shared->watch,
		                         .heartbeat = in->heartbeat,
		                         .asked = in->answers ? &in->shared->asked : NULL,
		                         .errands = in->device ? NULL : &in->shared->errands, .whose = whose,
		                         .hops = t->hops, .emit = emit, .learned = tell_learned, .emit_ctx = t,
		                         .ifname = name_of_interface };
	if (!t->ring || pipeline_init(&t->pipeline, BOUND_CONNS / in->queues, BOUND_WAITING / in->queues) < 0)
		return err_set(err, "worker: out of memory");
	if (in->kept)
		pipeline_keep(&t->pipeline, (char *)in->kept + i * kept_of_thread(in->queues));
	if (!in->device && !(t->pipeline.inject.ways = ways_open()))
		return err_set(err, "worker: out of memory");
	t->loop = (struct loop){ .pipeline = &t->pipeline, .newest = &w->rules, .stop = &w->stop,
		                 .beats = &in->shared->beats[i],
		                 .after_burst = wake_log, .ctx = t };
	queue.num = (uint16_t)(queue.num + i);
	queue.counts = &in->counts[i];
	t->loop.capture = in->device ? pcap_tap_open(in->device, in->filter, &in->shared->tap, err)
	                             : queue_open(in->queue_fd[i], &queue, err);
	return t->loop.capture ? 0 : -1;
}

static int start(struct worker *w, struct err *err)
{
	struct ruleset *rs = open_rules(w->in->rules);

	if (!rs)
		return err_set(err, "worker: the ruleset cannot be mapped");
	atomic_store(&w->rules, rs);
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake < 0)
		return err_set(err, "worker: eventfd: %s", strerror(errno));
	if (open_sinks(w, err) < 0)
		return -1;
	for (; w->threads < w->in->queues; w->threads++)
		if (open_thread(w, w->threads, err) < 0)
			return -1;
	write_notes(w); /* what happened before this worker, such as the start, comes first */
	tzset(); /* /etc/localtime is out of reach from here on */
	if (privs_drop(w->in->empty_folder, PRIVS_WORKER, w->in->device ? PRIVS_NONE : PRIVS_NET_ADMIN, err) < 0)
		return -1;
	diag_drained_by(w->wake);
	for (unsigned i = 0; i < w->threads; i++) {
		struct queue_thread *t = &w->thread[i];

		if (pthread_create(&t->thread, NULL, queue_thread, t) != 0)
			return err_set(err, "worker: no thread for queue %u", w->in->queue.num + i);
		t->running = true;
	}
	if (privs_seccomp(w->in->device ? PRIVS_CAPTURE : PRIVS_DESCRIPTORS, err) < 0)
		return -1;
	atomic_store(&w->in->shared->generation, w->in->generation);
	return message_send(w->in->parent, MESSAGE_READY, w->in->generation, -1) < 0
	               ? err_set(err, "worker: the parent is gone")
	               : 0;
}

static void stop(struct worker *w)
{
	atomic_store(&w->stop, true);
	for (unsigned i = 0; i < w->threads; i++)
		if (w->thread[i].running)
			pthread_join(w->thread[i].thread, NULL);
	if (w->sinks) {
		write_records(w);
		if (w->told_to_stop)
			sinks_last_checkpoint(w->sinks);
	}
	for (unsigned i = 0; i < w->threads; i++) {
		struct queue_thread *t = &w->thread[i];

		t->loop.capture->ops->close(t->loop.capture);
		pipeline_fini(&t->pipeline);
		ways_close(t->pipeline.inject.ways);
		free(t->ring);
		free(t->hops);
	}
	if (atomic_load(&w->rules))
		close_rules((struct ruleset *)(uintptr_t)atomic_load(&w->rules));
	sinks_free(w->sinks);
}

int worker_main(const struct worker_in *in)
{
	static struct worker w;
	struct err           err = { 0 };
	int                  failed;

	w.in = in;
	w.wake = -1;
	/* Ctrl-C reaches the whole process group: the parent ends the worker in order */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	/* with no such limit, malloc() reads the number of processors from files, out of reach then */
	mallopt(M_ARENA_MAX, (int)in->queues + 1);
	diag_never_wait(&in->shared->diag_lost[PROCESS_WORKER]);
	failed = start(&w, &err);
	if (failed)
		diag_error("worker", "%s", err.text);
	else
		log_loop(&w);
	stop(&w);
	diag_drain();
	return failed || w.failed ? 1 : 0;
}
