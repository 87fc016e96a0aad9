/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS questions: honest, odd and hostile ones, over UDP and with the length that TCP puts in front.
 */
#include "bytes.h"
#include "mangle.h"

#define HEAD(flags, questions, additional) "\22\64" flags questions "\0\0\0\0" additional
#define QUERY(questions) HEAD("\1\0", questions, "\0\0")
#define WITH_OPT(questions) HEAD("\1\0", questions, "\0\1")
#define A_IN "\0\1\0\1"
#define OPT(flags, data) "\0\0\51\4\320\0\0" flags data
#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct row {
	const char   *what;
	struct span   msg;
	enum wire_err result;
	const char   *names;
	const char   *edns; /* "", "edns" or "do" */
} rows[] = {
	{ "one question", LIT(QUERY("\0\1") "\3www\7example\3com\0" A_IN), WIRE_OK,
	  "www.example.com", "" },
	{ "upper case", LIT(QUERY("\0\1") "\3WwW\7eXAMPLE\3coM\0" A_IN), WIRE_OK, "www.example.com",
	  "" },
	{ "the root", LIT(QUERY("\0\1") "\0" A_IN), WIRE_OK, "", "" },
	{ "no question", LIT(QUERY("\0\0")), WIRE_OK, "", "" },
	{ "a header alone that promises one", LIT(QUERY("\0\1")), WIRE_BAD, "", "" },
	{ "half a header", LIT("\22\64\1\0\0\1"), WIRE_BAD, "", "" },
	{ "nothing", LIT(""), WIRE_BAD, "", "" },
	{ "two questions", LIT(QUERY("\0\2") "\1a\1b\0" A_IN "\1c\1d\0" A_IN), WIRE_OK, "a.b c.d",
	  "" },
	{ "the second points to the first", LIT(QUERY("\0\2") "\1a\1b\0" A_IN "\1c\300\16" A_IN),
	  WIRE_OK, "a.b c.b", "" },
	{ "one name asked twice", LIT(QUERY("\0\2") "\1a\1b\0" A_IN "\1A\1B\0\0\34\0\1"), WIRE_OK,
	  "a.b", "" },
	{ "the root, then a name", LIT(QUERY("\0\2") "\0" A_IN "\1a\1b\0" A_IN), WIRE_OK, "a.b",
	  "" },
	{ "65535 questions promised", LIT(QUERY("\377\377") "\1a\1b\0" A_IN), WIRE_BAD, "a.b", "" },
	{ "more names than are kept",
	  LIT(QUERY("\0\11") "\1a\0" A_IN "\1b\0" A_IN "\1c\0" A_IN "\1d\0" A_IN "\1e\0" A_IN
			     "\1f\0" A_IN "\1g\0" A_IN "\1h\0" A_IN "\1i\0" A_IN),
	  WIRE_BAD, "a b c d e f g h", "" },
	{ "an answer", LIT(HEAD("\201\200", "\0\1", "\0\0") "\1a\1b\0" A_IN), WIRE_NONE, "", "" },
	{ "inverse query", LIT(HEAD("\11\0", "\0\1", "\0\0") "\1a\1b\0" A_IN), WIRE_NONE, "", "" },
	{ "notify", LIT(HEAD("\44\0", "\0\1", "\0\0") "\1a\1b\0" A_IN), WIRE_NONE, "", "" },
	{ "update", LIT(HEAD("\50\0", "\0\1", "\0\0") "\1a\1b\0" A_IN), WIRE_NONE, "", "" },
	{ "truncated, recursion not wanted", LIT(HEAD("\2\0", "\0\1", "\0\0") "\1a\1b\0" A_IN),
	  WIRE_OK, "a.b", "" },
	{ "a label of 63", LIT(QUERY("\0\1") "\77" L63 "\1b\0" A_IN), WIRE_OK, L63 ".b", "" },
	{ "a label of 64", LIT(QUERY("\0\1") "\100a" L63 "\1b\0" A_IN), WIRE_BAD, "", "" },
	{ "a label type that is none", LIT(QUERY("\0\1") "\200aa\0" A_IN), WIRE_BAD, "", "" },
	{ "a pointer to itself", LIT(QUERY("\0\1") "\300\14" A_IN), WIRE_BAD, "", "" },
	{ "a label and back to it", LIT(QUERY("\0\1") "\1a\300\14" A_IN), WIRE_BAD, "", "" },
	{ "two that point to each other", LIT(QUERY("\0\2") "\1a\300\22\1b\300\14" A_IN), WIRE_BAD,
	  "", "" },
	{ "forwards", LIT(QUERY("\0\1") "\1a\300\24" A_IN "\1b\0"), WIRE_BAD, "", "" },
	{ "to a label that runs over the pointer",
	  LIT(QUERY("\0\2") "\1a\1\11\0" A_IN "\1c\300\17" A_IN), WIRE_BAD, "a.\\009", "" },
	{ "into the header", LIT(QUERY("\0\1") "\1a\300\4" A_IN), WIRE_BAD, "", "" },
	{ "beyond the message", LIT(QUERY("\0\1") "\1a\303\377" A_IN), WIRE_BAD, "", "" },
	{ "a pointer cut in half", LIT(QUERY("\0\2") "\1a\0" A_IN "\300"), WIRE_BAD, "a", "" },
	{ "no room for the type", LIT(QUERY("\0\1") "\1a\1b\0\0"), WIRE_BAD, "", "" },
	{ "a label beyond the end", LIT(QUERY("\0\1") "\77abc"), WIRE_BAD, "", "" },
	{ "a dot in a label", LIT(QUERY("\0\1") "\3a.b\1c\0" A_IN), WIRE_OK, "a\\046b.c", "" },
	{ "bytes that logs do not like", LIT(QUERY("\0\1") "\6a\0\n \"\377\0" A_IN), WIRE_OK,
	  "a\\000\\010\\032\\034\\255", "" },
	{ "EDNS", LIT(WITH_OPT("\0\1") "\1a\1b\0" A_IN OPT("\0\0", "\0\0")), WIRE_OK, "a.b",
	  "edns" },
	{ "EDNS with DO", LIT(WITH_OPT("\0\1") "\1a\1b\0" A_IN OPT("\200\0", "\0\0")), WIRE_OK,
	  "a.b", "do" },
	{ "EDNS with a cookie",
	  LIT(WITH_OPT("\0\1") "\1a\1b\0" A_IN OPT("\0\0", "\0\14\0\12\0\10"
							   "12345678")),
	  WIRE_OK, "a.b", "edns" },
	{ "EDNS behind another record",
	  LIT(HEAD("\1\0", "\0\1", "\0\2") "\1a\1b\0" A_IN
					   "\300\14\0\1\0\1\0\0\0\0\0\4\1\2\3\4" OPT("\0\0",
										     "\0\0")),
	  WIRE_OK, "a.b", "edns" },
	{ "EDNS behind a record that lies",
	  LIT(HEAD("\1\0", "\0\1", "\0\2") "\1a\1b\0" A_IN
					   "\300\14\0\1\0\1\0\0\0\0\0\377\1\2\3\4" OPT("\0\0",
										       "\0\0")),
	  WIRE_OK, "a.b", "" },
	{ "EDNS that is cut", LIT(WITH_OPT("\0\1") "\1a\1b\0" A_IN "\0\0\51"), WIRE_OK, "a.b", "" },
	{ "records promised, none there", LIT(HEAD("\1\0", "\0\1", "\377\377") "\1a\1b\0" A_IN),
	  WIRE_OK, "a.b", "" },
};

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		const struct row *row = &rows[i];
		struct names      got;
		enum wire_err     r = mangle_parse(dns_names, row->msg, false, &got);

		same_num(row->what, "result", r, row->result);
		same_text(row->what, names_text(&got), row->names);
		same_num(row->what, "protocol", got.app, APP_DNS);
		same_num(row->what, "edns", got.dns.edns, r == WIRE_OK && row->edns[0]);
		same_num(row->what, "DO", got.dns.edns_do, r == WIRE_OK && row->edns[0] == 'd');
	}
}

