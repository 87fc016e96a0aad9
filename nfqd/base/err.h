/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error for a person: `file:line: what is wrong: 'value' (what is allowed)`.
 * Used where a user's input is read; the packet path uses enum wire_err and counters instead.
 */
#ifndef NFQD_BASE_ERR_H
#define NFQD_BASE_ERR_H

#include <stdarg.h>
#include <stdio.h>

#include "base/printable.h"

struct err {
	char text[1024];
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Fills the error, with control characters escaped. The first error wins. Returns -1, so that callers
 * can `return err_set(...)`. */
__attribute__((format(printf, 2, 3))) static inline int err_set(struct err *e, const char *fmt, ...)
{
	char    raw[sizeof(e->text)];
	va_list ap;

	if (e->text[0])
		return -1;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	printable(raw, e->text, sizeof(e->text));
	return -1;
}

/* The same, with `file:line: ` in front of the text; file may be NULL: the text alone. */
__attribute__((format(printf, 4, 0))) static inline int err_vset_at(struct err *e, const char *file, unsigned line,
                                                                    const char *fmt, va_list ap)
{
	char text[sizeof(e->text)];

	vsnprintf(text, sizeof(text), fmt, ap);
	return file ? err_set(e, "%s:%u: %s", file, line, text) : err_set(e, "%s", text);
}

#endif
