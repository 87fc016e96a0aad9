/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A restart without a gap. The process that ends leaves the table as it is and gives the queues' sockets to the
 * service manager (sd_notify(3), FDSTORE), which gives them to the next process (sd_listen_fds(3)): packets that come
 * in between wait in the kernel. The tokens go along, since the table that stands knows no others. Done only when a
 * next process was announced, because sockets without a reader hold up what they queue.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "base/diag.h"
#include "parent/notify.h"
#include "parent/parent_private.h"

#define NAME_QUEUES "nfqd-queues"
#define NAME_NOTE   "nfqd-note"

enum { ANNOUNCED_MS = 10000, BARRIER_US = 2000000 };

static const char magic[8] = "nfqd-2";

/* ---- the end of the former process ---- */

json_t *run_handover(void *ctx, const json_t *request, struct err *err)
{
	struct parent *p = ctx;

	(void)request;
	if (!p->steer || !getenv("NOTIFY_SOCKET"))
		return err_set(err, "no service manager can keep the queues of this process"), NULL;
	p->followed_until = poller_ms() + ANNOUNCED_MS;
	return json_pack("{s:i}", "seconds", ANNOUNCED_MS / 1000);
}

bool parent_is_followed(const struct parent *p)
{
	return p->steer && p->worker > 0 && !p->unprotected && poller_ms() < p->followed_until;
}

static int write_note(const struct parent *p)
{
	const struct queue_conf *q = &p->in.queue;
	struct handover_note     note = { .tokens = p->tokens, .queue_num = q->num, .queues = (uint16_t)p->in.queues,
		                          .fail_open = q->fail_open, .labels = q->labels, .glue = q->glue,
		                          .mark_token = q->mark_token };
	int fd = memfd_create(NAME_NOTE, MFD_CLOEXEC);

	memcpy(note.magic, magic, sizeof(magic));
	if (fd >= 0 && write(fd, &note, sizeof(note)) == sizeof(note))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool parent_hand_over(struct parent *p)
{
	int note = write_note(p);
	int r = note < 0 ? -errno : sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=" NAME_NOTE "\nFDPOLL=0", &note, 1);

	if (r > 0)
		r = sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=" NAME_QUEUES "\nFDPOLL=0", p->in.queue_fd,
		                           p->in.queues);
	if (r > 0) /* the manager reads the descriptors before they are closed here */
		r = sd_notify_barrier(0, BARRIER_US);
	if (note >= 0)
		close(note);
	if (r <= 0) {
		diag_warn("queue", "the service manager does not take the queues: %s", strerror(-r));
		return false;
	}
	diag_info("queue", "packets wait for the next nfqd, which takes the queues over");
	return true;
}

/* ---- the start of the next one ---- */

static void read_note(struct handover *h, int fd)
{
	if (pread(fd, &h->note, sizeof(h->note), 0) != sizeof(h->note) ||
	    memcmp(h->note.magic, magic, sizeof(magic)) != 0 || h->note.queues > QUEUES_MAX)
		h->note = (struct handover_note){ .queues = 0 };
	close(fd);
}

void handover_receive(struct handover *h)
{
	char **names = NULL;
	int    n = sd_listen_fds_with_names(1, &names);

	*h = (struct handover){ .n = 0 };
	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (strcmp(names[i], NAME_NOTE) == 0)
			read_note(h, fd);
		else if (strcmp(names[i], NAME_QUEUES) == 0 && h->n < QUEUES_MAX)
			h->fd[h->n++] = fd;
		free(names[i]);
	}
	free(names);
	if (!h->n)
		return;
	/* a copy there would keep packets waiting when this process dies */
	sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" NAME_QUEUES);
	sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" NAME_NOTE);
}

/* The socket that the kernel's queue belongs to; -1: none of these. */
static int owner_of(const struct handover *h, uint16_t queue)
{
	struct queue_kernel k;

	if (queue_kernel_counters(queue, &k) < 0)
		return -1;
	for (unsigned i = 0; i < h->n; i++) {
		struct sockaddr_nl sa;
		socklen_t          size = sizeof(sa);

		if (getsockname(h->fd[i], (struct sockaddr *)&sa, &size) == 0 && sa.nl_family == AF_NETLINK &&
		    sa.nl_pid == k.portid)
			return h->fd[i];
	}
	return -1;
}

/* A start of other queues, or by another policy, begins like one after a kill. */
static bool fits(const struct handover_note *note, const struct queue_conf *q, unsigned queues)
{
	return note->queues == queues && note->queue_num == q->num && note->fail_open == q->fail_open &&
	       note->labels == q->labels && note->mark_token == q->mark_token && (q->glue || !note->glue);
}

bool parent_take_over(struct parent *p)
{
	struct handover  *h = &p->handed;
	struct worker_in *in = &p->in;
	unsigned          n = conf_queues(p->conf);
	bool              all = h->n == n && fits(&h->note, &in->queue, n);

	for (unsigned i = 0; i < n && all; i++) {
		in->queue_fd[i] = owner_of(h, (uint16_t)(in->queue.num + i));
		all = in->queue_fd[i] >= 0;
	}
	if (!all) {
		handover_drop(h);
		return false;
	}
	h->n = 0; /* they are the worker's now */
	h->taken = true;
	in->queues = n;
	in->queue.glue = p->means.glue = h->note.glue;
	p->tokens = h->note.tokens;
	in->queue.token = p->tokens.verdict;
	diag_info("queue", "taken over from the nfqd before, with the packets that wait");
	return true;
}

void handover_drop(struct handover *h)
{
	unsigned released = 0;

	if (!h->n)
		return;
	for (unsigned i = 0; i < h->note.queues; i++) {
		uint16_t num = (uint16_t)(h->note.queue_num + i);
		int      fd = owner_of(h, num);

		if (fd >= 0)
			released += queue_release(fd, num, h->note.fail_open);
	}
	for (unsigned i = 0; i < h->n; i++)
		close(h->fd[i]);
	h->n = 0;
	diag_warn("queue", "the queues of the nfqd before are not taken over: %u waiting packets %s", released,
	          h->note.fail_open ? "passed" : "dropped");
}

void handover_abandon(struct handover *h)
{
	if (!h->n)
		return;
	if (h->note.fail_open)
		steer_stop_left(true);
	handover_drop(h);
	if (h->note.fail_open)
		steer_remove_left();
}

void parent_not_started(void)
{
	struct handover h;

	handover_receive(&h);
	handover_abandon(&h);
}