static void test_info(void **state)
{
	static const uint8_t two[] = QUERY("\0\2") "\1a\1b\0" A_IN "\1c\300\16\0\101\0\1";
	struct names         got;

	(void)state;
	assert_int_equal(mangle_parse(dns_names, span_of(two, sizeof(two) - 1), false, &got),
			 WIRE_OK);
	assert_int_equal(got.dns.id, 0x1234);
	assert_int_equal(got.dns.flags, 0x0100);
	assert_int_equal(got.dns.qtype[0], 1);
	assert_int_equal(got.dns.qtype[1], 65);
	assert_int_equal(got.dns.question_len, sizeof(two) - 1 - 12);
	assert_int_equal(got.v[0].seen_in, SEEN_DNS_QUERY);
}

/* A name of n bytes on the wire, the last zero included, in labels of 63 and what is left. */
static void long_name(struct bytes *b, size_t n)
{
	b->n = 0;
	bytes_put(b, QUERY("\0\1"), 12);
	for (n--; n > 0;) {
		size_t label = n > 64 ? 63 : n - 1;

		if (n - label - 1 == 1)
			label--; /* never leave one byte */
		bytes_num(b, 1, label);
		bytes_fill(b, 'a', label);
		n -= label + 1;
	}
	bytes_put(b, "\0" A_IN, 5);
}

