/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For targets whose function wants the path of a file: the input as one that has no name on disk.
 */
#ifndef TESTS_FUZZ_FILE_H
#define TESTS_FUZZ_FILE_H

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#include "base/diag.h"

static void fuzz_silent(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token, (void)text;
}

/* The path of a file with these bytes; the next call writes over it. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[32];
	static int  fd = -1;

	diag_register(fuzz_silent);
	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

#endif
