/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capture files through the same pipeline: no privileges, no verdicts, records on standard output. */
#ifndef NFQD_OFFLINE_OFFLINE_H
#define NFQD_OFFLINE_OFFLINE_H

#include "shared/conf.h"

/* Their packets in the order of their times. Returns 0, or -1 with err filled. */
MUST_CHECK int offline_run(const char *const paths[], unsigned n, const struct conf *conf, struct err *err);

#endif