static void test_long_names(void **state)
{
	static const struct {
		const char   *what;
		size_t        wire;
		enum wire_err result;
	} lengths[] = {
		{ "254 bytes", 254, WIRE_OK },
		{ "255 bytes, the longest (RFC 1035 3.1)", 255, WIRE_OK },
		{ "256 bytes", 256, WIRE_BAD },
		{ "400 bytes", 400, WIRE_BAD },
	};
	static struct bytes b;
	struct names        got;

	(void)state;
	for (size_t i = 0; i < N_OF(lengths); i++) {
		long_name(&b, lengths[i].wire);
		same_num(lengths[i].what, "result",
			 mangle_parse(dns_names, bytes_span(&b), false, &got), lengths[i].result);
		if (got.n)
			same_num(lengths[i].what, "text", got.v[0].len,
				 (long long)lengths[i].wire - 2);
	}
}

/* Records that each point to the one before; an OPT stands behind and is seen if all can be read.
 */
static void test_pointer_chains(void **state)
{
	static const struct {
		const char *what;
		unsigned    jumps;
	} chains[] = { { "1 jump", 1 }, { "127 jumps", 127 }, { "128 jumps", 128 } };
	static struct bytes b;
	struct names        got;

	(void)state;
	for (size_t i = 0; i < N_OF(chains); i++) {
		size_t last = 12;

		b.n = 0;
		bytes_put(&b, "\22\64\201\200\0\1", 6);
		bytes_num(&b, 2, chains[i].jumps);
		bytes_put(&b, "\0\0\0\0\1a\0" A_IN, 11);
		for (unsigned j = 1; j < chains[i].jumps; j++) {
			size_t here = b.n;

			bytes_num(&b, 2, 0xc000 | last);
			bytes_put(&b, "\0\20\0\1\0\0\0\0\0\0", 10);
			last = here;
		}
		bytes_put(&b, "\0\0\5\0\1\0\0\0\0\0\2", 11);
		bytes_num(&b, 2, 0xc000 | last);
		same_num(chains[i].what, "result",
			 mangle_parse(dns_answer_names, bytes_span(&b), false, &got),
			 chains[i].jumps > 127 ? WIRE_BAD : WIRE_OK);
		same_num(chains[i].what, "names", got.n, chains[i].jumps > 127 ? 1 : 2);
	}
}

/* ---- answers ---- */

#define ANSWER(answers) "\22\64\201\200\0\1" answers "\0\0\0\0" "\1q\0" A_IN
#define RR(type, length, data) "\300\14" type "\0\1\0\0\1\54" length data
#define CNAME(length, data) RR("\0\5", length, data)

