/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of output that records can go to; each is a file of log/. */
#ifndef NFQD_BASE_OUTPUT_H
#define NFQD_BASE_OUTPUT_H

#include "base/words.h"

/* X(id, word in the configuration, path without the key (NULL: the key is needed), struct sink_ops) */
#define SINKS(X)                                                                                   \
	X(SINK_EVE, "file", NULL, sink_eve)                                                        \
	X(SINK_TEXT, "text", "-", sink_text)                                                       \
	X(SINK_SYSLOG, "syslog", "/dev/log", sink_syslog)

enum sink_type { SINKS(WORD_ID) SINK_N };

#endif
