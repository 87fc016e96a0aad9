/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer to a blocked question, byte by byte. */
#include "act/act.h"
#include "name/parsers.h"

#include "bytes.h"
#include "unit.h"

#define NAME "\3wWw\7blocked\4test\0"
#define A NAME "\0\1\0\1"
#define AAAA NAME "\0\34\0\1"
#define HTTPS NAME "\0\101\0\1"
#define OPT(flags, n, data) "\0\0\51\20\0\0\0" flags n data

/* the owner is the question, class IN, 60 s */
#define RECORD(type, n) "\300\14" type "\0\1\0\0\0\74" n
#define SOA                                                                                        \
	RECORD("\0\6", "\0\73")                                                                    \
	"\4nfqd\7invalid\0\12hostmaster\4nfqd\7invalid\0"                                          \
	"\0\0\0\1\0\0\16\20\0\0\2\130\0\1\121\200\0\0\0\74"
/* 1232 bytes, Extended DNS Error 15, "p/r" */
#define OPT_EDE(flags) "\0\0\51\4\320\0\0" flags "\0\11\0\17\0\5\0\17p/r"

static const struct row {
	const char    *what;
	struct span    query;
	enum dns_style style;
	struct span    answer;
} rows[] = {
	{ "NXDOMAIN", LIT("\22\64\1\0\0\1\0\0\0\0\0\0" A), DNS_NXDOMAIN,
	  LIT("\22\64\201\203\0\1\0\0\0\1\0\0" A SOA) },
	{ "REFUSED", LIT("\22\64\1\0\0\1\0\0\0\0\0\0" A), DNS_REFUSED,
	  LIT("\22\64\201\205\0\1\0\0\0\0\0\0" A) },
	{ "no data", LIT("\22\64\1\0\0\1\0\0\0\0\0\0" A), DNS_NODATA,
	  LIT("\22\64\201\200\0\1\0\0\0\1\0\0" A SOA) },
	{ "a sinkhole for A", LIT("\22\64\1\0\0\1\0\0\0\0\0\0" A), DNS_SINKHOLE,
	  LIT("\22\64\201\200\0\1\0\1\0\0\0\0" A RECORD("\0\1", "\0\4") "\0\0\0\0") },
	{ "a sinkhole for AAAA", LIT("\22\64\1\0\0\1\0\0\0\0\0\0" AAAA), DNS_SINKHOLE,
	  LIT("\22\64\201\200\0\1\0\1\0\0\0\0" AAAA RECORD(
		  "\0\34", "\0\20") "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
	{ "a sinkhole for others has no data", LIT("\22\64\1\0\0\1\0\0\0\0\0\0" HTTPS),
	  DNS_SINKHOLE, LIT("\22\64\201\200\0\1\0\0\0\1\0\0" HTTPS SOA) },
	{ "no recursion wanted", LIT("\0\0\0\0\0\1\0\0\0\0\0\0" A), DNS_REFUSED,
	  LIT("\0\0\200\205\0\1\0\0\0\0\0\0" A) },
	{ "CD is copied, AD is not", LIT("\0\1\1\60\0\1\0\0\0\0\0\0" A), DNS_REFUSED,
	  LIT("\0\1\201\225\0\1\0\0\0\0\0\0" A) },
	{ "TC is not copied", LIT("\0\1\3\0\0\1\0\0\0\0\0\0" A), DNS_REFUSED,
	  LIT("\0\1\201\205\0\1\0\0\0\0\0\0" A) },
	{ "EDNS", LIT("\22\64\1\0\0\1\0\0\0\0\0\1" A OPT("\0\0", "\0\0", "")), DNS_NXDOMAIN,
	  LIT("\22\64\201\203\0\1\0\0\0\1\0\1" A SOA OPT_EDE("\0\0")) },
	{ "EDNS with DO", LIT("\22\64\1\0\0\1\0\0\0\0\0\1" A OPT("\200\0", "\0\0", "")),
	  DNS_REFUSED, LIT("\22\64\201\205\0\1\0\0\0\0\0\1" A OPT_EDE("\200\0")) },
	{ "a cookie is not echoed",
	  LIT("\22\64\1\0\0\1\0\0\0\0\0\1" A OPT("\0\0", "\0\14", "\0\12\0\10cookies!")),
	  DNS_REFUSED, LIT("\22\64\201\205\0\1\0\0\0\0\0\1" A OPT_EDE("\0\0")) },
	{ "two questions", LIT("\22\64\1\0\0\2\0\0\0\0\0\0" A "\1x\300\20\0\1\0\1"), DNS_NXDOMAIN,
	  LIT("\22\64\201\203\0\2\0\0\0\1\0\0" A "\1x\300\20\0\1\0\1" SOA) },
};

/* Builds in a block of exactly its size. */
static size_t answer_to(struct span query, enum dns_style style, const char *why, uint8_t *out,
			size_t room)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(query, &err, false);
	struct names  names = { 0 };
	uint8_t      *exact = malloc(room);
	size_t        n;

	assert_int_equal(dns_names(&w, &names), WIRE_OK);
	n = dns_answer(&names.dns, query, style, why, exact, room);
	assert_true(n <= room);
	if (n)
		memcpy(out, exact, n);
	free(exact);
	return n;
}

static void test_answers(void **state)
{
	uint8_t out[1024];

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		size_t n = answer_to(rows[i].query, rows[i].style, "p/r", out, sizeof(out));

		same_bytes(rows[i].what, span_of(out, n), rows[i].answer);
		same_num(rows[i].what, "AD", out[3] & 0x20, 0);
	}
}

