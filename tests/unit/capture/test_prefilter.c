/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prefilter's reader (prefilter_read.h) beside the one that judges: of the fuzzers' corpus and of random and
 * damaged messages nothing passes that would be refused, recorded or learned from, and no address passes that is not
 * guarded. Then the same messages through the kernel: the program says what the reader says.
 *
 * PREFILTER_MESSAGES: how many random ones (default: half a million).
 */
#include <dirent.h>

#include "../match/support.h"

#include "base/label_hash.h"
#include "base/recent.h"
#include "capture/prefilter.h"
#include "match/watch.h"
#include "name/parsers.h"

static const uint64_t *filter;
static inline __attribute__((always_inline)) __u64 prefilter_word(__u32 index)
{
	return filter[index];
}

#include "capture/prefilter_read.h"

enum { MESSAGE = 1000, PACKET = MESSAGE + 70, NAMES_POOL = 40000, TOLD = 32, GUARD_SEED = 99, NOW = 1800000000 };

static struct packs           packs;
static struct image          *img;
static struct ruleset         rs;
static struct prefilter_rules rules;
static struct prefilter_work  work;
static const char            *pool[NAMES_POOL];
static unsigned               n_pool;
static unsigned               passed, refused; /* of the random ones, in both directions */

/* ---- what is listed ---- */

static int set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	if (packs_load(&packs, (char *[]){ "rules" }, 1, &err) < 0)
		fail_msg("%s", err.text);
	for (unsigned i = 0; i < packs.n; i++)
		for (unsigned k = 0; k < packs.v[i]->n_entries; k++)
			for (unsigned j = 0; j < packs.v[i]->entries[k].n_names && n_pool < NAMES_POOL; j++)
				if (!strpbrk(packs.v[i]->entries[k].names[j], "[*"))
					pool[n_pool++] = packs.v[i]->entries[k].names[j];
	img = image_of(packs.v, packs.n);
	ruleset_open(&rs, img);
	filter = image_at(img, RS_FILTER);
	rules = (struct prefilter_rules){ .seed = rs.head->seed, .guard_seed = GUARD_SEED, .words = image_n(img, RS_FILTER),
		                          .answers = true };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(img);
	packs_free(&packs);
	return 0;
}

/* ---- messages ---- */

static uint64_t state = 1;

