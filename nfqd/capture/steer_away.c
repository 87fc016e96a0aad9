/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions with a deadline. The kernel makes one after the other, for all programs of the namespace: who
 * loads a hundred thousand rules holds up the rest for seconds, and no signal ends that wait. So a process of
 * its own makes each of ours. When its time is up it is left alone and nothing more is asked for until it has
 * ended, so that no transaction overtakes an earlier one.
 */
#include <errno.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/steer_private.h"

enum {
	PIECE = 4096,
	BYTES_MS = 20 /* how many of the commands' bytes libnftables reads in a millisecond, on a slow machine */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the other process ---- */

/* First how it went, then what nft printed, or its complaint. */
static void tell(int fd, int r, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	for (ssize_t w = write(fd, &r, sizeof(r)); n > 0 && w > 0; text += w, n -= (size_t)w)
		w = write(fd, text, n);
}

static int run_text(struct nft_ctx *nft, const struct away_job *job)
{
	if (!nft || nft_ctx_buffer_error(nft) || nft_ctx_buffer_output(nft))
		return -1;
	if (job->json)
		nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_TERSE);
	return nft_run_cmd_from_buffer(nft, job->commands);
}

/* Closes every descriptor of the parent but those: if this process outlived it, an inherited queue socket would keep
 * the queue bound. */
static void close_others(int *fd, int programs[static PREFILTER_PROGRAMS])
{
	int *const kept[] = { fd, &programs[0], &programs[1] };
	int        above = 0, next = STDERR_FILENO + 1;

	for (unsigned i = 0; i < 3; i++)
		above = *kept[i] >= above ? *kept[i] + 1 : above;
	for (unsigned i = 0; i < 3; i++) /* first where none of them is, */
		*kept[i] = *kept[i] < 0 ? -1 : fcntl(*kept[i], F_DUPFD, above);
	for (unsigned i = 0; i < 3; i++) /* then side by side */
		if (*kept[i] >= 0)
			*kept[i] = dup2(*kept[i], next++);
	close_range((unsigned)next, ~0U, 0);
}

static void make(const struct away_job *job, int fd)
{
	struct nft_ctx *nft;
	struct err      err = { .text = "" };
	int             r = 0, programs[PREFILTER_PROGRAMS] = { -1, -1 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (job->programs)
		memcpy(programs, job->programs, sizeof(programs));
	close_others(&fd, programs);
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (job->commands)
		r = run_text(nft, job);
	if (r == 0 && job->queues)
		r = compat_queue(job->queues, &err);
	if (r == 0 && job->probe)
		r = compat_probe();
	if (r == 0 && job->programs)
		r = compat_prefilter(programs);
	if (err.text[0])
		tell(fd, r, err.text);
	else
		tell(fd, r, !nft ? NULL : r ? nft_ctx_get_error_buffer(nft) : nft_ctx_get_output_buffer(nft));
	close(fd); /* to close the rest may take as long as a transaction */
	_exit(0);
}

/* ---- this one ---- */

static int begin(struct away *a, const struct away_job *job)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	a->pid = fork();
	if (a->pid == 0)
		make(job, ends[1]);
	close(ends[1]);
	if (a->pid < 0) {
		close(ends[0]);
		return -EAGAIN;
	}
	a->fd = ends[0];
	a->until = now_ms() + a->patience_ms + a->extra_ms + (int64_t)(job->commands ? strlen(job->commands) / BYTES_MS : 0);
	return 0;
}

static void end(struct away *a)
{
	close(a->fd);
	waitpid(a->pid, NULL, WNOHANG); /* or the parent's loop reaps it: its sockets may still wait to be closed */
	a->pid = 0;
}

/* What comes until the other side closes; -ETIMEDOUT: it has not by then. The caller frees *text. */
static int read_all(struct away *a, int64_t until, char **text, size_t *n)
{
	struct pollfd pfd = { a->fd, POLLIN, 0 };

	for (;;) {
		int64_t left = until - now_ms();
		char   *more = realloc(*text, *n + PIECE + 1);
		ssize_t got;

		if (!more)
			return -ENOMEM;
		*text = more;
		if (poll(&pfd, 1, left > 0 ? (int)left : 0) <= 0)
			return -ETIMEDOUT;
		got = read(a->fd, *text + *n, PIECE);
		if (got <= 0)
			return 0;
		*n += (size_t)got;
	}
}

/* The one before has its time, too; what it says is not for us. */
static int wait_for_last(struct away *a)
{
	char  *text = NULL;
	size_t n = 0;
	int    r;

	if (!a->pid)
		return 0;
	r = read_all(a, a->until, &text, &n);
	free(text);
	if (r == 0)
		end(a);
	return r;
}

int away_run(struct away *a, const struct away_job *job, char **text)
{
	char  *all = NULL;
	size_t n = 0;
	int    r = wait_for_last(a), said;

	if (text)
		*text = NULL;
	if (r == 0)
		r = begin(a, job);
	if (r == 0)
		r = read_all(a, a->until, &all, &n);
	if (r < 0) {
		free(all);
		return r;
	}
	end(a);
	if (n < sizeof(said)) { /* it was killed */
		free(all);
		return -EPIPE;
	}
	memcpy(&said, all, sizeof(said));
	memmove(all, all + sizeof(said), n - sizeof(said));
	all[n - sizeof(said)] = '\0';
	if (text)
		*text = all;
	else
		free(all);
	return said < 0 ? (said == -ETIMEDOUT ? -EIO : said) : 0;
}
