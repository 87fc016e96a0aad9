/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics to stderr, or to a test's own sink. A daemon's lines go through a ring, so that a stderr
 * whose reader has stopped delays neither packets nor the parent.
 */
#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag_ring.h"
#include "base/outlet.h"
#include "base/printable.h"

static struct {
	struct diag_ring  ring;
	struct outlet     out;
	_Atomic uint64_t *lost; /* NULL: not a daemon; writing to stderr may block */
	uint64_t          told; /* how much of lost was reported */
	size_t            done; /* bytes of the oldest line that are written */
	int               wake; /* eventfd of the thread that drains; -1: the thread that logs drains */
} daemon_lines;

static void say(const char *line, size_t n)
{
	if (!daemon_lines.lost) {
		fwrite(line, 1, n, stderr);
		return;
	}
	if (!diag_ring_add(&daemon_lines.ring, line, (uint32_t)n))
		atomic_fetch_add(daemon_lines.lost, 1);
	if (daemon_lines.wake < 0)
		diag_drain();
	else
		eventfd_write(daemon_lines.wake, 1);
}

/* A line always ends with a newline; a line that does not fit is cut. */
__attribute__((format(printf, 1, 0))) static void say_line(const char *fmt, va_list ap)
{
	char   raw[DIAG_LINE], line[DIAG_LINE];
	size_t n;

	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		return;
	n = printable(raw, line, sizeof(line));
	line[n] = '\n'; /* where the NUL was */
	say(line, n + 1);
}

void diag_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line(fmt, ap);
	va_end(ap);
}

static void to_stderr(enum diag_level level, const char *token, const char *text)
{
	static const char *const prefix[] = { "debug: ", "", "warning: ", "error: " };

	diag_line("nfqd: %s%s: %s", prefix[level], token, text);
}

static diag_sink      *sink = to_stderr;
static enum diag_level lowest = DIAG_INFO;

void diag_register(diag_sink *s)
{
	sink = s ? s : to_stderr;
}

void diag_set_level(enum diag_level level)
{
	lowest = level;
}

void diag(enum diag_level level, const char *token, const char *fmt, ...)
{
	char    text[1024];
	va_list ap;

	if (level < lowest)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sink(level, token, text);
}

bool diag_may(struct diag_rate *rate, uint64_t now)
{
	const uint64_t pause = 10 * NS_PER_S;

	if (now < rate->next && rate->next <= now + pause) /* otherwise the clock went back */
		return false;
	rate->next = now + pause;
	return true;
}

/* ---- a daemon's ---- */

void diag_never_wait(_Atomic uint64_t *lost)
{
	int own = outlet_duplicate(STDERR_FILENO);

	fflush(stderr);
	if (own >= 0 && dup2(own, STDERR_FILENO) >= 0)
		close(own);
	daemon_lines.out = outlet_of(STDERR_FILENO);
	daemon_lines.told = atomic_load(lost);
	daemon_lines.done = 0;
	daemon_lines.wake = -1;
	diag_ring_init(&daemon_lines.ring);
	daemon_lines.lost = lost;
}

void diag_drained_by(int wake)
{
	daemon_lines.wake = wake;
}

/* Reports lost lines, once there is room again. */
static void tell_lost(void)
{
	uint64_t lost = atomic_load(daemon_lines.lost);
	char     line[96];
	int      n;

	if (lost == daemon_lines.told)
		return;
	n = snprintf(line, sizeof(line), "nfqd: warning: diag: %llu lines lost: standard error had no room\n",
	             (unsigned long long)(lost - daemon_lines.told));
	if (outlet_write(&daemon_lines.out, line, (size_t)n) > 0)
		daemon_lines.told = lost;
}

void diag_drain(void)
{
	const struct diag_slot *s;

	while (daemon_lines.lost && (s = diag_ring_peek(&daemon_lines.ring)) != NULL) {
		ssize_t r = outlet_write(&daemon_lines.out, s->text + daemon_lines.done,
		                         s->n - daemon_lines.done);

		if (r == -EINTR)
			continue;
		if (r == -EAGAIN)
			return;
		if (r > 0 && (daemon_lines.done += (size_t)r) < s->n)
			continue;
		if (r <= 0) /* the reader is gone, or the disk is full */
			atomic_fetch_add(daemon_lines.lost, 1);
		daemon_lines.done = 0;
		diag_ring_pop(&daemon_lines.ring);
	}
	if (daemon_lines.lost)
		tell_lost();
}
