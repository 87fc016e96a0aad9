/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of BOUNDS in nfqd(8) is what the rows of base/bounds.h say, and all of it together fits the memory that
 * the manual promises. After a change of a row: NFQD_WRITE_MANUAL=1 build/tests/inspect/test_bounds_manual.t
 */
#include <stdlib.h>

#include "base/bounds.h"
#include "inspect/conn.h"
#include "manual.h"

#define MANUAL "nfqd/man/nfqd.8"
#define BEGIN  ".\\\" bounds: written by tests/unit/inspect/test_bounds_manual.c\n"
#define END    ".\\\" end of bounds\n"

#define MB 1000000ULL

static const struct {
	unsigned long number;
	const char   *text;
} rows[] = {
#define X(id, number, text) { number, text },
	BOUNDS(X)
#undef X
};

static char *expected(void)
{
	char  *text = NULL;
	size_t n;
	FILE  *f = open_memstream(&text, &n);

	assert_non_null(f);
	for (size_t i = 0; i < N_OF(rows); i++)
		fprintf(f, ".It %lu\n%s.\n", rows[i].number, rows[i].text);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void test_table(void **state)
{
	char *want = expected();

	(void)state;
	manual_holds(MANUAL, BEGIN, END, want);
	free(want);
}

/* The worker has some 8 MB beside these tables, and shall stay below 64. */
static void test_memory(void **state)
{
	unsigned long long conns = BOUND_CONNS * (sizeof(struct conn) + 2 * sizeof(uint32_t)),
			   waiting = BOUND_WAITING * (sizeof(struct stream) + sizeof(struct source) + 4),
			   shared = BOUND_SHARED / STREAM_PIECE * sizeof(struct stream_piece),
			   lost = BOUND_LOST * sizeof(uint32_t);

	(void)state;
	assert_in_range(conns + waiting + shared + lost, 40 * MB, 54 * MB);
	assert_true(BOUND_WAITING <= BOUND_CONNS / 4 * 3);
	assert_int_equal(BOUND_LOST % BOUND_CONNS, 0);
	assert_int_equal(BOUND_SHARED % STREAM_PIECE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table), cmocka_unit_test(test_memory) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