static const struct {
	const char   *what;
	struct span   msg;
	enum wire_err result;
	const char   *names; /* the question among them */
	const char   *addrs;
	bool          ech;
} answers[] = {
	{ "nothing", LIT(ANSWER("\0\0")), WIRE_OK, "q", "", false },
	{ "a CNAME", LIT(ANSWER("\0\1") CNAME("\0\5", "\1a\1b\0")), WIRE_OK, "q a.b", "", false },
	{ "a CNAME to the root", LIT(ANSWER("\0\1") CNAME("\0\1", "\0")), WIRE_OK, "q", "", false },
	{ "the same twice", LIT(ANSWER("\0\2") CNAME("\0\3", "\1a\0") CNAME("\0\3", "\1a\0")), WIRE_OK,
	  "q a", "", false },
	{ "addresses", LIT(ANSWER("\0\2") RR("\0\1", "\0\4", "\300\0\2\1")
	                   RR("\0\34", "\0\20", "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1")),
	  WIRE_OK, "q", "192.0.2.1/300 2001:db8::1/300", false },
	{ "an address of three bytes, and one of four",
	  LIT(ANSWER("\0\2") RR("\0\1", "\0\3", "\300\0\2") RR("\0\1", "\0\4", "\300\0\2\2")), WIRE_BAD,
	  "q", "192.0.2.2/300", false },
	{ "HTTPS with hints and ECH",
	  LIT(ANSWER("\0\1") RR("\0\101", "\0\31", "\0\1\1a\0" "\0\4\0\10\300\0\2\1\300\0\2\2"
	                        "\0\5\0\4ABCD")),
	  WIRE_OK, "q a", "192.0.2.1/300 192.0.2.2/300", true },
	{ "HTTPS: half a hint", LIT(ANSWER("\0\1") RR("\0\101", "\0\11", "\0\1\0" "\0\4\0\2\300\0")),
	  WIRE_BAD, "q", "", false },
	{ "SRV", LIT(ANSWER("\0\1") RR("\0\41", "\0\11", "\0\1\0\2\1\273\1a\0")), WIRE_OK, "q a", "", false },
	{ "MX", LIT(ANSWER("\0\1") RR("\0\17", "\0\5", "\0\1\1a\0")), WIRE_OK, "q a", "", false },
	{ "NS, PTR and TXT", LIT(ANSWER("\0\3") RR("\0\2", "\0\3", "\1a\0") RR("\0\14", "\0\3", "\1b\0")
	                         RR("\0\20", "\0\3", "\1c\0")), WIRE_OK, "q", "", false },
	{ "records promised, none there", LIT(ANSWER("\377\377")), WIRE_BAD, "q", "", false },
	{ "a record that is longer than the message", LIT(ANSWER("\0\1") CNAME("\0\10", "\1a\0")), WIRE_BAD,
	  "q", "", false },
	{ "a target in the additional section is none",
	  LIT("\22\64\201\200\0\1\0\0\0\0\0\1\1q\0" A_IN CNAME("\0\3", "\1a\0")), WIRE_OK, "q", "", false },
	{ "a question", LIT(QUERY("\0\1") "\1q\0" A_IN), WIRE_NONE, "", "", false },
	{ "an answer to notify", LIT("\22\64\241\0\0\1\0\0\0\0\0\0\1q\0" A_IN), WIRE_NONE, "", "", false },
};

static const char *addrs_text(const struct dns_info *info)
{
	static char out[400];

	out[0] = '\0';
	for (unsigned i = 0; i < info->n_addrs; i++) {
		char one[ADDR_TEXT];

		addr_text(&info->addrs[i].addr, one);
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s/%u", i ? " " : "", one,
		         info->addrs[i].ttl);
	}
	return out;
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(answers); i++) {
		struct names  got;
		enum wire_err r = mangle_parse(dns_answer_names, answers[i].msg, false, &got);

		same_num(answers[i].what, "result", r, answers[i].result);
		same_text(answers[i].what, names_text(&got), answers[i].names);
		same_text(answers[i].what, addrs_text(&got.dns), answers[i].addrs);
		same_num(answers[i].what, "ECH", got.dns.ech, answers[i].ech);
	}
}

