/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sightings' process: started when packets are steered, again when it ended. Records wait for it in memory that
 * both ends outlive. Files with names of machines are opened here, and read there.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "parent/parent_private.h"
#include "shared/file.h"
#include "sightings/process.h"

#define MEMORY_FOLDER RUN_FOLDER "/sightings" /* of a file system in memory */

enum { STOP_MS = 3000, RETRY_LOOKS = 3, LOOKS_NAMES = 60, LOOKS_NEW = 5, STILL_LOOKS = 30, ANSWER_MS = 3000 };

struct sightings_keeper {
	struct sightings_shared *shared;
	char                     folder[PATH_MAX];
	pid_t                    pid;    /* 0: none */
	int                      parent; /* the socket's end; -1: none */
	unsigned                 looks, due, restarts;
	uint64_t                 named; /* how many records it had taken when it last got names */
	struct pulse             pulse;
	struct ctl_place         place; /* where the console asks; the process ends, it stays */
};

static int choose_folder(struct sightings_keeper *k, const struct conf *boot)
{
	const char *folder = boot->sightings.storage == STORAGE_MEMORY ? MEMORY_FOLDER : boot->sightings.folder;
	int         n;

	if (!folder)
		return file_beside(boot->state, SIGHTINGS_FOLDER, k->folder);
	n = snprintf(k->folder, sizeof(k->folder), "%s", folder);
	return n < 0 || (size_t)n >= sizeof(k->folder) ? -ENAMETOOLONG : 0;
}

#ifdef NFQD_WITHOUT_SIGHTINGS
/* parent_open_sightings() lets none begin. */
int sightings_main(const struct sightings_in *in)
{
	(void)in;
	return 0;
}

static const bool built_in = false;
#else
static const bool built_in = true;
#endif

