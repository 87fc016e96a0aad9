/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sightings' process: its loop, and what it does about a database that is damaged or cannot be written. */
#include "sightings/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "shared/privs.h"
#include "sightings/labels.h"
#include "sightings/serve.h"

enum {
	LOOK_MS = 1000,
	BATCH = 1000,      /* records in one transaction */
	RETRY_LOOKS = 10,
	TRIM_LOOKS = 3600,
	LOG_MAX = 8 << 20, /* bytes of the log beside the file; only who reads and does not end makes it so large */
	NICE = 15
};

struct process {
	const struct sightings_in *in;
	struct sightings          *db; /* NULL: it cannot be opened now */
	uint64_t                   noted; /* up to where the console has seen records */
	uint64_t                   at, lost; /* in the feed; records that are in the database as missed */
	unsigned                   looks, retry_at, trim_at;
	bool                       held, held_up; /* by a message; by who reads the database */
	struct sightings_trimmed   unsaid; /* what went for want of room, since it was said */
	struct diag_rate           said, said_room;
};

/* ---- the database -------------------------------------------------------------------------- */

/* Another name for the file and its companions; the newest one is kept. */
static void move_aside(struct process *p)
{
	static const char *const files[][2] = { { SIGHTINGS_FILE, SIGHTINGS_FILE ".damaged" },
		                                { SIGHTINGS_FILE "-wal", SIGHTINGS_FILE ".damaged-wal" },
		                                { SIGHTINGS_FILE "-shm", SIGHTINGS_FILE ".damaged-shm" } };

	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (rename(files[i][0], files[i][1]) < 0 && errno != ENOENT)
			diag_warn("sightings", "%s: %s", files[i][0], strerror(errno));
	diag_warn("sightings", "the database is damaged or of another version: it is moved aside to %s/%s, and a new one "
	          "begins (nfqctl sightings rebuild LOG... makes it of records)", p->in->folder, files[0][1]);
	atomic_store(&p->in->shared->moved_aside, true);
}

static void say_problem(struct process *p, const char *problem)
{
	snprintf(p->in->shared->problem, sizeof(p->in->shared->problem), "%s", problem);
	atomic_store(&p->in->shared->failing, true);
	if (diag_may(&p->said, clock_now()))
		diag_warn("sightings", "%s; the next try is in %d s, and records wait as far as there is room", problem,
		          RETRY_LOOKS);
	p->retry_at = p->looks + RETRY_LOOKS;
}

static void open_database(struct process *p)
{
	struct err err = { 0 };
	bool       damaged;

	p->db = sightings_open(SIGHTINGS_FILE, SIGHTINGS_CREATE, &damaged, &err);
	if (!p->db && damaged) {
		move_aside(p);
		err.text[0] = '\0';
		p->db = sightings_open(SIGHTINGS_FILE, SIGHTINGS_CREATE, NULL, &err);
	}
	if (!p->db) {
		say_problem(p, err.text);
		return;
	}
	sightings_limit(p->db, p->in->max_bytes);
	atomic_store(&p->in->shared->failing, false);
}

/* What was not committed is taken again. */
static void give_up(struct process *p)
{
	bool damaged = sightings_is_damaged(p->db);
	char problem[160];

	snprintf(problem, sizeof(problem), "%s", sightings_problem(p->db) ? sightings_problem(p->db) : "");
	sightings_close(p->db);
	p->db = NULL;
	p->at = atomic_load(&p->in->shared->feed.tail);
	if (damaged) {
		move_aside(p);
		open_database(p);
	} else {
		say_problem(p, problem);
	}
}

/* ---- records ------------------------------------------------------------------------------- */

static unsigned take_batch(struct process *p)
{
	struct feed    *feed = &p->in->shared->feed;
	static char     line[FEED_LINE];
	struct sighting one;
	unsigned        n = 0;
	uint32_t        length;

	for (; n < BATCH && (!sightings_wants_commit(p->db) || n == 0) && (length = feed_next(feed, &p->at, line)) != 0; n++) {
		sighting_read(&one, line, length);
		sightings_take(p->db, &one);
		sighting_free(&one);
		if (p->at > p->noted) /* not once more what a broken transaction had */
			serve_note(line, length);
	}
	p->noted = p->at > p->noted ? p->at : p->noted;
	return n;
}

static bool is_fed(const struct process *p)
{
	const struct feed *feed = &p->in->shared->feed;

	return atomic_load(&feed->head) != p->at || atomic_load(&feed->lost) != p->lost;
}

