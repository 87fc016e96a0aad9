/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hosts of HTTP/1 requests as clients really write them, and what is no HTTP at all. */
#include "bytes.h"
#include "mangle.h"

static const struct row {
	const char   *what;
	const char   *msg;
	enum wire_err guess;
	const char   *names;
	const char   *method;
} rows[] = {
	{ "a request", "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", WIRE_OK,
	  "www.example.com", "GET" },
	{ "HTTP/1.0", "GET / HTTP/1.0\r\nHost: example.com\r\n\r\n", WIRE_OK, "example.com",
	  "GET" },
	{ "a port", "GET / HTTP/1.1\r\nHost: example.com:8080\r\n\r\n", WIRE_OK, "example.com",
	  "GET" },
	{ "an address", "GET / HTTP/1.1\r\nHost: 192.0.2.7:80\r\n\r\n", WIRE_OK, "192.0.2.7",
	  "GET" },
	{ "an IPv6 address", "GET / HTTP/1.1\r\nHost: [2001:DB8::7]:80\r\n\r\n", WIRE_OK,
	  "2001:db8::7", "GET" },
	{ "an IPv6 address that does not end", "GET / HTTP/1.1\r\nHost: [2001:db8::7\r\n\r\n",
	  WIRE_OK, "2001:db8::7", "GET" },
	{ "upper case, trailing dot", "GET / HTTP/1.1\r\nHOST: WWW.Example.COM.\r\n\r\n", WIRE_OK,
	  "www.example.com", "GET" },
	{ "lower-case field", "GET / HTTP/1.1\r\nhost: example.com\r\n\r\n", WIRE_OK, "example.com",
	  "GET" },
	{ "no blank", "GET / HTTP/1.1\r\nHost:example.com\r\n\r\n", WIRE_OK, "example.com", "GET" },
	{ "many blanks", "GET / HTTP/1.1\r\nHost: \t  example.com \t \r\n\r\n", WIRE_OK,
	  "example.com", "GET" },
	{ "a blank before the colon", "GET / HTTP/1.1\r\nHost : example.com\r\n\r\n", WIRE_OK,
	  "example.com", "GET" },
	{ "LF alone", "GET / HTTP/1.1\nHost: example.com\n\n", WIRE_OK, "example.com", "GET" },
	{ "empty lines first", "\r\n\n\r\nGET / HTTP/1.1\r\nHost: example.com\r\n\r\n", WIRE_OK,
	  "example.com", "GET" },
	{ "Host is not the first field",
	  "POST /x HTTP/1.1\r\nUser-Agent: a:b\r\nX-Host: no\r\n"
	  "Host: example.com\r\n\r\n",
	  WIRE_OK, "example.com", "POST" },
	{ "two Hosts", "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", WIRE_OK,
	  "a.example b.example", "GET" },
	{ "one Host twice", "GET / HTTP/1.1\r\nHost: a.example\r\nHost: A.example\r\n\r\n", WIRE_OK,
	  "a.example", "GET" },
	{ "absolute URI", "GET http://a.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n", WIRE_OK,
	  "a.example b.example", "GET" },
	{ "absolute URI, port, query", "GET http://a.example:81?x HTTP/1.1\r\n\r\n", WIRE_OK,
	  "a.example", "GET" },
	{ "absolute URI with a user", "GET http://u:p@a.example/ HTTP/1.1\r\n\r\n", WIRE_OK,
	  "a.example", "GET" },
	{ "a colon in a path is no scheme",
	  "GET /a://b.example/ HTTP/1.1\r\nHost: c.example\r\n\r\n", WIRE_OK, "c.example", "GET" },
	{ "CONNECT", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", WIRE_OK,
	  "a.example a.example", "CONNECT" },
	{ "CONNECT to an IPv6 address", "CONNECT [2001:db8::7]:443 HTTP/1.1\r\n\r\n", WIRE_OK,
	  "2001:db8::7", "CONNECT" },
	{ "no Host", "GET / HTTP/1.0\r\nAccept: */*\r\n\r\n", WIRE_OK, "", "GET" },
	{ "an empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", WIRE_OK, "", "GET" },
	{ "a line without colon", "GET / HTTP/1.1\r\nHost\r\nHost: a.example\r\n\r\n", WIRE_OK,
	  "a.example", "GET" },
	{ "Host in the body", "POST / HTTP/1.1\r\nHost: a.example\r\n\r\nHost: b.example\r\n",
	  WIRE_OK, "a.example", "POST" },
	{ "a pipelined request is another message",
	  "GET / HTTP/1.1\r\nHost: a.example\r\n\r\nGET / HTTP/1.1\r\nHost: b.example\r\n\r\n",
	  WIRE_OK, "a.example", "GET" },
	{ "odd bytes in the Host", "GET / HTTP/1.1\r\nHost: a\x01\"b.example\r\n\r\n", WIRE_OK,
	  "a\\001\\034b.example", "GET" },
	{ "a method with a hyphen", "M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\n\r\n",
	  WIRE_OK, "239.255.255.250", "M-SEARCH" },
	{ "a method of an unusual kind", "PROPFIND / HTTP/1.1\r\nHost: a.example\r\n\r\n", WIRE_OK,
	  "a.example", "PROPFIND" },
	{ "tabs", "GET\t/\tHTTP/1.1\r\nHost:\ta.example\r\n\r\n", WIRE_OK, "a.example", "GET" },
	{ "many blanks in the request line", "GET  \t /   HTTP/1.1\r\nHost: a.example\r\n\r\n",
	  WIRE_OK, "a.example", "GET" },
	{ "a method and a version in lower case", "get / http/1.1\r\nHost: a.example\r\n\r\n",
	  WIRE_OK, "a.example", "get" },
	{ "tabs around an absolute URI", "GET\thttp://a.example/x\tHTTP/1.1\r\n\r\n", WIRE_OK,
	  "a.example", "GET" },
	{ "a blank in the target", "GET /a b HTTP/1.1\r\nHost: a.example\r\n\r\n", WIRE_OK,
	  "a.example", "GET" },
	{ "a Host on the next line", "GET / HTTP/1.1\r\nHost:\r\n a.example\r\nX: y\r\n\r\n",
	  WIRE_OK, "a.example", "GET" },
	{ "a blank before the Host", "GET / HTTP/1.1\r\n Host: a.example\r\n\r\n", WIRE_OK,
	  "a.example", "GET" },
	{ "any token is a method", "F9!~ / HTTP/1.1\r\nHost: a.example\r\n\r\n", WIRE_OK, "a.example",
	  "F9!~" },
	{ "a method that is longer than its record", "BASELINE-CONTROL / HTTP/1.1\r\nHost: a.example\r\n\r\n",
	  WIRE_OK, "a.example", "BASELINE-CONTRO" },
	{ "any version", "GET / HTTP/2.0\r\nHost: a.example\r\n\r\n", WIRE_OK, "a.example", "GET" },
	{ "two users", "GET http://a@b@a.example/ HTTP/1.1\r\n\r\n", WIRE_OK, "a.example", "GET" },
	{ "a fragment", "GET http://a.example#b HTTP/1.1\r\n\r\n", WIRE_OK, "a.example", "GET" },
	{ "percent signs", "GET http://%61%2Eexample/ HTTP/1.1\r\nHost: 100%.exampl%65:80\r\n\r\n", WIRE_OK,
	  "a.example 100\\037.example", "GET" },
	{ "half a percent code", "GET / HTTP/1.1\r\nHost: a.example%6\r\n\r\n", WIRE_OK, "a.example\\0376",
	  "GET" },
	{ "a Host behind two empty lines of its own", "GET / HTTP/1.1\r\nHost:\r\n \r\n\ta.example\r\n\r\n",
	  WIRE_OK, "a.example", "GET" },
	{ "blanks behind the version", "GET / HTTP/1.1 \r\nHost: a.example\r\n\r\n", WIRE_OK,
	  "a.example", "GET" },
};