/* A target of four bytes can point to a name of 255: only so many are read. */
static void test_many_targets(void **state)
{
	static struct bytes b;
	struct names        got;

	(void)state;
	bytes_put(&b, ANSWER("\20\0"), 19);
	while (b.n + 16 < 60000)
		bytes_put(&b, CNAME("\0\4", "\1a\300\14"), 16);
	assert_int_equal(mangle_parse(dns_answer_names, bytes_span(&b), false, &got), WIRE_BAD);
	assert_int_equal(got.dns.n_targets, 32);
}

static void test_tcp(void **state)
{
	static const struct {
		const char   *what;
		struct span   msg;
		bool          open;
		enum wire_err guess, result;
		const char   *names;
		size_t        left; /* bytes behind the message */
	} tcp[] = {
		{ "one message", LIT("\0\25" QUERY("\0\1") "\1a\1b\0" A_IN), true, WIRE_OK, WIRE_OK,
		  "a.b", 0 },
		{ "two messages",
		  LIT("\0\25" QUERY("\0\1") "\1a\1b\0" A_IN "\0\25" QUERY("\0\1") "\1c\1d\0" A_IN),
		  true, WIRE_OK, WIRE_OK, "a.b", 23 },
		{ "and half a length", LIT("\0\25" QUERY("\0\1") "\1a\1b\0" A_IN "\0"), true,
		  WIRE_OK, WIRE_OK, "a.b", 1 },
		{ "nothing yet", LIT(""), true, WIRE_MORE, WIRE_MORE, "", 0 },
		{ "half a length alone", LIT("\0"), true, WIRE_MORE, WIRE_MORE, "", 0 },
		{ "a length alone", LIT("\0\25"), true, WIRE_MORE, WIRE_MORE, "", 0 },
		{ "half a message", LIT("\0\25" QUERY("\0\1") "\1a"), true, WIRE_OK, WIRE_MORE, "",
		  0 },
		{ "half a message, no more to come", LIT("\0\25" QUERY("\0\1") "\1a"), false,
		  WIRE_OK, WIRE_BAD, "", 0 },
		{ "a length that holds no header", LIT("\0\13" QUERY("\0\1")), true, WIRE_NONE,
		  WIRE_BAD, "", 2 },
		{ "length zero", LIT("\0\0" QUERY("\0\1")), true, WIRE_NONE, WIRE_BAD, "", 12 },
		{ "the question overruns the length", LIT("\0\20" QUERY("\0\1") "\1a\1b\0" A_IN),
		  true, WIRE_OK, WIRE_BAD, "", 0 },
		{ "an answer", LIT("\0\25" HEAD("\201\200", "\0\1", "\0\0") "\1a\1b\0" A_IN), true,
		  WIRE_OK, WIRE_NONE, "", 0 },
		{ "TLS: why its row stands before this one", LIT("\26\3\1\0\377\1\0\0"), true, WIRE_OK,
		  WIRE_MORE, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(tcp); i++) {
		enum wire_err err = WIRE_OK, guess_err = WIRE_OK;
		struct wire   w = wire_of(tcp[i].msg, &err, tcp[i].open);
		struct names  got = { 0 };

		same_num(tcp[i].what, "guess",
		         dns_tcp_guess(wire_of(tcp[i].msg, &guess_err, tcp[i].open)), tcp[i].guess);
		same_num(tcp[i].what, "result", dns_tcp_names(&w, &got), tcp[i].result);
		same_text(tcp[i].what, names_text(&got), tcp[i].names);
		if (tcp[i].result == WIRE_OK)
			same_num(tcp[i].what, "left", w.end - w.pos, (long long)tcp[i].left);
	}
}

static void test_guess(void **state)
{
	enum wire_err err = WIRE_OK;

	(void)state;
	assert_int_equal(dns_guess(wire_of(span_str("123456789012"), &err, false)), WIRE_OK);
	assert_int_equal(dns_guess(wire_of(span_str("12345678901"), &err, false)), WIRE_NONE);
}

static void test_guess_strict(void **state)
{
	static const struct {
		const char   *what;
		struct span   msg;
		bool          open;
		enum wire_err guess;
	} strict[] = {
		{ "a question", LIT(QUERY("\0\1") "\1a\2bc\0" A_IN), false, WIRE_OK },
		{ "checking disabled, with an OPT",
		  LIT(HEAD("\1\60", "\0\1", "\0\1") "\1a\1b\0" A_IN OPT("\0\0", "\0\0")), false,
		  WIRE_OK },
		{ "a service", LIT(QUERY("\0\1") "\4_tcp\1b\0" A_IN), false, WIRE_OK },
		{ "an answer", LIT(HEAD("\201\200", "\0\1", "\0\0") "\1a\1b\0" A_IN), false, WIRE_NONE },
		{ "truncated", LIT(HEAD("\3\0", "\0\1", "\0\0") "\1a\1b\0" A_IN), false, WIRE_NONE },
		{ "two questions", LIT(QUERY("\0\2") "\1a\1b\0" A_IN "\1c\1d\0" A_IN), false, WIRE_NONE },
		{ "with an answer", LIT("\22\64\1\0\0\1\0\1\0\0\0\0\1a\1b\0" A_IN), false, WIRE_NONE },
		{ "three additional records", LIT(HEAD("\1\0", "\0\1", "\0\3") "\1a\1b\0" A_IN), false,
		  WIRE_NONE },
		{ "one label", LIT(QUERY("\0\1") "\1a\0" A_IN), false, WIRE_NONE },
		{ "a blank in a label", LIT(QUERY("\0\1") "\1a\2 b\0" A_IN), false, WIRE_NONE },
		{ "a pointer", LIT(QUERY("\0\1") "\1a\300\14" A_IN), false, WIRE_NONE },
		{ "class CH", LIT(QUERY("\0\1") "\1a\1b\0\0\1\0\3"), false, WIRE_NONE },
		{ "cut", LIT(QUERY("\0\1") "\1a\1b\0\0\1"), false, WIRE_NONE },
		{ "more to come", LIT(QUERY("\0\1") "\1a\1b\0\0\1"), true, WIRE_MORE },
		{ "more to come, flags that do not fit", LIT("\22\64\41\0\0"), true, WIRE_NONE },
	};
	static struct bytes tcp;

	(void)state;
	for (size_t i = 0; i < N_OF(strict); i++) {
		enum wire_err err = WIRE_OK;

		same_num(strict[i].what, "guess",
		         dns_guess_strict(wire_of(strict[i].msg, &err, strict[i].open)), strict[i].guess);
		tcp.n = 0;
		bytes_block(&tcp, 2, strict[i].msg);
		if (strict[i].open)
			tcp.p[1] = 80; /* the length of all that will come */
		err = WIRE_OK;
		same_num(strict[i].what, "guess over TCP",
		         dns_tcp_guess_strict(wire_of(bytes_span(&tcp), &err, strict[i].open)),
		         strict[i].guess);
	}
}

/* Six bytes of a question can point to a name of 255: only so many are read. */
static void test_many_questions(void **state)
{
	static struct bytes b;
	struct names        got;

	(void)state;
	bytes_put(&b, QUERY("\50\0"), 12);
	for (unsigned i = 0; i < 3; i++) {
		bytes_num(&b, 1, 63);
		bytes_fill(&b, 0xff, 63);
	}
	bytes_put(&b, "\0" A_IN, 5);
	while (b.n + 6 < 65000)
		bytes_put(&b, "\300\14" A_IN, 6);
	assert_int_equal(mangle_parse(dns_names, bytes_span(&b), false, &got), WIRE_BAD);
	assert_int_equal(got.n, 1);
}

static void test_extended_error(void **state)
{
	static const struct {
		const char *what;
		struct span msg;
		unsigned    code; /* 0: none */
		const char *text;
	} errors[] = {
		{ "blocked, behind another record and option",
		  LIT("\22\64\201\203\0\1\0\0\0\1\0\1\1q\0" A_IN "\300\14\0\6\0\1\0\0\0\74\0\1x"
		      OPT("\0\0", "\0\16") "\0\12\0\1c\0\17\0\5\0\17p/r"), 15, "p/r" },
		{ "without a text", LIT("\22\64\201\203\0\1\0\0\0\0\0\1\1q\0" A_IN
		                        OPT("\0\0", "\0\6") "\0\17\0\2\0\22"), 18, "" },
		{ "another option", LIT("\22\64\201\203\0\1\0\0\0\0\0\1\1q\0" A_IN
		                        OPT("\0\0", "\0\5") "\0\12\0\1c"), 0, "" },
		{ "too short for its code", LIT("\22\64\201\203\0\1\0\0\0\0\0\1\1q\0" A_IN
		                                OPT("\0\0", "\0\5") "\0\17\0\1c"), 0, "" },
		{ "no OPT", LIT("\22\64\201\203\0\1\0\0\0\0\0\0\1q\0" A_IN), 0, "" },
		{ "fewer records than it says", LIT("\22\64\201\203\0\1\0\0\0\0\0\1\1q\0" A_IN), 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(errors); i++) {
		struct dns_error got = { .code = 0 };
		char             text[16];

		same_num(errors[i].what, "found", dns_extended_error(errors[i].msg, &got), errors[i].code > 0);
		if (!errors[i].code)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)got.text.n, (const char *)got.text.p);
		same_num(errors[i].what, "code", got.code, errors[i].code);
		same_text(errors[i].what, text, errors[i].text);
		for (size_t n = 0; n < errors[i].msg.n; n++) {
			uint8_t *cut = malloc(n + 1);

			memcpy(cut, errors[i].msg.p, n);
			assert_false(dns_extended_error(span_of(cut, n), &got));
			free(cut);
		}
	}
}

