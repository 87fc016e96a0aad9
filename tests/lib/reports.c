// SPDX-License-Identifier: GPL-2.0-or-later
/* Linked into the programs that a sanitizer checks. What the sanitizer reports of any of their processes goes to the
 * file that NFQD_REPORTS names (tests/lib/reported looks into it): most of these processes write their standard error
 * where no test reads it, change their root, or end with a status that the test expects. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef void set_report_fd(void *fd);
set_report_fd __sanitizer_set_report_fd;

/* Out of the way of programs that count or move their first descriptors. libubsan, which has a report of its own
 * beside libasan's, closes that one's before it writes: each has a descriptor. */
enum { REPORT_FD = 1000, UBSAN_FD };

static set_report_fd *ubsan_set_report_fd; /* NULL: libubsan is not loaded */
static int            opened;

/* A child has to say it again: the sanitizer takes what it inherited for the parent's. */
static void report_there(void)
{
	__sanitizer_set_report_fd((void *)(intptr_t)REPORT_FD);
	if (ubsan_set_report_fd)
		ubsan_set_report_fd((void *)(intptr_t)UBSAN_FD);
}

__attribute__((constructor)) static void open_report(void)
{
	const char *path = getenv("NFQD_REPORTS");
	int         fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
	void       *ubsan = dlopen("libubsan.so.1", RTLD_NOLOAD | RTLD_NOW);

	if (fd < 0)
		return;
	if (ubsan)
		ubsan_set_report_fd = (set_report_fd *)dlsym(ubsan, "__sanitizer_set_report_fd");
	opened = dup3(fd, REPORT_FD, O_CLOEXEC) == REPORT_FD && dup3(fd, UBSAN_FD, O_CLOEXEC) == UBSAN_FD;
	close(fd);
	if (!opened)
		return;
	report_there();
	pthread_atfork(NULL, NULL, report_there);
}

/* The program's processes close what they inherit, except for the report. */
int close_range(unsigned first, unsigned last, int flags)
{
	if (!opened || last < REPORT_FD || first > UBSAN_FD)
		return (int)syscall(SYS_close_range, first, last, flags);
	if (first < REPORT_FD && syscall(SYS_close_range, first, REPORT_FD - 1, flags) < 0)
		return -1;
	return last > UBSAN_FD ? (int)syscall(SYS_close_range, UBSAN_FD + 1, last, flags) : 0;
}
