/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times and lengths of time as people write them. */
#include "base/clock.h"

#include "unit.h"

static void test_spans(void **state)
{
	static const struct {
		const char *text;
		int64_t     seconds; /* -1: refused */
	} rows[] = {
		{ "90s", 90 },       { "10m", 600 },        { "1h", 3600 },  { "7d", 604800 },
		{ "2w", 1209600 },   { "0m", 0 },           { "010m", 600 }, { "", -1 },
		{ "m", -1 },         { "10", -1 },          { "10 m", -1 },  { "10mm", -1 },
		{ "1h30m", -1 },     { "-5m", -1 },         { "+5m", -1 },   { "0x10m", -1 },
		{ "10M", -1 },       { "1y", -1 },          { "1.5h", -1 },  { "999999999s", 999999999 },
		{ "9999999999s", -1 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		int64_t seconds = -1;

		same_num(rows[i].text, "result", clock_parse_span(rows[i].text, &seconds),
		         rows[i].seconds < 0 ? -1 : 0);
		same_num(rows[i].text, "seconds", seconds, rows[i].seconds);
	}
}

static void test_dates(void **state)
{
	static const struct {
		const char *text;
		int64_t     seconds;
	} rows[] = {
		{ "1970-01-02", 86400 },          { "1970-01-01T00:01Z", 60 },
		{ "1970-01-01T00:00:07Z", 7 },    { "1970-01-01T00:00:07", 7 },
		{ "2024-02-30", -1 },             { "2024-02-29", 1709164800 },
		{ "soon", -1 },                   { "2024-02-29 ", -1 },
		{ "2024-02-29T04:00:00+01", -1 }, { "24-02-29", -1 },
		{ "2024-2-9", -1 },               { "2024-02- 9", -1 },
		{ " 2024-2-9", -1 },              { "2024-02-29T4:00:00Z", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		int64_t seconds = -1;
		int     r = clock_parse(rows[i].text, &seconds);

		same_num(rows[i].text, "result", r, rows[i].seconds < 0 ? -1 : 0);
		if (r == 0)
			same_num(rows[i].text, "seconds", seconds, rows[i].seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_spans), cmocka_unit_test(test_dates) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
