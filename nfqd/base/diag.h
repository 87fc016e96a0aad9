/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics: what the daemon says about itself, on stderr. What it says about traffic are events
 * (log/event.h); the two are never mixed. The token names the room that speaks.
 */
#ifndef NFQD_BASE_DIAG_H
#define NFQD_BASE_DIAG_H

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

#define diag_debug(token, ...) diag(DIAG_DEBUG, token, __VA_ARGS__)
#define diag_info(token, ...)  diag(DIAG_INFO, token, __VA_ARGS__)
#define diag_warn(token, ...)  diag(DIAG_WARN, token, __VA_ARGS__)
#define diag_error(token, ...) diag(DIAG_ERROR, token, __VA_ARGS__)

/* At most one line per kind and ten seconds: true when this one may be printed. now in ns. */
struct diag_rate {
	uint64_t next;
};
bool diag_may(struct diag_rate *rate, uint64_t now);

#endif
