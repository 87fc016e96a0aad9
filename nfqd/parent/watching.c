/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Was nfqd watching? What passed without being judged, for how long nothing was queued, what happened while
 * no nfqd ran, and whether the clock of the records can be believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/diag.h"
#include "parent/parent_private.h"

/* ---- while no nfqd ran ---- */

static void counts_path(const struct parent *p, char out[sizeof(p->net_path) + 8])
{
	snprintf(out, sizeof(p->net_path) + 8, "%s.counts", p->net_path);
}

/* What the queues of a killed run had taken; false: no run was killed here. */
static bool read_taken(const char *path, uint64_t *taken)
{
	struct queue_counts kept[QUEUES_MAX];
	int                 fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool                whole = fd >= 0 && read(fd, kept, sizeof(kept)) == sizeof(kept);

	if (fd >= 0)
		close(fd);
	*taken = 0;
	for (unsigned i = 0; whole && i < QUEUES_MAX; i++)
		*taken += kept[i].received;
	return whole;
}

/* The counts of the queues live in a file, so that they are there after everything was killed. A new file:
 * the old one may still be mapped by a worker that is about to end. */
static int map_counts(struct parent *p, const char *path)
{
	const size_t size = QUEUES_MAX * sizeof(struct queue_counts);
	void        *map = MAP_FAILED;
	int          fd, r = 0;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) == 0)
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		r = -errno;
	else
		p->in.counts = map;
	close(fd);
	return r;
}

void parent_open_counts(struct parent *p)
{
	char                path[sizeof(p->net_path) + 8];
	struct steer_counts left;
	uint64_t            taken;
	int                 r;

	if (p->tap)
		return;
	counts_path(p, path);
	p->while_down = -1;
	if (read_taken(path, &taken) && steer_left_behind(&left))
		p->while_down = left.queued > taken ? (int64_t)(left.queued - taken) : 0;
	r = map_counts(p, path);
	if (r < 0)
		diag_warn("log", "%s: %s; if this run is killed, the next one cannot say what passed", path,
		          strerror(-r));
}

void parent_close_counts(struct parent *p)
{
	char path[sizeof(p->net_path) + 8];

	if (p->tap || p->net_lock < 0)
		return;
	counts_path(p, path);
	unlink(path);
}

void parent_add_while_down(const struct parent *p, json_t *start)
{
	if (!p->tap && p->while_down >= 0)
		json_object_set_new(start, p->boot->fail == FAIL_OPEN ? "uninspected_while_down" : "held_while_down",
		                    json_integer(p->while_down));
}

/* ---- while nothing is queued ---- */

void parent_fault_begins(struct parent *p)
{
	p->unprotected = true;
	p->unprotected_since = poller_ms();
	parent_record(p, "fault-policy", json_pack("{s:s, s:s, s:s, s:i}", "state", "begun", "fail", "open", "reason",
	                                           "workers died in a row", "deaths", (int)p->deaths));
}

void parent_fault_ends(struct parent *p)
{
	uint64_t ms = poller_ms() - p->unprotected_since;

	p->unprotected = false;
	p->unprotected_ms += ms;
	parent_record(p, "fault-policy", json_pack("{s:s, s:s, s:f}", "state", "ended", "fail", "open", "seconds",
	                                           (double)ms / 1000));
}

static double fail_open_seconds(const struct parent *p)
{
	return (double)(p->unprotected_ms + (p->unprotected ? poller_ms() - p->unprotected_since : 0)) / 1000;
}

/* ---- for stats ---- */

/* adjtimex(2): what the kernel knows of its clock. */
static json_t *clock_json(void)
{
	struct timex t = { .modes = 0 };
	int          r = adjtimex(&t);

	if (r < 0)
		return NULL;
	return json_pack("{s:b, s:I, s:I}", "synchronised", r != TIME_ERROR && !(t.status & STA_UNSYNC),
	                 "estimated_error_us", (json_int_t)t.esterror, "maximum_error_us", (json_int_t)t.maxerror);
}

static json_int_t sum_of(const struct parent *p, enum counter which)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < p->in.queues; i++)
		sum += p->shared->count[i].v[which];
	return (json_int_t)sum;
}

static json_int_t faults(const struct parent *p)
{
	json_int_t sum = 0;

	for (unsigned i = 0; i < FAULT_N; i++)
		sum += sum_of(p, COUNT_fault_decode + i);
	return sum;
}

void parent_add_watching(const struct parent *p, json_t *stats)
{
	json_t *steering = json_object_get(stats, "steering"), *all;

	all = json_pack("{s:I, s:I, s:I, s:I}", "ech", sum_of(p, COUNT_ech_hidden), "no_name",
	                sum_of(p, COUNT_nameless), "unknown_protocol", sum_of(p, COUNT_unknown), "faults", faults(p));
	json_object_set(all, "no_conntrack", json_object_get(steering, "no_conntrack"));
	json_object_set(all, "bypassed", json_object_get(steering, "bypassed"));
	json_object_set(all, "offloaded", json_object_get(steering, "uninspected"));
	json_object_set_new(stats, "uninspected", all);
	json_object_set_new(stats, "fail_open_s", json_real(fail_open_seconds(p)));
	json_object_set_new(stats, "clock", clock_json());
}
