/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the console gives up before it reads the first byte of a client. */
#ifndef CONSOLE_DROP_H
#define CONSOLE_DROP_H

#include "console.h"

/*
 * As root: the sockets' folder becomes the whole file system (chroot), and the process the user nfqd-console, with the
 * operators' group only where c->may_operate. In any case: no new privileges, no file (Landlock, where the kernel has
 * it), and few system calls. Sets the sockets' paths to what they are from now on.
 */
MUST_CHECK int drop(struct console *c, struct err *err);

#endif