void parent_open_sightings(struct parent *p)
{
	const struct conf_sightings *conf = &p->boot->sightings;
	struct sightings_keeper     *k;

	if (conf->storage == STORAGE_OFF || (p->tap && !p->boot->path))
		return;
	if (!built_in) {
		diag_info("sightings", "this nfqd was built without: machines are not remembered");
		return;
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return;
	k->parent = -1;
	k->place = CTL_NO_PLACE;
	k->shared = choose_folder(k, p->boot) < 0 ? MAP_FAILED : mmap(NULL, sizeof(*k->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k->shared == MAP_FAILED) {
		diag_warn("sightings", "%m: there are none");
		free(k);
		return;
	}
	p->sightings = k;
	p->in.feed = &k->shared->feed;
}

void parent_open_sightings_socket(struct parent *p)
{
	struct err err = { .text = "" };
	char       path[PATH_MAX];

	if (!p->sightings || ctl_beside(p->conf->control, "sightings", path, sizeof(path)) < 0)
		return;
	if (ctl_place_open(&p->sightings->place, path, &CTL_CONSOLE, &err) < 0)
		diag_warn("sightings", "%s: no console can ask", err.text);
}

/* ---- the process --------------------------------------------------------------------------- */

static void become_sightings(struct parent *p, int socket)
{
	const struct sightings_keeper *k = p->sightings;
	struct sightings_in in = { .shared = k->shared, .parent = socket, .folder = k->folder,
		                   .max_bytes = (int64_t)p->boot->sightings.max_size << 20,
		                   .keep_us = (int64_t)p->boot->sightings.keep * 1000000,
		                   .diag_lost = &p->shared->diag_lost[PROCESS_SIGHTINGS],
		                   .listener = k->place.fd, .operators = ctl_gid(&CTL_OPERATORS) };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	parent_close_but((int[]){ in.parent, in.listener }, 2);
	_exit(sightings_main(&in));
}

void parent_start_sightings(struct parent *p)
{
	struct sightings_keeper *k = p->sightings;
	int                      pair[2];

	if (!k || k->pid > 0)
		return;
	file_make_folder(k->folder);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		k->due = k->looks + RETRY_LOOKS;
		return;
	}
	if (k->parent >= 0)
		close(k->parent);
	k->parent = pair[0];
	k->pid = fork();
	if (k->pid == 0)
		become_sightings(p, pair[1]);
	close(pair[1]);
	k->due = 0;
	k->pulse.still = 0;
	if (k->pid < 0) {
		diag_error("sightings", "fork: %m; the next try is in %d s", RETRY_LOOKS);
		k->pid = 0;
		k->due = k->looks + RETRY_LOOKS;
	}
}

bool parent_sightings_ended(struct parent *p, pid_t pid)
{
	struct sightings_keeper *k = p->sightings;

	if (!k || pid != k->pid)
		return false;
	k->pid = 0;
	k->restarts++;
	k->due = k->looks + RETRY_LOOKS;
	return true;
}

/* ---- names of machines --------------------------------------------------------------------- */

/* A server's folder is often its own user's, who shall not choose by a link what root opens: only root's links count. */
static int open_names(const char *path)
{
	const int   flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int         fd = open(path, flags | O_NOFOLLOW);
	struct stat st;

	if (fd >= 0 || errno != ELOOP || lstat(path, &st) < 0)
		return fd;
	if (st.st_uid == 0)
		return open(path, flags);
	diag_warn("sightings", "%s is a link that user %u made: it is not read", path, (unsigned)st.st_uid);
	return -1;
}

/* A regular file, as it is now; who reads it has no way to the others. Takes fd. */
static void hand_over(const struct sightings_keeper *k, const char *path, int fd, char kind)
{
	struct stat    st;
	struct iovec   iov = { &kind, 1 };
	union {
		char           bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr  m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (fd < 0)
		return; /* most places do not have that server */
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && sendmsg(k->parent, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		diag_debug("sightings", "%s: %s", path, strerror(errno));
	close(fd);
}

/* The site's own: a file that no other program sees. */
static int write_site_names(const struct conf_sightings *conf)
{
	int fd = memfd_create("nfqd-names", MFD_CLOEXEC);

	for (unsigned i = 0; fd >= 0 && i < conf->n_names; i++)
		dprintf(fd, "%s\n", conf->names[i]);
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static void hand_over_names(const struct parent *p)
{
	const struct conf_sightings *conf = &p->boot->sightings;

	hand_over(p->sightings, "sightings.names", write_site_names(conf), SIGHTINGS_SITE);
	if (!p->boot->client_names)
		return;
	hand_over(p->sightings, "/etc/hosts", open_names("/etc/hosts"), SIGHTINGS_HOSTS);
	for (unsigned i = 0; i < conf->n_leases; i++)
		hand_over(p->sightings, conf->leases[i], open_names(conf->leases[i]), SIGHTINGS_LEASES);
}

static void look_whether_it_moves(struct sightings_keeper *k)
{
	uint64_t beats = k->shared->beats;

	k->pulse.still = k->pulse.beats == beats ? k->pulse.still + 1 : 0;
	k->pulse.beats = beats;
	if (k->pulse.still < STILL_LOOKS)
		return;
	diag_error("sightings", "it has not moved for %d s: a new one", STILL_LOOKS);
	kill(k->pid, SIGKILL);
	k->pulse.still = 0;
}

void parent_look_at_sightings(struct parent *p)
{
	struct sightings_keeper *k = p->sightings;

	if (!k)
		return;
	k->looks++;
	if (k->pid <= 0 && k->looks >= k->due)
		parent_start_sightings(p);
	if (k->pid <= 0)
		return;
	look_whether_it_moves(k);
	if (k->looks % LOOKS_NAMES != 1 && (k->shared->taken == k->named || k->looks % LOOKS_NEW != 0))
		return;
	k->named = k->shared->taken; /* there may be new machines */
	hand_over_names(p);
}

void parent_stop_sightings(struct parent *p)
{
	struct sightings_keeper *k = p->sightings;
	uint64_t                 end = poller_ms() + STOP_MS;

	if (!k)
		return;
	if (k->parent >= 0)
		close(k->parent); /* it takes what is there, and ends */
	while (k->pid > 0 && waitpid(k->pid, NULL, WNOHANG) == 0 && poller_ms() < end + STOP_MS) {
		if (poller_ms() > end)
			kill(k->pid, SIGKILL);
		poll(NULL, 0, 2);
	}
	ctl_place_close(&k->place);
	munmap(k->shared, sizeof(*k->shared));
	free(k);
	p->sightings = NULL;
}

/* ---- status and commands ------------------------------------------------------------------- */

json_t *status_sightings(const struct parent *p)
{
	const struct sightings_keeper *k = p->sightings;
	char                           path[PATH_MAX + 32], problem[128];

	if (!k)
		return json_pack("{s:s}", "storage", "off");
	snprintf(path, sizeof(path), "%s/" SIGHTINGS_FILE, k->folder);
	snprintf(problem, sizeof(problem), "%.127s", k->shared->failing ? k->shared->problem : "");
	return json_pack("{s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s?}", "storage",
	                 p->boot->sightings.storage == STORAGE_MEMORY ? "memory" : "disk", "path", path, "pid", (int)k->pid,
	                 "restarts", (int)k->restarts, "taken", (json_int_t)k->shared->taken, "missed",
	                 (json_int_t)k->shared->feed.lost, "waiting_bytes",
	                 (json_int_t)(k->shared->feed.head - k->shared->feed.tail), "bytes", (json_int_t)k->shared->bytes,
	                 "max_bytes", (json_int_t)p->boot->sightings.max_size << 20, "forgotten",
	                 (json_int_t)k->shared->forgotten, "folded_days", (json_int_t)k->shared->folded, "lines_passed_over",
	                 (json_int_t)k->shared->lines_passed_over, "moved_aside", (int)k->shared->moved_aside, "problem", problem[0] ? problem : NULL);
}

/* A message that is answered; the process answers within a batch. */
static int tell(const struct sightings_keeper *k, char message, struct err *err)
{
	struct pollfd fds = { k->parent, POLLIN, 0 };
	uint64_t      end = poller_ms() + ANSWER_MS;
	char          answer = 0;

	if (k->pid <= 0 || send(k->parent, &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return err_set(err, "the process of the sightings does not run; try again in a moment");
	while (poller_ms() < end && answer != message)
		if (poll(&fds, 1, 100) > 0 && recv(k->parent, &answer, 1, MSG_DONTWAIT) == 0)
			return err_set(err, "the process of the sightings ended");
	return answer == message ? 0 : err_set(err, "the process of the sightings does not answer");
}

json_t *run_sightings(void *ctx, const json_t *request, struct err *err)
{
	struct parent *p = ctx;
	const char    *what = json_string_value(json_object_get(request, "what"));

	if (!p->sightings) {
		err_set(err, "no sightings are kept (sightings.storage is off)");
		return NULL;
	}
	if (what && strcmp(what, "hold") == 0 && tell(p->sightings, SIGHTINGS_HOLD, err) < 0)
		return NULL;
	if (what && strcmp(what, "adopt") == 0 && tell(p->sightings, SIGHTINGS_ADOPT, err) < 0)
		return NULL;
	return status_sightings(p);
}
