/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading, parsing and printing wall-clock time. */
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64 /* also where time_t has 32 bits, which end in 2038: dates of policies lie beyond */
#include "base/clock.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

int clock_parse(const char *text, int64_t *seconds)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S",
		                             "%Y-%m-%dT%H:%MZ", "%Y-%m-%d" };
	static const size_t      lengths[] = { 20, 19, 17, 10 };

	/* strptime takes 24-9-1 for a day of the first century */
	if (strspn(text, "0123456789") != 4 || strpbrk(text, " \t\r\n"))
		return -1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm   tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);
		struct tm   given = tm;

		if (!end || *end || (size_t)(end - text) != lengths[i])
			continue;
		*seconds = timegm(&tm);
		/* strptime lets 2026-02-31 pass; timegm then moves it into March */
		return tm.tm_mday == given.tm_mday && tm.tm_mon == given.tm_mon ? 0 : -1;
	}
	return -1;
}

int clock_parse_span(const char *text, int64_t *seconds)
{
	static const struct {
		char    unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9 || !text[digits] || text[digits + 1])
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == text[digits]) {
			*seconds = strtoll(text, NULL, 10) * units[i].seconds;
			return 0;
		}
	return -1;
}

/* Many records are of one second. */
void clock_text_eve(uint64_t ns, char out[CLOCK_TEXT])
{
	static const char           end[] = "+0000";
	static _Thread_local char   text[CLOCK_TEXT];
	static _Thread_local size_t n;
	static _Thread_local time_t last;
	time_t                      s = (time_t)(ns / NS_PER_S);
	unsigned                    us = (unsigned)(ns % NS_PER_S / NS_PER_US);
	struct tm                   tm;

	if (n == 0 || s != last) {
		gmtime_r(&s, &tm);
		n = strftime(text, CLOCK_TEXT - sizeof(end) - 6, "%Y-%m-%dT%H:%M:%S", &tm);
		last = s;
	}
	memcpy(out, text, n);
	out[n] = '.';
	for (unsigned i = 6; i > 0; i--, us /= 10)
		out[n + i] = (char)('0' + us % 10);
	memcpy(out + n + 7, end, sizeof(end));
}

void clock_text_iso(int64_t seconds, char out[CLOCK_TEXT])
{
	time_t    s = (time_t)seconds;
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