static uint32_t upto(uint32_t n) /* 0 to n - 1; xorshift64* */
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1dU) >> 32) % n;
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *put_name(uint8_t *p, const char *name)
{
	for (const char *dot = name; *name; name = *dot ? dot + 1 : dot) {
		size_t n = strcspn(name, ".");

		dot = name + n;
		*p++ = (uint8_t)n;
		for (size_t i = 0; i < n; i++)
			*p++ = (uint8_t)(upto(4) == 0 && name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
	}
	*p++ = 0;
	return p;
}

/* Of 254 to 257 bytes on the wire: the longest name has 255 (RFC 1035 2.3.4). */
static void long_name(char out[static 300])
{
	unsigned last = 60 + upto(4);

	for (unsigned i = 0; i < 3 * 64 + last; i++)
		out[i] = (char)(i % 64 == 63 ? '.' : 'a' + (int)upto(26));
	out[3 * 64 + last] = '\0';
}

static void some_name(char out[static 300])
{
	const char *listed = pool[upto(n_pool)];

	if (upto(30) == 0)
		long_name(out);
	else if (upto(3))
		snprintf(out, 300, "w%u.site-%u.example.%s", upto(1000000), upto(997), upto(2) ? "com" : "org");
	else
		snprintf(out, 300, "%s%s", upto(2) ? "a.b-c." : "", listed + (listed[0] == '.'));
}

static uint8_t *put_address(uint8_t *p, unsigned type)
{
	unsigned size = type == 1 ? 4 : 16;

	p = put16(put16(put16(p, 0xc00c), type), 1);
	p = put16(put16(put16(p, upto(3) ? 0 : upto(4)), upto(65536)), size);
	for (unsigned i = 0; i < size; i++)
		*p++ = (uint8_t)upto(256);
	if (size == 16 && upto(8) == 0)
		memcpy(p - 16, "\0\144\377\233\0\0\0\0\0\0\0\0", 12);
	return p;
}

static uint8_t *put_alias(uint8_t *p)
{
	char name[300];
	uint8_t *length;

	some_name(name);
	p = put16(put16(put16(p, 0xc00c), 5), 1);
	length = put16(put16(p, 0), 60);
	p = put_name(length + 2, name);
	put16(length, (unsigned)(p - length - 2));
	return p;
}

static size_t make(uint8_t m[static MESSAGE])
{
	char     name[300];
	unsigned answer = upto(2), type = (unsigned[]){ 1, 28, 65, 1, 28, 12 }[upto(6)];
	unsigned n = answer && (type == 1 || type == 28) ? upto(12) : 0, opt = upto(2), alias = answer && upto(6) == 0;
	uint8_t *p = m;

	some_name(name);
	p = put16(put16(p, upto(65536)), answer ? 0x8180 : upto(2) ? 0x0100 : 0x0120);
	p = put16(put16(put16(put16(p, 1), n + alias), 0), opt);
	p = put16(put16(put_name(p, name), type), 1);
	if (alias)
		p = put_alias(p);
	for (unsigned i = 0; i < n; i++)
		p = put_address(p, type);
	if (opt) {
		unsigned data = upto(2) * 12;

		*p++ = 0;
		p = put16(put16(put16(put16(put16(p, 41), 1232), 0), upto(2) << 15), data);
		memset(p, 0, data);
		p += data;
	}
	return (size_t)(p - m);
}

static size_t damage(uint8_t m[static MESSAGE], size_t n)
{
	for (unsigned i = upto(4); i > 0; i--)
		m[upto((uint32_t)n)] = (uint8_t)(upto(2) ? upto(256) : (unsigned[]){ 0, 1, 63, 64, 0xc0, 12 }[upto(6)]);
	if (upto(8) == 0)
		n = 1 + upto((uint32_t)n);
	else if (upto(8) == 0 && n + 9 < MESSAGE)
		for (unsigned i = upto(8); i > 0; i--)
			m[n++] = (uint8_t)upto(256);
	return n;
}

/* ---- both readers ---- */

static bool passes(const uint8_t *m, size_t n, bool answer)
{
	if (n < PREFILTER_HEADER + 5 || n > PREFILTER_BYTES)
		return false;
	memcpy(work.message, m, n); /* what an earlier message left behind it stays */
	return answer ? prefilter_answer(&work, &rules, (__u32)n) : prefilter_question(&work, &rules, (__u32)n);
}

static bool is_guarded(const struct dns_address *a)
{
	uint64_t w[2];

	memcpy(w, a->addr.b, sizeof(w));
	for (unsigned i = 0; i < work.addresses; i++)
		if (work.guard[i] == addr_hash(GUARD_SEED, a->addr.len, label_word(w[0]), label_word(w[1])) &&
		    work.ttl[i] == a->ttl)
			return true;
	return false;
}

/* What passes must be whole to the reader that judges, name nothing that is listed, and lead nowhere. */
static void check(const uint8_t *m, size_t n, bool answer)
{
	static const struct name empty;
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(span_of(m, n), &err, false);
	struct names  names;
	struct match  match;

	if (!passes(m, n, answer)) {
		refused++;
		return;
	}
	passed++;
	memset(&names, 0, sizeof(names));
	names.v[0] = empty;
	if ((answer ? dns_answer_names : dns_names)(&w, &names) != WIRE_OK || names.n != 1 || names.dns.n_targets)
		fail_msg("a message of %zu bytes passes that the other reader takes for %u names", n, names.n);
	ruleset_match_name(&rs, &names.v[0], &match);
	if (match.n || match.n_exceptions)
		fail_msg("%s passes", names.v[0].text);
	for (unsigned i = 0; i < names.dns.n_addrs; i++) {
		struct addr real = ruleset_real_addr(&rs, &names.dns.addrs[i].addr);

		if (real.len != names.dns.addrs[i].addr.len || !is_guarded(&names.dns.addrs[i]))
			fail_msg("an answer for %s passes, and its address is not guarded", names.v[0].text);
	}
}

static void test_corpus(void **unused)
{
	DIR           *d = opendir("tests/fuzz/corpus/dns");
	struct dirent *e;
	unsigned       n = 0;

	(void)unused;
	assert_non_null(d);
	while ((e = readdir(d))) {
		char    path[512];
		uint8_t m[65536];
		FILE   *f;

		snprintf(path, sizeof(path), "tests/fuzz/corpus/dns/%s", e->d_name);
		f = e->d_name[0] != '.' ? fopen(path, "rb") : NULL;
		if (!f)
			continue;
		n++;
		size_t size = fread(m, 1, sizeof(m), f);
		for (size_t cut = 0; cut <= 2; cut += 2) /* TCP's have their length in front */
			for (unsigned answer = 0; size > cut && answer < 2; answer++)
				check(m + cut, size - cut, answer);
		fclose(f);
	}
	closedir(d);
	assert_true(n > 5);
}

static void test_random(void **unused)
{
	const char *many = getenv("PREFILTER_MESSAGES");
	unsigned long left = many ? strtoul(many, NULL, 10) : 500000;
	uint8_t       m[MESSAGE];

	(void)unused;
	passed = refused = 0;
	for (; left > 0; left--) {
		size_t n = make(m);

		if (upto(2))
			n = damage(m, n);
		check(m, n, m[2] >> 7);
	}
	print_message("# %u pass, %u do not\n", passed, refused);
	assert_true(passed > refused / 4 && refused > passed / 4);
}

/* Of plain questions about unlisted names, few may be taken for listed ones. */
static void test_false_candidates(void **unused)
{
	unsigned wrong = 0;

	(void)unused;
	for (unsigned i = 0; i < 10000; i++) {
		uint8_t m[MESSAGE] = { 0, 0, 1, 0, 0, 1 }, *p;
		char    name[64];

		snprintf(name, sizeof(name), "w%u.site-%u.example.net", i, i % 997);
		p = put16(put16(put_name(m + 12, name), 1), 1);
		wrong += !passes(m, (size_t)(p - m), false);
	}
	print_message("# %u of 10000 false candidates\n", wrong);
	assert_true(wrong < 200);
}

/* ---- the kernel's half ---- */

#ifndef NFQD_WITHOUT_PREFILTER
#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

/* The datagram in a packet, behind an Ethernet header. */
static size_t wrap(uint8_t out[static PACKET], const uint8_t *m, size_t n, bool answer, bool six)
{
	static const uint8_t v4[] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2 };
	size_t               head = six ? 40 : 20;

	memset(out, 0, 14 + 40);
	put16(out + 12, six ? 0x86dd : 0x0800);
	if (six) {
		out[14] = 0x60;
		put16(out + 18, (unsigned)n + 8);
		out[20] = 17;
		out[21] = 64;
	} else {
		memcpy(out + 14, v4, sizeof(v4));
		put16(out + 16, (unsigned)(n + 28));
	}
	put16(put16(put16(put16(out + 14 + head, answer ? 53 : 40000), answer ? 40000 : 53), (unsigned)n + 8), 0);
	memcpy(out + 14 + head + 8, m, n);
	return 14 + head + 8 + n;
}

