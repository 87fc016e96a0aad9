/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wall-clock time in nanoseconds since 1970-01-01 UTC, the unit of every time in the daemon. */
#ifndef NFQD_BASE_CLOCK_H
#define NFQD_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

uint64_t clock_now(void);
/* Never goes back and is never set: measures durations. */
uint64_t clock_monotonic(void);

/* Parses 2024-09-29T04:00:00Z (seconds and Z may be missing) or 2024-09-29 (midnight UTC) into
 * seconds since 1970. Returns 0 or -1. */
int clock_parse(const char *text, int64_t *seconds);

/* Parses a duration: a number and one of s, m, h, d, w, as in 90s, 10m, 7d. Returns 0 or -1. */
int clock_parse_span(const char *text, int64_t *seconds);

#define CLOCK_TEXT 32 /* room for every text below, with its NUL */
/* 2026-11-23T16:20:31.482113+0000 (the EVE form) */
void clock_text_eve(uint64_t ns, char out[CLOCK_TEXT]);
/* 2026-11-23T16:20:31Z */
void clock_text_iso(int64_t seconds, char out[CLOCK_TEXT]);

#endif
