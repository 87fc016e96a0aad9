/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text as one word of a POSIX shell, for commands that are printed for people to copy. */
#ifndef NFQD_BASE_SHELL_H
#define NFQD_BASE_SHELL_H

#include <stddef.h>
#include <string.h>

/* Copies text to out (room bytes, at least 3), in single quotes where a shell would take it for more than a word.
 * What does not fit leaves the empty word: half a command is none. Returns out. */
static inline const char *shell_word(const char *text, char *out, size_t room)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
	size_t            n = 0;
	const char       *quote = *text && text[strspn(text, plain)] == '\0' ? "" : "'";

	for (const char *part = quote; *part && n + 1 < room; part++)
		out[n++] = *part;
	for (; *text && n + 6 < room; text++) {
		size_t length = *text == '\'' ? 4 : 1;

		memcpy(out + n, *text == '\'' ? "'\\''" : text, length);
		n += length;
	}
	if (*text)
		n = 0, quote = "''";
	for (const char *part = quote; *part && n + 1 < room; part++)
		out[n++] = *part;
	out[n] = '\0';
	return out;
}

#endif