/* segment: bytes of each datagram of the several that the packet stands for; 0: it is one. */
static bool kernel_passes_segments(int program, uint8_t *packet, size_t n, uint32_t segment)
{
	struct __sk_buff skb = { .gso_size = segment, .gso_segs = segment ? 2 : 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = (uint32_t)n, .repeat = 1,
	            .ctx_in = segment ? &skb : NULL, .ctx_size_in = segment ? sizeof(skb) : 0);

	if (bpf_prog_test_run_opts(program, &run) < 0)
		fail_msg("BPF_PROG_TEST_RUN: %s", strerror(errno));
	return run.retval;
}

static bool kernel_passes(int program, uint8_t *packet, size_t n)
{
	return kernel_passes_segments(program, packet, n, 0);
}

/* The program's memory `work`, of each processor, as if a packet were being read there, or none. */
static void set_taken(int program, bool taken)
{
	static struct prefilter_work each[1024];
	uint32_t             ids[16], key = 0;
	struct bpf_prog_info info = { .nr_map_ids = 16, .map_ids = (uintptr_t)ids };
	uint32_t             size = sizeof(info);

	for (unsigned i = 0; i < sizeof(each) / sizeof(each[0]); i++)
		each[i].taken = taken;
	assert_int_equal(bpf_obj_get_info_by_fd(program, &info, &size), 0);
	for (unsigned i = 0; i < info.nr_map_ids; i++) {
		struct bpf_map_info map = { 0 };
		int                 fd = bpf_map_get_fd_by_id(ids[i]);

		size = sizeof(map);
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &map, &size), 0);
		if (strcmp(map.name, "work") == 0)
			assert_int_equal(bpf_map_update_elem(fd, &key, each, BPF_ANY), 0);
		close(fd);
	}
}

