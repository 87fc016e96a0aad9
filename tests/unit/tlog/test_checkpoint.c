/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checkpoints: what is signed reads back, and no damaged one does. */
#include "tlog/checkpoint.h"
#include "unit.h"

#define SENSOR "5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77"

static void test_signed(void **state)
{
	struct checkpoint c = { .size = 20000, .root = tree_leaf("x", 1) }, back;
	struct note_key   signer, verifier;
	struct err        err = { 0 };
	char              name[NOTE_NAME], note[CHECKPOINT_NOTE], want[CHECKPOINT_NOTE];
	unsigned          by;

	(void)state;
	checkpoint_key_name(SENSOR, name);
	assert_string_equal(name, "nfqd/" SENSOR);
	assert_int_equal(note_key_new(name, &signer, &err), 0);
	note_key_public(&signer, &verifier);
	checkpoint_origin(SENSOR, 17, 2, c.origin);
	checkpoint_sign(&c, &signer, note);
	snprintf(want, sizeof(want), "nfqd/" SENSOR "/17/2\n20000\n");
	assert_memory_equal(note, want, strlen(want));
	assert_true(note_verify(note, strlen(note), &verifier, 1, &by, &err) > 0);
	assert_int_equal(checkpoint_parse(note, strlen(note), &back, &err), 0);
	assert_string_equal(back.origin, c.origin);
	assert_int_equal(back.size, c.size);
	assert_memory_equal(&back.root, &c.root, sizeof(c.root));
	for (char *at = note; *at && strncmp(at, "\n\n", 2) != 0; at++) {
		char kept = *at;

		*at ^= 1;
		assert_int_equal(note_verify(note, strlen(note), &verifier, 1, &by, &err), -1);
		*at = kept;
	}
}

static void test_damaged(void **state)
{
	static const char *const bad[] = {
		"", "\n", "o\n1\n", "o\n1\nAAAA\n",
		"\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"o\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"o\n\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"o\n1 \nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"o\n99999999999999999999\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	};
	struct checkpoint c;

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		struct err err = { 0 };

		assert_int_equal(checkpoint_parse(bad[i], strlen(bad[i]), &c, &err), -1);
	}
}

static void test_origins(void **state)
{
	static const char *const bad[] = { "", "nfqd/", "nfqd/a", "nfqd/a/1", "nfqd/a/1/", "nfqd/a/x/0",
		                           "nfqd/a/1/0/", "sum/a/1/0", "nfqd/a/1/4294967296" };
	const char *sensor;
	size_t      n;
	uint64_t    boot;
	unsigned    output;

	(void)state;
	assert_true(checkpoint_origin_parse("nfqd/" SENSOR "/17/2", &sensor, &n, &boot, &output));
	assert_int_equal(n, strlen(SENSOR));
	assert_memory_equal(sensor, SENSOR, n);
	assert_int_equal(boot, 17);
	assert_int_equal(output, 2);
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_false(checkpoint_origin_parse(bad[i], &sensor, &n, &boot, &output));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_origins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
