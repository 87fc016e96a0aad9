/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of HTTP/2 with prior knowledge. */
#include "http2.h"
#include "mangle.h"

static struct bytes msg, block, payload;

static const struct row {
	const char *what, *authority, *host, *names;
	uint8_t     flags; /* PADDED, PRIORITY */
	size_t      first; /* bytes of the block in HEADERS, the rest in CONTINUATION; 0: all */
} rows[] = {
	{ "an authority", "www.example.com", NULL, "www.example.com", 0, 0 },
	{ "a port", "www.example.com:8080", NULL, "www.example.com", 0, 0 },
	{ "a Host alone", NULL, "www.example.com", "www.example.com", 0, 0 },
	{ "both", "a.example", "b.example", "a.example b.example", 0, 0 },
	{ "nobody", NULL, NULL, "", 0, 0 },
	{ "padding and priority", "www.example.com", NULL, "www.example.com", 0x28, 0 },
	{ "continued", "www.example.com", NULL, "www.example.com", 0, 6 },
	{ "continued, with padding", "www.example.com", NULL, "www.example.com", 0x08, 9 },
};

static void build(const struct row *row)
{
	size_t first;

	msg.n = block.n = payload.n = 0;
	http2_block(&block, row->authority, row->host);
	first = row->first ? row->first : block.n;
	if (row->flags & 0x08)
		bytes_num(&payload, 1, 3);
	if (row->flags & 0x20)
		bytes_put(&payload, "\0\0\0\0\20", 5);
	bytes_put(&payload, block.p, first);
	if (row->flags & 0x08)
		bytes_put(&payload, "\0\0\0", 3);
	bytes_text(&msg, HTTP2_PREFACE);
	http2_frame(&msg, 4, 0, span_of("\0\3\0\0\0\144", 6));
	http2_frame(&msg, 8, 0, span_of("\0\1\0\0", 4));
	http2_frame(&msg, 1, row->flags | (row->first ? 0 : 0x04), bytes_span(&payload));
	if (row->first)
		http2_frame(&msg, 9, 0x04, span_of(block.p + first, block.n - first));
}

static void test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct names  got;
		enum wire_err err = WIRE_OK;

		build(&rows[i]);
		same_num(rows[i].what, "guess", http2_guess(wire_of(bytes_span(&msg), &err, true)), WIRE_OK);
		same_num(rows[i].what, "result", mangle_parse(http2_names, bytes_span(&msg), true, &got),
		         WIRE_OK);
		same_text(rows[i].what, names_text(&got), rows[i].names);
		same_text(rows[i].what, got.http.method, "GET");
		same_num(rows[i].what, "protocol", got.app, APP_HTTP2);
		mangle(rows[i].what, http2_names, bytes_span(&msg));
	}
}

static void test_damage(void **state)
{
	struct names got;

	(void)state;
	build(&rows[0]);
	msg.n = sizeof(HTTP2_PREFACE) - 1;
	bytes_put(&msg, "\1\0\0\4\0\0\0\0\0", 9);
	assert_int_equal(mangle_parse(http2_names, bytes_span(&msg), true, &got), WIRE_BAD);
	msg.n = sizeof(HTTP2_PREFACE) - 1;
	http2_frame(&msg, 1, 0x0c, span_of("\5\202", 2)); /* more padding than there is */
	assert_int_equal(mangle_parse(http2_names, bytes_span(&msg), true, &got), WIRE_BAD);
	msg.n = sizeof(HTTP2_PREFACE) - 1;
	http2_frame(&msg, 1, 0x04, span_of("\377\377\377\377", 4)); /* an index that there is not */
	assert_int_equal(mangle_parse(http2_names, bytes_span(&msg), true, &got), WIRE_BAD);
}

static void test_guess(void **state)
{
	static const char preface[] = HTTP2_PREFACE;
	enum wire_err     err;

	(void)state;
	for (size_t n = 0; n < sizeof(preface) - 1; n++) {
		err = WIRE_OK;
		assert_int_equal(http2_guess(wire_of(span_of(preface, n), &err, true)), WIRE_MORE);
		assert_int_equal(http2_guess(wire_of(span_of(preface, n), &err, false)), WIRE_NONE);
	}
	assert_int_equal(http2_guess(wire_of(span_str("PRI * HTTP/1.1\r\n"), &err, true)), WIRE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
