/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics: what the daemon says about itself, on stderr. What it says about traffic is an event
 * (log/event.h); the two are never mixed. The token names the room.
 */
#ifndef NFQD_BASE_DIAG_H
#define NFQD_BASE_DIAG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum diag_level { DIAG_DEBUG, DIAG_INFO, DIAG_WARN, DIAG_ERROR };

typedef void diag_sink(enum diag_level level, const char *token, const char *text);

/* Replaces the sink (tests, fuzzers); NULL restores stderr. */
void diag_register(diag_sink *sink);
/* Lowest level that is printed; DIAG_INFO from the start. */
void diag_set_level(enum diag_level level);

__attribute__((format(printf, 3, 4))) void diag(enum diag_level level, const char *token,
                                                const char *fmt, ...);

/* A line without level and token, newline added. */
__attribute__((format(printf, 1, 2))) void diag_line(const char *fmt, ...);

/*
 * For a daemon: call it at the start and again in each process that it forks. From then on no line waits
 * for the reader of stderr. Lines go through a ring of 64; those that find no room are counted in lost
 * (borrowed for good) and reported when there is room again. The thread that logs also writes the lines
 * out.
 */
void diag_never_wait(_Atomic uint64_t *lost);
/* From now on another thread writes them out: wake is the eventfd that wakes it, to call diag_drain(). */
void diag_drained_by(int wake);
/* Writes as much as stderr has room for. */
void diag_drain(void);

#define diag_debug(token, ...) diag(DIAG_DEBUG, token, __VA_ARGS__)
#define diag_info(token, ...)  diag(DIAG_INFO, token, __VA_ARGS__)
#define diag_warn(token, ...)  diag(DIAG_WARN, token, __VA_ARGS__)
#define diag_error(token, ...) diag(DIAG_ERROR, token, __VA_ARGS__)

/* At most one line per kind every ten seconds: true when this one may be printed. now in ns. */
struct diag_rate {
	uint64_t next;
};
bool diag_may(struct diag_rate *rate, uint64_t now);

#endif
