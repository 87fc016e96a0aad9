/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of output that records can go to; log/sink.c has what each does. */
#ifndef NFQD_BASE_OUTPUT_H
#define NFQD_BASE_OUTPUT_H

#include "base/words.h"

/* X(id, word in the configuration, path without the key; NULL: the key is needed) */
#define SINKS(X)                                                                                   \
	X(SINK_EVE, "file", NULL)                                                                  \
	X(SINK_TEXT, "text", "-")

enum sink_type { SINKS(WORD_ID) SINK_N };

#endif
