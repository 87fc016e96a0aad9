/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Foreign text for a terminal: what would move its cursor, change its colours or make it answer is written
 * as \xNN. That is C0 except the tab, DEL, and C1 as UTF-8 encodes it (ECMA-48, RFC 3629); everything else
 * stays as it is.
 */
#ifndef NFQD_BASE_PRINTABLE_H
#define NFQD_BASE_PRINTABLE_H

#include <stddef.h>

/* The number of bytes of the control character at s; 0: it is not one. */
static inline size_t control_bytes(const char *s)
{
	unsigned char a = (unsigned char)s[0], b = a ? (unsigned char)s[1] : 0;

	if ((a && a < ' ' && a != '\t') || a == 0x7f)
		return 1;
	return a == 0xc2 && b >= 0x80 && b < 0xa0 ? 2 : 0;
}

/* Copies text to out (room bytes, at least 1), cut where it does not fit. Returns the length there. */
static inline size_t printable(const char *text, char *out, size_t room)
{
	static const char hex[] = "0123456789abcdef";
	size_t            n = 0;

	while (*text) {
		size_t control = control_bytes(text), need = control ? 4 * control : 1;

		if (need >= room - n)
			break;
		for (size_t i = 0; i < control; i++, text++) {
			unsigned char c = (unsigned char)*text;

			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = hex[c >> 4];
			out[n++] = hex[c & 15];
		}
		if (!control)
			out[n++] = *text++;
	}
	out[n] = '\0';
	return n;
}

#endif
