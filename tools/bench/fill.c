/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts records from standard input into a database of sightings, as the daemon's process does: in batches, within a
 * cap. After each empty line it prints how many records a second the lines since the last one were.
 *
 *	fill FILE MAX-BYTES
 *	fill --run COMMAND...	runs it: prints how many seconds it took and its memory in MB, and ends as it does
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "sightings/sightings.h"

enum { BATCH = 1000 };

static void take(struct sightings *s, const char *line, size_t n)
{
	struct sighting one;

	sighting_read(&one, line, n);
	sightings_take(s, &one);
	sighting_free(&one);
}

static bool turn(struct sightings *s)
{
	return sightings_commit(s) == 0 && sightings_begin(s) == 0;
}

static uint64_t processor_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* One day's lines; the rate by processor time, or -1 at the end. */
static double day(struct sightings *s, char **line, size_t *room)
{
	uint64_t spent = 0, n = 0, before;
	ssize_t  got;

	while ((got = getline(line, room, stdin)) > 1) {
		before = processor_time();
		take(s, *line, (size_t)got);
		if (++n % BATCH == 0 && !turn(s))
			return -1;
		spent += processor_time() - before;
	}
	if (got < 0 || !turn(s))
		return -1;
	return n && spent ? (double)n * (double)NS_PER_S / (double)spent : 0;
}

static int run(char **command)
{
	uint64_t      before = clock_monotonic();
	struct rusage use;
	int           status;
	pid_t         pid = fork();

	if (pid == 0) {
		execv(command[0], command);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) < 0)
		return 1;
	fprintf(stderr, "%.3f %.1f\n", (double)(clock_monotonic() - before) / (double)NS_PER_S, (double)use.ru_maxrss / 1024);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	struct err        err = { 0 };
	bool              runs = argc > 2 && strcmp(argv[1], "--run") == 0;
	struct sightings *s = argc == 3 && !runs ? sightings_open(argv[1], SIGHTINGS_CREATE, NULL, &err) : NULL;
	char             *line = NULL;
	size_t            room = 0;
	double            rate;
	struct sightings_trimmed trimmed = { 0 };

	if (runs)
		return run(argv + 2);
	if (s)
		sightings_limit(s, atoll(argv[2]));
	if (!s || sightings_begin(s) < 0) {
		fprintf(stderr, "fill: %s\n", s ? sightings_problem(s) : argc == 3 ? err.text : "usage: fill FILE MAX-BYTES");
		return 1;
	}
	while ((rate = day(s, &line, &room)) >= 0) {
		printf("%.0f\n", rate);
		fflush(stdout);
		if (!sightings_is_full(s))
			continue;
		if (sightings_commit(s) < 0)
			break;
		while (sightings_trim(s, 0, &trimmed))
			;
		if (sightings_begin(s) < 0)
			break;
	}
	if (sightings_problem(s) || sightings_commit(s) < 0)
		fprintf(stderr, "fill: %s\n", sightings_problem(s));
	free(line);
	sightings_close(s);
	return 0;
}