static void test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct span   msg = span_str(rows[i].msg);
		enum wire_err err = WIRE_OK;
		struct names  got;

		same_num(rows[i].what, "guess", http_guess(wire_of(msg, &err, true)),
			 rows[i].guess);
		same_num(rows[i].what, "result", mangle_parse(http_names, msg, true, &got),
			 WIRE_OK);
		same_text(rows[i].what, names_text(&got), rows[i].names);
		same_text(rows[i].what, got.http.method, rows[i].method);
		same_num(rows[i].what, "protocol", got.app, APP_HTTP);
	}
}

static void test_seen_in(void **state)
{
	struct names got;

	(void)state;
	mangle_parse(http_names,
		     span_str("CONNECT a.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n"), true,
		     &got);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.v[0].seen_in, SEEN_HTTP_CONNECT);
	assert_int_equal(got.v[1].seen_in, SEEN_HTTP_HOST);
}

/* What a client sends first, whole lines and parts of them. */
static void test_guess(void **state)
{
	static const struct {
		const char   *what, *first;
		enum wire_err open, closed;
	} guesses[] = {
		{ "SMTP", "EHLO client.example\r\n", WIRE_NONE, WIRE_NONE },
		{ "SMTP, half a line", "EHLO client.exa", WIRE_MORE, WIRE_NONE },
		{ "FTP", "USER anonymous\r\n", WIRE_NONE, WIRE_NONE },
		{ "POP3", "STLS\r\n", WIRE_NONE, WIRE_NONE },
		{ "IMAP", "a1 LOGIN x y\r\n", WIRE_NONE, WIRE_NONE },
		{ "SSH", "SSH-2.0-OpenSSH_9.2\r\n", WIRE_NONE, WIRE_NONE },
		{ "IRC", "NICK someone\r\n", WIRE_NONE, WIRE_NONE },
		{ "HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", WIRE_NONE,
		  WIRE_NONE },
		{ "RTSP", "OPTIONS rtsp://a.example/ RTSP/1.0\r\n", WIRE_NONE, WIRE_NONE },
		{ "HTTP/0.9", "GET /\r\n", WIRE_NONE, WIRE_NONE },
		{ "a version of old, which it had not", "GET / HTTP/0.9\r\n", WIRE_OK, WIRE_OK },
		{ "a version to come", "GET / HTTP/2.0\r\n", WIRE_OK, WIRE_OK },
		{ "a version with more", "GET / HTTP/1.1a\r\n", WIRE_OK, WIRE_OK },
		{ "a version without a number", "GET / HTTP/\r\n", WIRE_NONE, WIRE_NONE },
		{ "nothing", "", WIRE_MORE, WIRE_NONE },
		{ "half a method", "GE", WIRE_MORE, WIRE_NONE },
		{ "a method", "GET", WIRE_MORE, WIRE_NONE },
		{ "a method and a blank", "GET ", WIRE_MORE, WIRE_NONE },
		{ "no end of line", "GET / HTTP/1.1", WIRE_MORE, WIRE_NONE },
		{ "a word too long for a method", "ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPX / HTTP/1.1\r\n",
		  WIRE_NONE, WIRE_NONE },
		{ "a word too short", "ET / HTTP/1.1\r\n", WIRE_NONE, WIRE_NONE },
		{ "what is no token", "G(T / HTTP/1.1\r\n", WIRE_NONE, WIRE_NONE },
		{ "a version of two digits", "GET / HTTP/10.1\r\n", WIRE_NONE, WIRE_NONE },
		{ "most of HTTP/2's first line", "PRI * HTTP/2.", WIRE_NONE, WIRE_NONE },
		{ "a binary protocol", "\x03\x1f\x01", WIRE_NONE, WIRE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(guesses); i++) {
		enum wire_err open_err = WIRE_OK, closed_err = WIRE_OK;
		struct span   first = span_str(guesses[i].first);

		same_num(guesses[i].what, "open", http_guess(wire_of(first, &open_err, true)),
		         guesses[i].open);
		same_num(guesses[i].what, "closed", http_guess(wire_of(first, &closed_err, false)),
		         guesses[i].closed);
	}
}

/* A Host is named as soon as its line is there; the header may still name another one. */
static void test_cut(void **state)
{
	static const char msg[] = "GET /index.html HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n";
	size_t            first = (size_t)(strstr(msg, "\r\nHost: b") + 2 - msg);
	size_t            second = sizeof(msg) - 3;

	(void)state;
	for (size_t n = 0; n < sizeof(msg); n++) {
		struct names  got;
		enum wire_err r = mangle_parse(http_names, span_of(msg, n), true, &got);

		if (r != (n < sizeof(msg) - 1 ? WIRE_MORE : WIRE_OK))
			fail_msg("the first %zu bytes: result %d", n, r);
		if (got.n != (n >= second ? 2 : n >= first ? 1 : 0))
			fail_msg("the first %zu bytes: %u names", n, got.n);
	}
}

/* Where the next request begins. */
static void test_body(void **state)
{
	static const struct {
		const char *fields;
		uint64_t    body;
	} bodies[] = {
		{ "", 0 },
		{ "Content-Length: 17\r\n", 17 },
		{ "content-length:017 \r\n", 17 },
		{ "Content-Length: 17\r\nContent-Length: 17\r\n", 17 },
		{ "Content-Length: 17\r\nContent-Length: 18\r\n", HTTP_BODY_UNKNOWN },
		{ "Content-Length: 17, 17\r\n", 17 },
		{ "Content-Length: 17, 18\r\n", HTTP_BODY_UNKNOWN },
		{ "Content-Length: -1\r\n", HTTP_BODY_UNKNOWN },
		{ "Content-Length: 0x11\r\n", HTTP_BODY_UNKNOWN },
		{ "Content-Length: 99999999999999999999\r\n", HTTP_BODY_UNKNOWN },
		{ "Transfer-Encoding: chunked\r\n", HTTP_BODY_CHUNKED },
		{ "Transfer-Encoding: gzip, Chunked\r\n", HTTP_BODY_CHUNKED },
		{ "Transfer-Encoding: gzip\r\n", HTTP_BODY_UNKNOWN },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", HTTP_BODY_CHUNKED },
		{ "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", HTTP_BODY_CHUNKED },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(bodies); i++) {
		char          msg[300];
		enum wire_err err = WIRE_OK;
		struct names  got = { 0 };
		int           n = snprintf(msg, sizeof(msg), "POST / HTTP/1.1\r\nHost: a.example\r\n%s\r\nbody",
		                           bodies[i].fields);
		struct wire   w = wire_of(span_of(msg, (size_t)n), &err, true);

		same_num(bodies[i].fields, "result", http_names(&w, &got), WIRE_OK);
		same_num(bodies[i].fields, "header", (long long)wire_left(&w), 4);
		if (got.http.body != bodies[i].body)
			fail_msg("%s: a body of %llu", bodies[i].fields,
			         (unsigned long long)got.http.body);
		same_num(bodies[i].fields, "tunnel", got.tunnel, false);
	}
}

static void test_chunks(void **state)
{
	static const struct {
		const char   *body;
		enum wire_err result;
		const char   *left;
		uint64_t      beyond;
	} bodies[] = {
		{ "0\r\n\r\nGET", WIRE_OK, "GET", 0 },
		{ "3\r\nabc\r\n0\r\n\r\nGET", WIRE_OK, "GET", 0 },
		{ "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET", WIRE_OK, "GET", 0 },
		{ "3\nabc\n0\n\nGET", WIRE_OK, "GET", 0 },
		{ "3\r\nabc\r\n5\r\nab", WIRE_MORE, "", 3 },
		{ "a000\r\n", WIRE_MORE, "", 0xa000 },
		{ "3\r\nabc\r\n", WIRE_MORE, "\r\n", 0 },
		{ "3\r\nabc\r\n5", WIRE_MORE, "\r\n5", 0 },
		{ "\r\n5\r\nabcde", WIRE_MORE, "", 0 },
		{ "3\r\nabc\r\n0\r\nTrailer: x\r\n", WIRE_MORE, "\r\n0\r\nTrailer: x\r\n", 0 },
		{ "3\r\nabcx\r\n", WIRE_BAD, NULL, 0 },
		{ "x\r\n", WIRE_BAD, NULL, 0 },
		{ "\r\n\r\n", WIRE_BAD, NULL, 0 },
		{ "fffffffff\r\n", WIRE_BAD, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(bodies); i++) {
		enum wire_err err = WIRE_OK;
		struct wire   w = wire_of(span_str(bodies[i].body), &err, true);
		uint64_t      beyond;

		same_num(bodies[i].body, "result", http_skip_chunks(&w, &beyond), bodies[i].result);
		same_num(bodies[i].body, "beyond", (long long)beyond, (long long)bodies[i].beyond);
		if (bodies[i].left)
			same_text(bodies[i].body, (const char *)w.pos, bodies[i].left);
	}
}

static void test_tunnel(void **state)
{
	static const char msg[] = "CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 9\r\n\r\n\26\3\1";
	enum wire_err     err = WIRE_OK;
	struct wire       w = wire_of(span_str(msg), &err, true);
	struct names      got = { 0 };

	(void)state;
	assert_int_equal(http_names(&w, &got), WIRE_OK);
	assert_true(got.tunnel);
	assert_int_equal(got.http.body, 0);
	assert_int_equal(wire_left(&w), 3);
}

static void test_long_header(void **state)
{
	static struct bytes b;
	struct names        got;

	(void)state;
	bytes_text(&b, "GET / HTTP/1.1\r\nCookie: ");
	bytes_fill(&b, 'c', 12000);
	bytes_text(&b, "\r\nHost: a.example\r\n\r\n");
	assert_int_equal(mangle_parse(http_names, bytes_span(&b), true, &got), WIRE_OK);
	same_text("a Host behind 12 kB", names_text(&got), "a.example");
}

static void test_many_hosts(void **state)
{
	static struct bytes b;
	struct names        got;

	(void)state;
	bytes_text(&b, "GET / HTTP/1.1\r\n");
	for (int c = 'a'; c <= 'z'; c++) {
		char line[32];

		snprintf(line, sizeof(line), "Host: %c.example\r\n", c);
		bytes_text(&b, line);
	}
	bytes_text(&b, "\r\n");
	mangle_parse(http_names, bytes_span(&b), true, &got);
	assert_int_equal(got.n, NAMES_MAX);
}

static void test_mangled(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		mangle(rows[i].what, http_names, span_str(rows[i].msg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),   cmocka_unit_test(test_seen_in),
		cmocka_unit_test(test_guess),      cmocka_unit_test(test_cut),
		cmocka_unit_test(test_body),       cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_long_header), cmocka_unit_test(test_many_hosts),
		cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
