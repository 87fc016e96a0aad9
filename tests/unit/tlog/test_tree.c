/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree against the published values for RFC 6962, and every range, join and proof of small trees. */
#include "tlog/tree.h"
#include "unit.h"

enum { MANY = 70 };

static const struct span leaves[] = {
	LIT(""), LIT("\x00"), LIT("\x10"), LIT("\x20\x21"), LIT("\x30\x31"), LIT("\x40\x41\x42\x43"),
	LIT("\x50\x51\x52\x53\x54\x55\x56\x57"),
	LIT("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"),
};

/* Of no leaf, the first one, the first two … the values that Certificate Transparency's own tests use. */
static const char *const roots[] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static struct tree_hash line_hash(uint64_t i)
{
	char text[16];
	int  n = snprintf(text, sizeof(text), "line %d", (int)i);

	return tree_leaf(text, (size_t)n);
}

static struct tree_range range_of(uint64_t begin, uint64_t end)
{
	struct tree_range r;

	tree_begin(&r, begin);
	for (uint64_t i = begin; i < end; i++) {
		struct tree_hash h = line_hash(i);

		tree_append(&r, &h);
	}
	assert_true(tree_range_ok(&r));
	return r;
}

static void same_hash(const struct tree_hash *a, const struct tree_hash *b)
{
	assert_memory_equal(a->b, b->b, TREE_HASH);
}

/* Only leaves are known. */
static bool leaf_node(void *ctx, uint64_t begin, uint64_t size, struct tree_hash *out)
{
	(void)ctx;
	if (size == 1)
		*out = line_hash(begin);
	return size == 1;
}

static bool no_node(void *ctx, uint64_t begin, uint64_t size, struct tree_hash *out)
{
	(void)ctx, (void)begin, (void)size, (void)out;
	return false;
}

static void test_vectors(void **state)
{
	struct tree_range r;

	(void)state;
	tree_begin(&r, 0);
	for (size_t i = 0; i < N_OF(roots); i++) {
		struct tree_hash root = tree_root(&r);
		char             hex[2 * TREE_HASH + 1];

		for (size_t k = 0; k < TREE_HASH; k++)
			snprintf(hex + 2 * k, 3, "%02x", root.b[k]);
		assert_string_equal(hex, roots[i]);
		if (i < N_OF(leaves)) {
			root = tree_leaf(leaves[i].p, leaves[i].n);
			tree_append(&r, &root);
		}
	}
}

/* A range from anywhere, joined with what precedes it, is what appending line by line gives. */
static void test_joins(void **state)
{
	(void)state;
	for (uint64_t middle = 0; middle <= MANY; middle++)
		for (uint64_t end = middle; end <= MANY; end++) {
			struct tree_range whole = range_of(0, end), left = range_of(0, middle);
			struct tree_range right = range_of(middle, end);
			struct tree_hash  a = tree_root(&whole), b;

			assert_true(tree_join(&left, &right));
			assert_int_equal(left.n, whole.n);
			b = tree_root(&left);
			same_hash(&a, &b);
		}
}

static void test_refused_joins(void **state)
{
	struct tree_range left = range_of(0, 5), right = range_of(6, 9);

	(void)state;
	assert_false(tree_join(&left, &right)); /* a line is missing */
	right = range_of(5, 9);
	right.n++;
	assert_false(tree_join(&left, &right));
	right.n--;
	right.end = 4;
	assert_false(tree_join(&left, &right));
	right.begin = right.end = UINT64_MAX;
	right.n = 0;
	assert_false(tree_range_ok(&right));
	assert_int_equal(left.end, 5);
}

/* RFC 9162 2.1.3.2: what a reader of a proof does. */
static struct tree_hash walk(uint64_t line, uint64_t size, const struct tree_hash *proof, int n)
{
	struct tree_hash h = line_hash(line);
	uint64_t         fn = line, sn = size - 1;

	for (int i = 0; i < n; i++) {
		assert_true(sn > 0);
		if (fn & 1 || fn == sn) {
			h = tree_parent(&proof[i], &h);
			while (!(fn & 1) && fn) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			h = tree_parent(&h, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	assert_int_equal(sn, 0);
	return h;
}

static void test_proofs(void **state)
{
	struct tree_hash proof[TREE_NODES / 2], whole;

	(void)state;
	for (uint64_t size = 1; size <= MANY; size++) {
		struct tree_range r = range_of(0, size);
		struct tree_hash  root = tree_root(&r);

		assert_true(tree_hash_of(0, size, leaf_node, NULL, &whole));
		same_hash(&root, &whole);
		for (uint64_t line = 0; line < size; line++) {
			int              n = tree_prove(line, size, leaf_node, NULL, proof);
			struct tree_hash got = walk(line, size, proof, n);

			same_hash(&root, &got);
		}
	}
	assert_int_equal(tree_prove(3, 9, no_node, NULL, proof), -1);
	assert_int_equal(tree_prove(0, 1, no_node, NULL, proof), 0);
}

static void test_text(void **state)
{
	struct tree_hash h = line_hash(1), back;
	char             text[TREE_HASH_TEXT];

	(void)state;
	tree_hash_text(&h, text);
	assert_int_equal(strlen(text), 44);
	assert_true(tree_hash_parse(text, strlen(text), &back));
	same_hash(&h, &back);
	for (size_t n = 0; n < 44; n++)
		assert_false(tree_hash_parse(text, n, &back));
	text[7] = '*';
	assert_false(tree_hash_parse(text, 44, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_joins),
		cmocka_unit_test(test_refused_joins), cmocka_unit_test(test_proofs),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