/* What does not fit is not sent at all; never a byte beyond the room. */
static void test_room(void **state)
{
	uint8_t out[1024];

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		for (size_t room = 0; room <= rows[i].answer.n; room++)
			same_num(rows[i].what, "length",
				 (long long)answer_to(rows[i].query, rows[i].style, "p/r", out,
						      room),
				 room < rows[i].answer.n ? 0 : (long long)rows[i].answer.n);
}

static void test_not_answerable(void **state)
{
	static const uint8_t  query[] = "\22\64\1\0\0\1\0\0\0\0\0\0" A;
	const struct dns_info none = { .id = 0x1234 }, long_one = { .id = 1, .question_len = 500 };
	uint8_t               out[512];

	(void)state;
	assert_int_equal(
		dns_answer(&none, span_of(query, sizeof(query) - 1), DNS_NXDOMAIN, "", out, 512),
		0);
	assert_int_equal(dns_answer(&long_one, span_of(query, sizeof(query) - 1), DNS_NXDOMAIN, "",
				    out, 512),
			 0);
}

/* The reason is a text of ours, but however long it is, the answer stays a datagram. */
static void test_long_reason(void **state)
{
	static const uint8_t query[] = "\22\64\1\0\0\1\0\0\0\0\0\1" A OPT("\0\0", "\0\0", "");
	char                 why[2000];
	uint8_t              out[1024];
	size_t               n;

	(void)state;
	memset(why, 'w', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	n = answer_to(span_of(query, sizeof(query) - 1), DNS_REFUSED, why, out, sizeof(out));
	assert_int_equal(n, sizeof(query) - 1 + 4 + 2 + 200);
	assert_int_equal(out[n - 1], 'w');
}

/* Our own parser finds the same question in the answer once it looks like a query. */
static void test_reads_back(void **state)
{
	uint8_t       out[1024];
	enum wire_err err = WIRE_OK;
	struct names  names = { 0 };
	size_t n = answer_to(rows[9].query, DNS_NXDOMAIN, "kaspersky/kav-update", out, sizeof(out));
	struct wire   w;

	(void)state;
	out[2] &= 0x7f;
	w = wire_of(span_of(out, n), &err, false);
	assert_int_equal(dns_names(&w, &names), WIRE_OK);
	assert_string_equal(names_text(&names), "www.blocked.test");
	assert_true(names.dns.edns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),        cmocka_unit_test(test_room),
		cmocka_unit_test(test_not_answerable), cmocka_unit_test(test_long_reason),
		cmocka_unit_test(test_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
