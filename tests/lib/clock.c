/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into a daemon under test: its wall clock, and that of processes it forks, is as many seconds
 * off as the file $CLOCK_FILE holds, an int64_t that the test may change at any time.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *off; /* NULL: a sanitizer asks for the time before anything has begun */

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("CLOCK_FILE");
	int         fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void       *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*off), PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		abort();
	off = p;
}

int clock_gettime(clockid_t which, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, which, ts);

	if (r == 0 && which == CLOCK_REALTIME && off)
		ts->tv_sec += *off;
	return r;
}
