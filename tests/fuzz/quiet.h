/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For targets that run a command of nfqctl whole: what it prints is of no interest. */
#ifndef TESTS_FUZZ_QUIET_H
#define TESTS_FUZZ_QUIET_H

#include <fcntl.h>
#include <getopt.h>

#include "file.h"

#include "../../tools/nfqctl/nfqctl.h"

typedef int fuzz_command(struct nfqctl *ctl, int argc, char **argv);

/* Runs it with standard output and error at /dev/null; its exit status. */
static inline int fuzz_quietly(fuzz_command *run, int argc, char **argv)
{
	int kept[2] = {dup(1), dup(2)}, null = open("/dev/null", O_WRONLY | O_CLOEXEC), r;

	FUZZ_CHECK(kept[0] >= 0 && kept[1] >= 0 && null >= 0);
	fflush(stdout);
	dup2(null, 1);
	dup2(null, 2);
	optind = 0;
	r = run(NULL, argc, argv);
	fflush(stdout);
	dup2(kept[0], 1);
	dup2(kept[1], 2);
	close(kept[0]);
	close(kept[1]);
	close(null);
	return r;
}

#endif