/* One transaction; returns how many records it had. */
static unsigned commit_batch(struct process *p)
{
	uint64_t lost = atomic_load(&p->in->shared->feed.lost);
	unsigned n;

	if (!p->db || !is_fed(p))
		return 0;
	if (sightings_begin(p->db) < 0) {
		give_up(p);
		return 0;
	}
	n = take_batch(p);
	if (lost != p->lost)
		sightings_missed(p->db, (int64_t)(lost - p->lost), (int64_t)(clock_now() / NS_PER_US));
	if (sightings_commit(p->db) < 0) {
		give_up(p);
		return 0;
	}
	p->lost = lost;
	atomic_store(&p->in->shared->feed.tail, p->at);
	atomic_fetch_add(&p->in->shared->taken, n);
	return n;
}

/* ---- limits -------------------------------------------------------------------------------- */

static int64_t size_of(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 ? st.st_size : 0;
}

static void say_trimmed(struct process *p)
{
	struct sightings_trimmed *t = &p->unsaid;

	if (t->crowd + t->weakest + t->days == 0 || !diag_may(&p->said_room, clock_now()))
		return;
	diag_warn("sightings", "no room within sightings.max-size: %lld days became one sum; %lld machines of those that came by "
	          "the hundreds and %lld others of the least evidence are forgotten", (long long)t->days,
	          (long long)t->crowd, (long long)t->weakest);
	*t = (struct sightings_trimmed){ 0 };
}

/* before: as sightings_trim() has it. */
static void trim(struct process *p, int64_t before)
{
	struct sightings_trimmed sum = { 0 };

	while (sightings_trim(p->db, before, &sum))
		atomic_fetch_add(&p->in->shared->beats, 1);
	atomic_fetch_add(&p->in->shared->forgotten, (uint64_t)(sum.crowd + sum.weakest));
	atomic_fetch_add(&p->in->shared->folded, (uint64_t)sum.days);
	p->unsaid.crowd += sum.crowd;
	p->unsaid.weakest += sum.weakest;
	p->unsaid.days += sum.days;
	say_trimmed(p);
	if (sightings_problem(p->db))
		give_up(p);
}

static void keep_limits(struct process *p)
{
	atomic_store(&p->in->shared->bytes, (uint64_t)(size_of(SIGHTINGS_FILE) + size_of(SIGHTINGS_FILE "-wal")));
	if (!p->db || p->looks < p->trim_at)
		return;
	p->trim_at = p->looks + TRIM_LOOKS;
	trim(p, (int64_t)(clock_now() / NS_PER_US) - p->in->keep_us);
}

/* Whoever reads one state of the database for long keeps all that came since in its log. */
static bool is_held_up(struct process *p)
{
	bool held_up = size_of(SIGHTINGS_FILE "-wal") > LOG_MAX && !sightings_checkpoint(p->db);

	if (held_up && p->looks >= p->retry_at)
		say_problem(p, "somebody reads the database and does not end");
	if (!held_up && p->held_up)
		atomic_store(&p->in->shared->failing, false);
	p->held_up = held_up;
	return held_up;
}

static void take_all(struct process *p)
{
	do {
		atomic_fetch_add(&p->in->shared->beats, 1);
		if (p->db && sightings_is_full(p->db))
			trim(p, 0);
	} while (!p->held && p->db && !is_held_up(p) && commit_batch(p) > 0);
}

/* ---- a hold ------------------------------------------------------------------------------- */

