/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the two sides of the control socket. */
#ifndef NFQD_PARENT_CTL_PRIVATE_H
#define NFQD_PARENT_CTL_PRIVATE_H

#include <sys/un.h>

#include "base/diag.h"
#include "parent/ctl.h"
#include "parent/poller.h"
#include "shared/file.h"

MUST_CHECK int ctl_address(struct sockaddr_un *sa, const char *path, struct err *err);

#endif
