/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host of an HTTP/1 request (RFC 9112): the authority of an absolute URI or of CONNECT, and the
 * Host field. Reading is as forgiving as servers are: bare LF, blanks around the value. A request
 * may name two hosts that differ; both are reported.
 */
#include <stdio.h>

#include "name/name.h"

enum { METHOD_MAX = 15 };

static bool is_token(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

static struct span trim(struct span s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* Splits s at the first c: returns what is before it and leaves in s what follows. */
static struct span cut(struct span *s, uint8_t c)
{
	const uint8_t *at = s->n ? memchr(s->p, c, s->n) : NULL;
	struct span    head = *s;

	if (!at) {
		*s = span_of(s->p + s->n, 0);
		return head;
	}
	head.n = (size_t)(at - s->p);
	*s = span_of(at + 1, s->n - head.n - 1);
	return head;
}

/* Userinfo, host, port; an IPv6 literal stands in brackets. */
bool name_of_authority(struct name *out, struct span a)
{
	struct span  rest = a, host = trim(a);
	struct span  user = cut(&rest, '@');

	if (user.n < a.n)
		host = trim(rest);
	if (host.n && host.p[0] == '[') {
		host = span_of(host.p + 1, host.n - 1);
		rest = host;
		host = cut(&rest, ']');
	} else {
		rest = host;
		host = cut(&rest, ':');
	}
	return name_canonical(out, trim(host));
}

static void add_authority(struct span a, enum seen_in where, struct names *out)
{
	struct name name = { .seen_in = (uint8_t)where };

	if (name_of_authority(&name, a))
		names_add(out, &name);
}

static void request_target(struct span line, struct names *out)
{
	struct span method = cut(&line, ' '), target = trim(line), scheme;
	int         n = (int)(method.n > METHOD_MAX ? METHOD_MAX : method.n);

	snprintf(out->http.method, sizeof(out->http.method), "%.*s", n, (const char *)method.p);
	target = cut(&target, ' ');
	if (span_eq_nocase(method, span_str("CONNECT"))) {
		add_authority(target, SEEN_HTTP_CONNECT, out);
		return;
	}
	scheme = cut(&target, ':');
	if (scheme.n && scheme.p[0] != '/' && target.n > 2 && target.p[0] == '/' &&
	    target.p[1] == '/') {
		struct span authority = span_of(target.p + 2, target.n - 2);

		authority = cut(&authority, '/');
		add_authority(cut(&authority, '?'), SEEN_HTTP_HOST, out);
	}
}

/* The next line without its end; WIRE_MORE (or BAD) when there is no whole line. */
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

enum wire_err http_names(struct wire *w, struct names *out)
{
	struct span line;

	out->app = APP_HTTP;
	out->http = (struct http_info){ 0 };
	do
		line = next_line(w); /* RFC 9112 2.2: empty lines may come first */
	while (*w->err == WIRE_OK && line.n == 0);
	if (*w->err == WIRE_OK)
		request_target(line, out);
	for (;;) {
		struct span value, field;

		line = next_line(w);
		if (*w->err != WIRE_OK || line.n == 0)
			break;
		value = line;
		field = trim(cut(&value, ':'));
		if (span_eq_nocase(field, span_str("host")))
			add_authority(value, SEEN_HTTP_HOST, out);
	}
	/* a header that is still coming decides as soon as it has named a host */
	return out->n > 0 ? WIRE_OK : *w->err;
}

/* What follows the method (RFC 9112 3): a target, a blank and HTTP/1.x. */
static bool ends_in_version(struct span line)
{
	static const char version[] = " HTTP/1.";
	size_t            n = sizeof(version) - 1;

	line = trim(line);
	return line.n > n && memcmp(line.p + line.n - n - 1, version, n) == 0;
}

/* A method, a blank and, once it is all there, a request line that ends in its version. */
enum wire_err http_guess(struct wire w)
{
	unsigned n = 0;
	uint8_t  c;

	do
		c = wire_u8(&w);
	while (*w.err == WIRE_OK && (c == '\r' || c == '\n'));
	while (*w.err == WIRE_OK && is_token(c) && n++ < METHOD_MAX)
		c = wire_u8(&w);
	if (*w.err == WIRE_OK) {
		if (n < 3 || c != ' ')
			return WIRE_NONE;
		if (ends_in_version(next_line(&w)))
			return WIRE_OK;
	}
	return *w.err == WIRE_MORE ? WIRE_MORE : WIRE_NONE;
}
