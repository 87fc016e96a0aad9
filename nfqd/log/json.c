/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON syntax: brackets, commas and escapes. Nothing here knows what a record is. */
#include "log/json.h"

#include <nettle/base64.h>
#include <string.h>

static inline void put(struct json *j, const char *bytes, size_t n)
{
	if (j->full || n > j->room - j->n) {
		j->full = true;
		return;
	}
	memcpy(j->out + j->n, bytes, n);
	j->n += n;
}

static inline void put_char(struct json *j, char c)
{
	put(j, &c, 1);
}

/* Writes what precedes a value: a comma and the key. */
static void put_key(struct json *j, const char *key)
{
	size_t n = key ? strlen(key) : 0;
	char  *out = j->out + j->n;

	if (j->full || n + 4 > j->room - j->n) {
		j->full = true;
		return;
	}
	if (j->comma)
		*out++ = ',';
	j->comma = true;
	if (key) {
		*out++ = '"';
		memcpy(out, key, n);
		out += n;
		*out++ = '"';
		*out++ = ':';
	}
	j->n = (size_t)(out - j->out);
}

void json_open(struct json *j, const char *key, char bracket)
{
	put_key(j, key);
	put_char(j, bracket);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	put_char(j, bracket);
	j->comma = true;
}

/* The length of the UTF-8 sequence that begins here (RFC 3629 4); 0: not valid UTF-8. */
static size_t utf8_sequence(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, low, high; /* lead bytes; range of the second byte */
		size_t        n;
	} rows[] = {
		{ 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (*s < rows[i].first || *s > rows[i].last)
			continue;
		if (rows[i].n > 1 && (s[1] < rows[i].low || s[1] > rows[i].high))
			return 0;
		for (size_t k = 2; k < rows[i].n; k++)
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
		return rows[i].n;
	}
	return 0;
}

static bool is_utf8(const unsigned char *s)
{
	for (size_t n; *s; s += n)
		if ((n = utf8_sequence(s)) == 0)
			return false;
	return true;
}

static void put_escaped(struct json *j, unsigned char c, bool utf8)
{
	static const char hex[] = "0123456789abcdef";
	const char u[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
	const char d[] = { '\\', '\\', (char)('0' + c / 100), (char)('0' + c / 10 % 10),
				 (char)('0' + c % 10) };

	if (c == '"' || c == '\\') {
		put_char(j, '\\');
		put_char(j, (char)c);
	} else if (c < 0x20) {
		put(j, u, sizeof(u));
	} else if (c >= 0x80 && !utf8) {
		put(j, d, sizeof(d));
	} else {
		put_char(j, (char)c);
	}
}

/* Characters that a string holds unescaped. */
static const bool plain[256] = {
	[0x20 ... 0x21] = true, [0x23 ... 0x5b] = true, [0x5d ... 0x7f] = true,
};

static size_t plain_run(const unsigned char *s)
{
	size_t n = 0;

	while (plain[s[n]])
		n++;
	return n;
}

/* The rest of a string, from the first byte on that must be escaped. */
static void put_odd(struct json *j, const unsigned char *s, bool utf8)
{
	while (*s) {
		size_t n = plain_run(s);

		put(j, (const char *)s, n);
		s += n;
		if (*s)
			put_escaped(j, *s++, utf8);
	}
}

void json_text(struct json *j, const char *key, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t               n = plain_run(s);

	put_key(j, key);
	put_char(j, '"');
	put(j, text, n);
	if (s[n]) /* rare: a byte to escape */
		put_odd(j, s + n, is_utf8(s + n));
	put_char(j, '"');
}

void json_uint(struct json *j, const char *key, uint64_t n)
{
	char  digits[20];
	char *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	put_key(j, key);
	put(j, p, (size_t)(digits + sizeof(digits) - p));
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	put(j, value ? "true" : "false", value ? 4 : 5);
}

void json_base64(struct json *j, const char *key, struct span bytes)
{
	size_t n = BASE64_ENCODE_RAW_LENGTH(bytes.n);

	put_key(j, key);
	put_char(j, '"');
	if (j->full || n > j->room - j->n) {
		j->full = true;
		return;
	}
	base64_encode_raw(j->out + j->n, bytes.n, bytes.p);
	j->n += n;
	put_char(j, '"');
}

void json_nothing(struct json *j, const char *key)
{
	put_key(j, key);
	put(j, "null", 4);
}

void json_members(struct json *j, const char *members, size_t n)
{
	put_key(j, NULL);
	put(j, members, n);
}

size_t json_finish(struct json *j)
{
	if (j->full || j->n == j->room)
		return 0;
	j->out[j->n] = '\0';
	return j->n;
}
