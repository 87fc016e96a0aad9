/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of the counters. */
#include "counters.h"

const char *const counter_names[] = {
#define X(id, text) #id,
	COUNTERS(X)
#undef X
};

const char *const counter_texts[] = {
#define X(id, text) text,
	COUNTERS(X)
#undef X
};
