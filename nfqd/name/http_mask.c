/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of an HTTP/1 request may be kept as evidence: method, host and version. Paths, cookies and bodies
 * are nobody's business. Bytes keep their places, so that what is left still reads as the request it was.
 */
#include "name/name.h"

enum { MASK = 'X' };

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static void mask(uint8_t *from, const uint8_t *to)
{
	while (from < to)
		*from++ = MASK;
}

/* The end of the word at from. */
static uint8_t *word_end(uint8_t *from, uint8_t *end)
{
	while (from < end && !is_blank(*from) && *from != '\r')
		from++;
	return from;
}

/* Of "scheme://user@host:port/path" the user and what follows the authority. */
static void mask_absolute(uint8_t *authority, uint8_t *end)
{
	uint8_t *at = authority, *to = authority;

	while (to < end && *to != '/' && *to != '?' && *to != '#')
		if (*to++ == '@')
			at = to - 1;
	mask(authority, at);
	mask(to < end ? to + 1 : end, end); /* what ends the host stays */
}

static void mask_target(uint8_t *target, uint8_t *end, bool connect)
{
	uint8_t *scheme = memmem(target, (size_t)(end - target), "://", 3);

	if (scheme && *target != '/')
		mask_absolute(scheme + 3, end);
	else if (connect)
		mask_absolute(target, end);
	else if (target < end)
		mask(target + (*target == '/'), end);
}

static void mask_request_line(uint8_t *line, uint8_t *end)
{
	uint8_t *method = word_end(line, end), *at = method;
	bool     connect = method - line == 7 && memcmp(line, "CONNECT", 7) == 0, first = true;

	while (at < end) {
		uint8_t *word = at, *to;

		while (word < end && (is_blank(*word) || *word == '\r'))
			word++;
		to = word_end(word, end);
		if (first)
			mask_target(word, to, connect);
		else if (to - word < 5 || memcmp(word, "HTTP/", 5) != 0)
			mask(word, to);
		first = false;
		at = to;
	}
}

static bool is_host(const uint8_t *line, const uint8_t *end)
{
	return end - line > 4 && span_eq_nocase(span_of(line, 4), span_str("host")) &&
	       (line[4] == ':' || is_blank(line[4]));
}

/* The next line's end, without CR and LF; NULL: it has none. */
static uint8_t *line_end(uint8_t *line, uint8_t *end, uint8_t **next)
{
	uint8_t *lf = memchr(line, '\n', (size_t)(end - line));

	*next = lf ? lf + 1 : end;
	if (lf && lf > line && lf[-1] == '\r')
		lf--;
	return lf;
}

size_t http_mask(uint8_t *bytes, size_t n)
{
	uint8_t *line = bytes, *end = bytes + n, *next, *stop, *keep = bytes;
	bool     request = true, host = false;

	for (; line < end && (stop = line_end(line, end, &next)) != NULL; line = next) {
		if (line == stop && request)
			continue; /* RFC 9112 2.2: empty lines may come first */
		if (line == stop)
			break;
		host = !request && (is_host(line, stop) || (host && is_blank(*line)));
		if (request)
			mask_request_line(line, stop);
		else if (!host)
			mask(line, stop);
		if (request || host)
			keep = next;
		request = false;
	}
	return (size_t)(keep - bytes);
}
