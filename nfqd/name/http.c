/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host of an HTTP/1 request (RFC 9112): the authority of an absolute URI or of CONNECT, and the Host
 * field; and where the next request begins. The reader is as lenient as servers are: bare LF, any blanks. A
 * request may name two different hosts; both are reported.
 */
#include <stdio.h>

#include "name/http_private.h"

/* METHOD_MIN: a shorter word is more likely the end of one whose beginning is still to come */
enum { METHOD_MIN = 3, METHOD_MAX = 32, AUTHORITY_MAX = 3 * NAME_TEXT };

static bool is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 9110 5.6.2 */
static bool is_token(uint8_t c)
{
	return is_letter(c) || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
	while (s.n && is_blank(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* The first word of s; what follows its blank stays in s. */
static struct span cut_word(struct span *s)
{
	struct span word = trim(*s);
	size_t      n = 0;

	while (n < word.n && !is_blank(word.p[n]))
		n++;
	*s = span_of(word.p + n, word.n - n);
	return span_of(word.p, n);
}

/* Splits s at the first c: returns what is before it and leaves in s what follows. */
static struct span cut(struct span *s, uint8_t c)
{
	const uint8_t *at = s->n ? memchr(s->p, c, s->n) : NULL;
	struct span    head = *s;

	if (!at) {
		*s = span_of(s->p, 0);
		return head;
	}
	head.n = (size_t)(at - s->p);
	*s = span_of(at + 1, s->n - head.n - 1);
	return head;
}

/* The value of a hexadecimal digit; 16: it is not one. */
static unsigned hex_digit(uint8_t c)
{
	c = ascii_lower(c);
	return c >= '0' && c <= '9' ? (unsigned)c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10U : 16;
}

/* RFC 3986 2.1: %2e is a dot. What does not fit loses its beginning, as a name does. */
static struct span decode_percent(struct span s, uint8_t room[static AUTHORITY_MAX])
{
	size_t n = 0;

	if (!s.n || !memchr(s.p, '%', s.n)) /* nearly always */
		return s;
	if (s.n > AUTHORITY_MAX)
		s = span_of(s.p + s.n - AUTHORITY_MAX, AUTHORITY_MAX);
	for (size_t i = 0; i < s.n; i++) {
		unsigned high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : 16;
		unsigned low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : 16;

		if (s.p[i] == '%' && high < 16 && low < 16) {
			room[n++] = (uint8_t)(high << 4 | low);
			i += 2;
		} else {
			room[n++] = s.p[i];
		}
	}
	return span_of(room, n);
}

/* Userinfo, host, port; an IPv6 literal stands in brackets. */
bool name_of_authority(struct name *out, struct span a)
{
	struct span rest = a, host;
	uint8_t     room[AUTHORITY_MAX];

	do {
		host = trim(rest);
		cut(&rest, '@');
	} while (rest.n);
	if (host.n && host.p[0] == '[') {
		host = span_of(host.p + 1, host.n - 1);
		rest = host;
		host = cut(&rest, ']');
	} else {
		rest = host;
		host = decode_percent(cut(&rest, ':'), room);
	}
	return name_canonical(out, trim(host));
}

void http_add_authority(struct span a, enum seen_in where, struct names *out)
{
	struct name name = { .seen_in = (uint8_t)where };

	if (name_of_authority(&name, a))
		names_add(out, &name);
}

void http_set_method(struct span method, struct names *out)
{
	int n = (int)(method.n > METHOD_MAX ? METHOD_MAX : method.n);

	snprintf(out->http.method, sizeof(out->http.method), "%.*s", n, (const char *)method.p);
}

static void request_line(struct span line, struct names *out)
{
	struct span method = cut_word(&line), target = cut_word(&line), scheme;

	http_set_method(method, out);
	if (span_eq_nocase(method, span_str("CONNECT"))) {
		http_add_authority(target, SEEN_HTTP_CONNECT, out);
		out->tunnel = true;
		return;
	}
	scheme = cut(&target, ':');
	if (scheme.n && scheme.p[0] != '/' && target.n > 2 && target.p[0] == '/' &&
	    target.p[1] == '/') {
		struct span authority = span_of(target.p + 2, target.n - 2);

		authority = cut(&authority, '/');
		authority = cut(&authority, '?');
		http_add_authority(cut(&authority, '#'), SEEN_HTTP_HOST, out);
	}
}

/* The next line without its end; WIRE_MORE (or BAD) when the line is not complete. */
static struct span next_line(struct wire *w)
{
	size_t         left = wire_left(w);
	const uint8_t *lf = left ? memchr(w->pos, '\n', left) : NULL;
	struct span    line;

	if (!lf) {
		wire_skip(w, left + 1);
		return span_of(NULL, 0);
	}
	line = wire_span(w, (size_t)(lf - w->pos) + 1);
	line.n--;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* A number in that base (10 or 16) without a sign; UINT64_MAX when it is not a number, or larger than
 * any message. */
static uint64_t read_number(struct span digits, unsigned base)
{
	uint64_t v = 0;

	if (digits.n == 0 || digits.n > 15)
		return UINT64_MAX;
	for (size_t i = 0; i < digits.n; i++) {
		unsigned d = hex_digit(digits.p[i]);

		if (d >= base)
			return UINT64_MAX;
		v = v * base + d;
	}
	return v;
}

/* RFC 9110 8.6: a length that is given twice, even in a list, must be the same. */
static void content_length(struct span value, struct names *out)
{
	if (out->http.body == HTTP_BODY_CHUNKED)
		return;
	do {
		uint64_t n = read_number(trim(cut(&value, ',')), 10);

		if (n == UINT64_MAX || (out->http.body && out->http.body != n))
			n = HTTP_BODY_UNKNOWN;
		out->http.body = n;
	} while (value.n);
}

/* RFC 9112 6.3: overrides any length. */
static void transfer_encoding(struct span value, struct names *out)
{
	struct span last = trim(value);

	while (last.n && memchr(last.p, ',', last.n))
		cut(&last, ',');
	out->http.body = span_eq_nocase(trim(last), span_str("chunked")) ? HTTP_BODY_CHUNKED
	                                                                : HTTP_BODY_UNKNOWN;
}

static void host(struct span value, struct names *out)
{
	http_add_authority(value, SEEN_HTTP_HOST, out);
}

static const struct {
	const char *name;
	void (*read)(struct span value, struct names *out);
} fields[] = {
	{ "host", host },
	{ "content-length", content_length },
	{ "transfer-encoding", transfer_encoding },
};

/* One line of the header. *folded: the line before was a Host without a value, which this line may
 * contain (RFC 9112 5.2). */
static void header_line(struct span line, bool *folded, struct names *out)
{
	struct span value = line, name = trim(cut(&value, ':'));

	if (*folded && is_blank(line.p[0])) {
		host(line, out);
		*folded = trim(line).n == 0;
		return;
	}
	*folded = false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (span_eq_nocase(name, span_str(fields[i].name))) {
			fields[i].read(value, out);
			*folded = i == 0 && trim(value).n == 0;
		}
}

enum wire_err http_names(struct wire *w, struct names *out)
{
	struct span line;
	bool        folded = false;

	names_begin(out, APP_HTTP);
	out->http = (struct http_info){ 0 };
	do
		line = next_line(w); /* RFC 9112 2.2: empty lines may come first */
	while (*w->err == WIRE_OK && line.n == 0);
	if (*w->err == WIRE_OK)
		request_line(line, out);
	for (;;) {
		line = next_line(w);
		if (*w->err != WIRE_OK || line.n == 0)
			break;
		header_line(line, &folded, out);
	}
	if (out->tunnel) /* RFC 9110 9.3.6: a request for a tunnel has no content */
		out->http.body = 0;
	return *w->err;
}

uint64_t http_body(const struct names *names)
{
	return names->http.body;
}

/* RFC 9112 7.1: a size in hexadecimal, perhaps extensions, then the bytes; the empty line after them is
 * read as the beginning of what follows. After the last chunk: trailers. Returns how many bytes follow. */
static uint64_t chunk_head(struct wire *w, bool *last)
{
	struct span size = next_line(w);
	uint64_t    n;

	if (*w->err == WIRE_OK && size.n == 0)
		size = next_line(w);
	n = read_number(trim(cut(&size, ';')), 16);
	if (*w->err == WIRE_OK && n > UINT32_MAX)
		wire_fail(w, WIRE_BAD);
	*last = n == 0;
	while (*last && *w->err == WIRE_OK && next_line(w).n > 0)
		;
	return *w->err == WIRE_OK ? n : 0;
}

enum wire_err http_skip_chunks(struct wire *w, uint64_t *beyond)
{
	struct wire chunk = *w;
	bool        last = false;

	*beyond = 0;
	while (!last && *w->err == WIRE_OK) {
		uint64_t n, here;

		chunk = *w;
		n = chunk_head(w, &last);
		here = wire_left(w) < n ? wire_left(w) : n;
		wire_skip(w, (size_t)here);
		*beyond = n - here;
		if (*beyond && w->open)
			return WIRE_MORE;
		if (*beyond)
			wire_fail(w, WIRE_BAD);
	}
	if (*w->err == WIRE_MORE)
		*w = chunk;
	return *w->err;
}

/* What follows the method (RFC 9112 3): a target and a version, with any blanks between them. Some
 * servers answer any version that begins like one of version 1. */
static bool ends_in_version(struct span line)
{
	static const char version[] = "HTTP/";
	const size_t      n = sizeof(version) - 1;
	struct span       word = { 0 };
	unsigned          words = 0;

	for (line = trim(line); line.n > 0; line = trim(line), words++)
		word = cut_word(&line);
	return words > 1 && word.n >= n + 3 && span_eq_nocase(span_of(word.p, n), span_str(version)) &&
	       word.p[n] >= '0' && word.p[n] <= '9' && word.p[n + 1] == '.';
}

/* A method, a blank and, once it is complete, a request line that ends in its version. HTTP/2 begins
 * with what only looks like a request (RFC 9113 3.4). */
enum wire_err http_guess(struct wire w)
{
	static const char preface[] = "PRI * HTTP/2";
	unsigned          n = 0;
	uint8_t           c;

	if (wire_left(&w) >= sizeof(preface) && memcmp(w.pos, preface, sizeof(preface) - 1) == 0)
		return WIRE_NONE;
	do
		c = wire_u8(&w);
	while (*w.err == WIRE_OK && (c == '\r' || c == '\n'));
	if (*w.err == WIRE_OK && !is_letter(c)) /* a token may begin so, too, but then it is another
						 * protocol's */
		return WIRE_NONE;
	while (*w.err == WIRE_OK && is_token(c) && n++ < METHOD_MAX)
		c = wire_u8(&w);
	if (*w.err == WIRE_OK) {
		if (n < METHOD_MIN || !is_blank(c))
			return WIRE_NONE;
		if (ends_in_version(next_line(&w)))
			return WIRE_OK;
	}
	return *w.err == WIRE_MORE ? WIRE_MORE : WIRE_NONE;
}
