/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever a hello's beginning is shrunk to, its rest says the same after it; and what is kept is little. */
#include "hello.h"
#include "mangle.h"

enum { LITTLE = 128 };

static struct bytes hs, msg, joined;

static const struct row {
	const char  *what;
	struct hello h;
	size_t       names; /* bytes that the name needs: they are kept */
} rows[] = {
	{ "TLS 1.2", { .sni = "www.example.com" }, 24 },
	{ "the name last", { .sni = "www.example.com", .flags = HELLO_SNI_LAST | HELLO_13 | HELLO_SESSION }, 24 },
	{ "GREASE", { .sni = "a.example", .flags = HELLO_GREASE | HELLO_13 | HELLO_SNI_LAST }, 18 },
	{ "post-quantum", { .sni = "a.example", .flags = HELLO_13 | HELLO_PQ | HELLO_SNI_LAST }, 18 },
	{ "padding before and after", { .sni = "a.example", .flags = HELLO_SNI_LAST, .pad = 900 }, 18 },
	{ "encrypted ClientHello", { .sni = "public.example", .flags = HELLO_ECH | HELLO_SNI_LAST }, 23 },
	{ "no name", { .flags = HELLO_13 }, 0 },
	{ "no extensions at all", { .flags = HELLO_NO_EXTS }, 0 },
	{ "no extensions, but their length", { .flags = HELLO_EMPTY_EXTS }, 0 },
	{ "an empty list", { .names = LIT("\0\0") }, 6 },
	{ "an entry of another kind", { .names = LIT("\0\17\1\0\3xyz\0\0\6a.test") }, 21 },
	{ "an extension that overruns the hello", { .extra = LIT("\0\143\0\7abc") }, 0 },
	{ "odd versions", { .sni = "a.test", .extra = LIT("\0\53\0\4\3\3\4\3"), .flags = HELLO_SNI_LAST }, 15 },
	{ "a version that is not listed", { .version = 0x0301, .extra = LIT("\0\52\0\0") }, 0 },
};

typedef enum wire_err read_fn(struct wire *w, struct names *out);
typedef size_t        shrink_fn(struct span bytes, uint8_t *out, size_t room);

static enum wire_err read_all(read_fn *read, struct span bytes, struct names *out)
{
	return mangle_parse(read, bytes, true, out);
}

/* Cut at `first`, shrunk, and once more at `second`: reads as if nothing had been done. */
static void cut_twice(const struct row *row, read_fn *read, shrink_fn *shrink, struct span whole, size_t first, size_t second)
{
	struct names  want, got, so_far;
	enum wire_err r = read_all(read, whole, &want);
	uint8_t       kept[2000];
	size_t        at[2] = { first, second }, from = 0;

	joined.n = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct span front;
		size_t      n;

		bytes_add(&joined, span_of(whole.p + from, at[i] - from));
		from = at[i];
		front = bytes_span(&joined);
		if (read_all(read, front, &so_far) != WIRE_MORE || so_far.n)
			continue;
		n = shrink(front, kept, sizeof(kept));
		if (!n)
			continue;
		assert_true(n < front.n);
		if (n > LITTLE + row->names)
			fail_msg("%s, cut at %zu: %zu bytes are kept", row->what, first, n);
		assert_int_equal(read_all(read, span_of(kept, n), &got), WIRE_MORE);
		joined.n = 0;
		bytes_put(&joined, kept, n);
	}
	bytes_add(&joined, span_of(whole.p + from, whole.n - from));
	if (read_all(read, bytes_span(&joined), &got) != r)
		fail_msg("%s, cut at %zu and %zu: another result than %d", row->what, first, second, r);
	same_text(row->what, names_text(&got), names_text(&want));
	same_num(row->what, "version", got.tls.version, want.tls.version);
}

static void cut_everywhere(const struct row *row, read_fn *read, shrink_fn *shrink, struct span whole)
{
	uint64_t rnd = 11;

	for (size_t cut = 1; cut < whole.n; cut++)
		cut_twice(row, read, shrink, whole, cut, cut + (size_t)(unit_random(&rnd) % (whole.n - cut)));
}

static void test_records(void **state)
{
	static const size_t sizes[] = { 0, 1, 5, 100, 300 };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		for (size_t k = 0; k < N_OF(sizes); k++) {
			hs.n = msg.n = 0;
			hello_build(&hs, &rows[i].h);
			hello_records(&msg, bytes_span(&hs), sizes[k], sizes[k]);
			cut_everywhere(&rows[i], tls_names, tls_shrink, bytes_span(&msg));
		}
}

static void test_without_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		hs.n = 0;
		hello_build(&hs, &rows[i].h);
		cut_everywhere(&rows[i], quic_tls_names, quic_tls_shrink, bytes_span(&hs));
	}
}

/* What is complete, damaged or something else stays as it is, and nothing is written beyond the room. */
static void test_left_alone(void **state)
{
	static const struct {
		const char *what;
		struct span bytes;
	} others[] = {
		{ "nothing", LIT("") },
		{ "half a record's head", LIT("\26\3\1\2") },
		{ "an alert that is not all there", LIT("\25\3\1\0\2\1") },
		{ "application data", LIT("\27\3\3\0\4abcd") },
		{ "a ServerHello", LIT("\26\3\1\1\0\2\0\0\374\3\3 2222222222222222222222222222222222222222") },
		{ "a hello without a random", LIT("\26\3\1\1\0\1\0\0\374\3\3abc") },
		{ "extensions longer than their length",
		  LIT("\26\3\1\1\0\1\0\0\374\3\3 2222222222222222222222222222222\0\0\2\0\1\1\0\0\2\0\0\0\0\0\0") },
	};
	uint8_t out[64];

	(void)state;
	for (size_t i = 0; i < N_OF(others); i++)
		same_num(others[i].what, "kept", (long long)tls_shrink(others[i].bytes, out, sizeof(out)), 0);
	hs.n = msg.n = 0;
	hello_build(&hs, &rows[3].h);
	hello_records(&msg, bytes_span(&hs), 0, 0);
	assert_int_equal(tls_shrink(bytes_span(&msg), out, sizeof(out)), 0);
	for (size_t room = 0; room < sizeof(out); room++) {
		uint8_t *exact = malloc(room);

		(void)tls_shrink(span_of(msg.p, 600), exact, room);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_records), cmocka_unit_test(test_without_records),
		                            cmocka_unit_test(test_left_alone) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