static void test_types(void **state)
{
	char buf[12];

	(void)state;
	assert_string_equal(dns_type_text(1, buf), "A");
	assert_string_equal(dns_type_text(28, buf), "AAAA");
	assert_string_equal(dns_type_text(65, buf), "HTTPS");
	assert_string_equal(dns_type_text(65535, buf), "TYPE65535");
}

static void test_mangled(void **state)
{
	static struct bytes b, tcp;

	(void)state;
	bytes_dns_query(&b, 7, "downloads.upd.kaspersky.com", 1);
	mangle("a query", dns_names, bytes_span(&b));
	for (size_t i = 0; i < N_OF(answers); i++) {
		tcp.n = 0;
		bytes_block(&tcp, 2, answers[i].msg);
		if (answers[i].result == WIRE_OK)
			mangle(answers[i].what, dns_tcp_answer_names, bytes_span(&tcp));
	}
	tcp.n = 0;
	bytes_block(&tcp, 2, bytes_span(&b));
	mangle("a query over TCP", dns_tcp_names, bytes_span(&tcp));
	b.n = 0;
	bytes_put(&b, WITH_OPT("\0\2") "\1a\1b\0" A_IN "\1c\300\16" A_IN OPT("\200\0", "\0\0"), 41);
	mangle("two questions, a pointer and EDNS", dns_names, bytes_span(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),     cmocka_unit_test(test_info),
		cmocka_unit_test(test_answers),      cmocka_unit_test(test_many_targets),
		cmocka_unit_test(test_long_names),   cmocka_unit_test(test_pointer_chains),
		cmocka_unit_test(test_tcp),          cmocka_unit_test(test_guess),
		cmocka_unit_test(test_guess_strict),
		cmocka_unit_test(test_many_questions), cmocka_unit_test(test_types),
		cmocka_unit_test(test_mangled),      cmocka_unit_test(test_extended_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
