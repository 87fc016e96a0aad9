/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics to stderr, or wherever a test wants them. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

static void to_stderr(enum diag_level level, const char *token, const char *text)
{
	static const char *const prefix[] = { "debug: ", "", "warning: ", "error: " };

	fprintf(stderr, "nfqd: %s%s: %s\n", prefix[level], token, text);
}

static diag_sink      *sink = to_stderr;
static enum diag_level lowest = DIAG_INFO;

void diag_register(diag_sink *s)
{
	sink = s ? s : to_stderr;
}

void diag_set_level(enum diag_level level)
{
	lowest = level;
}

void diag(enum diag_level level, const char *token, const char *fmt, ...)
{
	char    text[1024];
	va_list ap;

	if (level < lowest)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sink(level, token, text);
}

bool diag_may(struct diag_rate *rate, uint64_t now)
{
	if (now < rate->next)
		return false;
	rate->next = now + 10 * NS_PER_S;
	return true;
}
