// SPDX-License-Identifier: GPL-2.0-or-later
/* Linked into the programs that a sanitizer checks. What the sanitizer reports of any of their processes goes to the
 * file that NFQD_REPORTS names (tests/lib/reported looks into it): most of these processes write their standard error
 * where no test reads it, change their root, or end with a status that the test expects. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void __sanitizer_set_report_fd(void *fd);

/* out of the way of programs that count or move their first descriptors */
enum { REPORT_FD = 1000 };

static int report_fd = -1;

/* A child has to say it again: the sanitizer takes what it inherited for the parent's. */
static void report_there(void)
{
	__sanitizer_set_report_fd((void *)(intptr_t)report_fd);
}

__attribute__((constructor)) static void open_report(void)
{
	const char *path = getenv("NFQD_REPORTS");
	int         fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	report_fd = fcntl(fd, F_DUPFD_CLOEXEC, REPORT_FD);
	close(fd);
	if (report_fd < 0)
		return;
	report_there();
	pthread_atfork(NULL, NULL, report_there);
}

/* The program's processes close what they inherit, except for the report. */
int close_range(unsigned first, unsigned last, int flags)
{
	unsigned keep = (unsigned)report_fd;

	if (report_fd < 0 || keep < first || keep > last)
		return (int)syscall(SYS_close_range, first, last, flags);
	if (keep > first && syscall(SYS_close_range, first, keep - 1, flags) < 0)
		return -1;
	return keep < last ? (int)syscall(SYS_close_range, keep + 1, last, flags) : 0;
}