static bool is_locked(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int          fd = open(SIGHTINGS_LOCK, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool         locked = fd >= 0 && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;

	if (fd >= 0)
		close(fd);
	return locked;
}

/* Who rebuilds may be killed: what he began is not waited for. */
static void look_at_hold(struct process *p)
{
	if (!p->held || is_locked())
		return;
	p->held = false;
	diag_warn("sightings", "whoever rebuilt the database ended before it was done: the old one goes on");
}

/* ---- messages ------------------------------------------------------------------------------ */

static void adopt(struct process *p)
{
	p->held = false;
	sightings_close(p->db);
	p->db = NULL;
	if (access(SIGHTINGS_NEW, F_OK) == 0) {
		unlink(SIGHTINGS_FILE "-wal");
		unlink(SIGHTINGS_FILE "-shm");
		if (rename(SIGHTINGS_NEW, SIGHTINGS_FILE) < 0)
			diag_warn("sightings", "%s: %s", SIGHTINGS_NEW, strerror(errno));
		atomic_store(&p->in->shared->moved_aside, false);
	}
	open_database(p);
}

/* Each minute the same lines: said when there are more of them or fewer. */
static void say_passed_over(struct process *p, unsigned n, enum labels_of of)
{
	static const char *const files[LABELS_N] = { "a leases file", "/etc/hosts", "sightings.names" };
	static unsigned          said[LABELS_N];

	if (n && n != said[of])
		diag_warn("sightings", "%s: %u lines are longer than 1023 bytes, have a NUL, or come after 4 MB: they are passed over",
		          files[of], n);
	said[of] = n;
	atomic_fetch_add(&p->in->shared->lines_passed_over, n);
}

static void read_names(struct process *p, int fd, enum labels_of of)
{
	if (!p->db || fd < 0 || p->held)
		return;
	if (sightings_begin(p->db) == 0) {
		unsigned n = labels_read(p->db, fd, of, (int64_t)(clock_now() / NS_PER_US));

		say_passed_over(p, n, of);
		if (sightings_commit(p->db) == 0)
			return;
	}
	give_up(p);
}

static void obey(struct process *p, char message, int fd)
{
	static const char kinds[LABELS_N] = { SIGHTINGS_LEASES, SIGHTINGS_HOSTS, SIGHTINGS_SITE };

	for (unsigned of = 0; of < LABELS_N; of++)
		if (message == kinds[of]) {
			read_names(p, fd, (enum labels_of)of);
			return;
		}
	if (message == SIGHTINGS_HOLD) {
		take_all(p);
		p->held = true;
	} else if (message == SIGHTINGS_ADOPT) {
		adopt(p);
	}
	if (send(p->in->parent, &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		diag_debug("sightings", "answer: %s", strerror(errno));
}

/* Returns false when the parent is gone. */
static bool listen_to_parent(struct process *p)
{
	union {
		char           bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char           byte;
	struct iovec   iov = { &byte, 1 };
	struct msghdr  m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t        n = recvmsg(p->in->parent, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	int            fd = -1;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	obey(p, byte, fd);
	if (fd >= 0)
		close(fd);
	return true;
}

/* ---- the process --------------------------------------------------------------------------- */

static void loop(struct process *p)
{
	struct pollfd fds = { p->in->parent, POLLIN, 0 };

	do {
		p->looks++;
		atomic_fetch_add(&p->in->shared->beats, 1);
		look_at_hold(p);
		if (!p->db && !p->held && p->looks >= p->retry_at)
			open_database(p);
		take_all(p);
		keep_limits(p);
		diag_drain();
		poll(&fds, 1, LOOK_MS);
	} while (!(fds.revents & (POLLIN | POLLHUP)) || listen_to_parent(p));
	take_all(p);
}

/* The folder, and what an earlier user of the process left in it, become its user's. */
static int own_folder(const char *folder, struct err *err)
{
	static const char *const files[] = { SIGHTINGS_FILE, SIGHTINGS_FILE "-wal", SIGHTINGS_FILE "-shm", SIGHTINGS_NEW };
	char                     path[512];

	if ((mkdir(folder, 0750) < 0 && errno != EEXIST) || privs_give(PRIVS_SIGHTINGS, folder) < 0)
		return err_set(err, "%s: %s", folder, strerror(errno));
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		if (privs_give(PRIVS_SIGHTINGS, path) < 0 && errno != ENOENT)
			return err_set(err, "%s: %s", path, strerror(errno));
	}
	return 0;
}

int sightings_main(const struct sightings_in *in)
{
	static struct process p;
	struct err            err = { 0 };

	p.in = in;
	p.at = atomic_load(&in->shared->feed.tail);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	diag_never_wait(in->diag_lost);
	setpriority(PRIO_PROCESS, 0, NICE);
	umask(027);
	if (own_folder(in->folder, &err) < 0 || privs_drop(in->folder, PRIVS_SIGHTINGS, PRIVS_NONE, &err) < 0 ||
	    serve_start(in->listener, SIGHTINGS_FILE, in->operators, &err) < 0 || privs_seccomp(PRIVS_FILES, &err) < 0) {
		diag_warn("sightings", "%s", err.text);
		return 1;
	}
	open_database(&p);
	loop(&p);
	sightings_close(p.db);
	return 0;
}
