/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the bench's load generators share: the clock, addresses, and the end when something fails. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NS = 1000000000, SOURCES_MAX = 256 };

_Noreturn static inline void fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

/* Reads up to room bytes of a file. Returns how many. */
static inline size_t read_file(const char *path, void *out, size_t room)
{
	FILE  *f = fopen(path, "rb");
	size_t n;

	if (!f)
		fail(path);
	n = fread(out, 1, room, f);
	fclose(f);
	return n;
}

/* Monotonic, in ns. */
static inline uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS + (uint64_t)ts.tv_nsec;
}

static inline void wait_until(uint64_t t)
{
	struct timespec ts = { .tv_sec = (time_t)(t / NS), .tv_nsec = (long)(t % NS) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static inline struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };

	if (inet_pton(AF_INET, host, &sa.sin_addr) != 1)
		fail(host);
	return sa;
}

/* The addresses of the environment's SOURCES; returns how many, 0 when it is not set. */
static inline unsigned read_sources(struct sockaddr_in out[static SOURCES_MAX])
{
	char    *rest = NULL, *list = getenv("SOURCES");
	unsigned n = 0;

	for (char *s = list ? strtok_r(list, " ", &rest) : NULL; s && n < SOURCES_MAX; s = strtok_r(NULL, " ", &rest))
		out[n++] = address(s, "0");
	return n;
}

#endif
