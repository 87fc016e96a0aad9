/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fields.h"

#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes up to end into f->bytes. NULL: it cannot be. */
static const char *decode(struct fields *f, const char *text, const char *end)
{
	char *out = f->bytes + f->used, *start = out;

	if ((size_t)(end - text) >= sizeof(f->bytes) - f->used)
		return NULL;
	while (text < end) {
		if (*text == '%') {
			int a = end - text > 2 ? digit(text[1]) : -1, b = a < 0 ? -1 : digit(text[2]);

			if (b < 0 || a * 16 + b == 0)
				return NULL;
			*out++ = (char)(a * 16 + b);
			text += 3;
		} else if (*text) {
			*out++ = *text == '+' ? ' ' : *text;
			text++;
		} else {
			return NULL;
		}
	}
	*out++ = '\0';
	f->used += (size_t)(out - start);
	return utf8_ok(start) ? start : NULL;
}

/* The length of the character at s; 0: it is not one. Overlong forms, surrogates and what is above U+10FFFF are not. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

bool utf8_ok(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t               n = 1;

	while (*s && n) {
		n = utf8_length(s);
		s += n;
	}
	return n > 0;
}

static bool put(struct fields *f, const char *key, const char *value)
{
	if (f->n == FIELDS_MAX)
		return false;
	f->v[f->n].key = key;
	f->v[f->n++].value = value;
	return true;
}

bool fields_add(struct fields *f, const char *key, const char *value)
{
	size_t k = strlen(key) + 1, n = strlen(value) + 1;
	char  *to = f->bytes + f->used;

	if (k + n > sizeof(f->bytes) - f->used || !utf8_ok(key) || !utf8_ok(value))
		return false;
	memcpy(to, key, k);
	memcpy(to + k, value, n);
	f->used += k + n;
	return put(f, to, to + k);
}

bool fields_read(struct fields *f, const char *text, size_t n)
{
	const char *end = text + n;

	while (text < end) {
		const char *stop = memchr(text, '&', (size_t)(end - text)), *is, *key, *value;

		stop = stop ? stop : end;
		is = memchr(text, '=', (size_t)(stop - text));
		key = decode(f, text, is ? is : stop);
		value = key ? decode(f, is ? is + 1 : stop, stop) : NULL;
		if (!value || !put(f, key, value))
			return false;
		text = stop + (stop < end);
	}
	return true;
}

const char *field(const struct fields *f, const char *key)
{
	for (unsigned i = 0; i < f->n; i++)
		if (strcmp(f->v[i].key, key) == 0)
			return f->v[i].value;
	return "";
}