/* A plain question that passes does not where it cannot be read alone, or where it is not alone. */
static void test_interrupted(void **unused)
{
	struct err             err = { 0 };
	struct prefilter      *p = geteuid() == 0 ? prefilter_new(GUARD_SEED, &err) : NULL;
	struct prefilter_names names = { filter, rules.words, rules.seed, true };
	int                    programs[PREFILTER_PROGRAMS];
	uint8_t                m[MESSAGE] = { 0, 0, 1, 0, 0, 1 }, packet[PACKET];
	size_t                 n;

	(void)unused;
	if (!p && geteuid() != 0) {
		print_message("# not root: the kernel's half is not tried\n");
		return;
	}
	if (!p || prefilter_load(p, &names, &err) < 0)
		fail_msg("%s", err.text);
	prefilter_programs(p, programs);
	for (unsigned answer = 0; answer < 2; answer++) {
		int program = programs[answer ? PREFILTER_ANSWER : PREFILTER_QUESTION];

		m[2] = answer ? 0x81 : 1;
		n = wrap(packet, m, (size_t)(put16(put16(put_name(m + 12, "www.site-1.example.net"), 1), 1) - m), answer, false);
		prefilter_tell_time(p);
		assert_true(kernel_passes(program, packet, n));
		assert_false(kernel_passes_segments(program, packet, n, 20));
		set_taken(program, true);
		prefilter_tell_time(p);
		assert_false(kernel_passes(program, packet, n));
		set_taken(program, false);
		prefilter_tell_time(p);
		assert_true(kernel_passes(program, packet, n));
	}
	prefilter_free(p);
}

static void test_kernel(void **unused)
{
	struct err              err = { 0 };
	struct prefilter       *p = geteuid() == 0 ? prefilter_new(GUARD_SEED, &err) : NULL;
	struct prefilter_names  names = { filter, rules.words, rules.seed, true };
	int                     programs[PREFILTER_PROGRAMS];
	unsigned                both = 0;

	(void)unused;
	if (!p && geteuid() != 0) {
		print_message("# not root: the kernel's half is not tried\n"); /* prove takes cmocka's skip() for a failure */
		return;
	}
	if (!p || prefilter_load(p, &names, &err) < 0)
		fail_msg("%s", err.text);
	prefilter_programs(p, programs);
	for (unsigned i = 0; i < 40000; i++) {
		uint8_t m[MESSAGE], packet[PACKET];
		size_t  n = make(m);
		bool    answer, expected, six = upto(2);

		if (upto(3) == 0)
			n = damage(m, n);
		answer = m[2] >> 7;
		expected = passes(m, n, answer);
		n = wrap(packet, m, n, answer, six);
		prefilter_tell_time(p); /* this daemon lives */
		if (kernel_passes(programs[answer ? PREFILTER_ANSWER : PREFILTER_QUESTION], packet, n) != expected)
			fail_msg("message %u: here it %s, in the kernel it does not", i, expected ? "passes" : "stays");
		both += expected;
		for (unsigned k = 0; answer && expected && k < work.addresses; k++)
			assert_true(recent_has(prefilter_guarded(p), work.guard[k], NOW / 2));
		if (i % 1000 == 0) { /* the programs of names that are out of date */
			prefilter_silence(p);
			assert_false(kernel_passes(programs[answer ? PREFILTER_ANSWER : PREFILTER_QUESTION], packet, n));
			assert_int_equal(prefilter_load(p, &names, &err), 0);
			prefilter_programs(p, programs);
		}
		/* not a whole datagram of a plain packet */
		packet[six ? 20 : 14] = six ? 0 : 0x46;
		assert_false(kernel_passes(programs[answer ? PREFILTER_ANSWER : PREFILTER_QUESTION], packet, n));
	}
	assert_true(both > 5000);
	assert_int_equal(prefilter_until(0, 0), WATCH_MIN);
	assert_int_equal(prefilter_until(0, UINT32_MAX), WATCH_MAX);
	prefilter_free(p);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_false_candidates),
#ifndef NFQD_WITHOUT_PREFILTER
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_interrupted),
#endif
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
