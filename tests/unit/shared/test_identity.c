/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sensor's identity: kept over starts, counted, given up on another machine, never silently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "shared/identity.h"

static char                 said[2000];
static struct identity_last last;

static void hear(enum diag_level level, const char *token, const char *text)
{
	(void)level;
	snprintf(said, sizeof(said), "%s: %s", token, text);
}

static struct identity start(void)
{
	struct identity id;
	struct err      err = { .text = "" };

	said[0] = '\0';
	if (identity_open(&id, SOURCE_QUEUE, "state/state.json", &last, &err) < 0)
		fail_msg("%s", err.text);
	return id;
}

/* Puts another value into what is kept. */
static void change(const char *key, json_t *value)
{
	json_t *kept = json_load_file("state/sensor.json", 0, NULL);

	assert_non_null(kept);
	json_object_set_new(kept, key, value);
	assert_int_equal(json_dump_file(kept, "state/sensor.json", 0), 0);
	json_decref(kept);
}

static void test_kept(void **state)
{
	struct identity first, second;

	(void)state;
	first = start();
	assert_int_equal(first.boot, 1);
	assert_int_equal(strlen(first.sensor), 36);
	assert_int_equal(first.sensor[14], '4'); /* version */
	assert_non_null(strchr("89ab", first.sensor[19])); /* variant */
	assert_non_null(strstr(said, first.sensor));
	assert_int_equal(last.boot, 0);
	second = start();
	assert_int_equal(second.boot, 2);
	assert_int_equal(last.boot, 1);
	assert_false(last.stopped);
	assert_int_equal(last.seq, 0);
	assert_string_equal(second.sensor, first.sensor);
	assert_string_equal(said, "");
}

static void test_stopped(void **state)
{
	struct identity id = start();
	struct err      err = { .text = "" };

	(void)state;
	assert_int_equal(identity_close(&id, "state/state.json", 4711, &err), 0);
	assert_int_equal(start().boot, id.boot + 1);
	assert_true(last.stopped);
	assert_int_equal(last.seq, 4711);
	assert_int_equal(last.boot, id.boot);
	start();
	assert_false(last.stopped); /* of the run before this one */
}

/* A start that fails, say for a log that cannot be opened, ends in order and without a record. */
static void test_stopped_without_a_record(void **state)
{
	struct identity id = start();
	struct err      err = { .text = "" };

	(void)state;
	assert_int_equal(identity_close(&id, "state/state.json", 0, &err), 0);
	start();
	assert_true(last.stopped);
	assert_int_equal(last.seq, 0);
	change("stopped_at", json_integer(-1));
	start();
	assert_false(last.stopped);
	assert_int_equal(last.seq, 0);
}

static void test_another_machine(void **state)
{
	struct identity before = start(), after;

	(void)state;
	change("machine", json_string("a disk that was copied"));
	after = start();
	assert_string_not_equal(after.sensor, before.sensor);
	assert_int_equal(after.boot, 1);
	assert_non_null(strstr(said, "is now sensor"));
	assert_string_equal(start().sensor, after.sensor);
}

static void test_damaged(void **state)
{
	struct identity before = start(), after;
	FILE           *f = fopen("state/sensor.json", "w");

	(void)state;
	fputs("{\"sensor\":", f);
	fclose(f);
	after = start();
	assert_string_not_equal(after.sensor, before.sensor);
	change("boot", json_string("many"));
	assert_string_not_equal(start().sensor, after.sensor);
	after = start();
	change("boot", json_integer(INT64_MAX)); /* the next number would be no number of JSON's any more */
	assert_int_equal(start().boot, 1);
	assert_string_not_equal(start().sensor, after.sensor);
}

/* The run goes on, and the caller can say why the next one will be another sensor. */
static void test_not_kept(void **state)
{
	struct identity id;
	struct err      err = { .text = "" };

	(void)state;
	assert_int_equal(identity_open(&id, SOURCE_QUEUE, "no/such/state.json", &last, &err), -1);
	assert_non_null(strstr(err.text, "no/such/sensor.json: No such file"));
	assert_int_equal(strlen(id.sensor), 36);
	assert_int_equal(id.boot, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_stopped_without_a_record),
		cmocka_unit_test(test_another_machine),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_not_kept),
	};
	char folder[] = "/tmp/nfqd-test-identity-XXXXXX";
	int  failed;

	diag_register(hear);
	if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("state", 0755) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink("state/sensor.json");
	if (rmdir("state") < 0 || chdir("/") < 0 || rmdir(folder) < 0)
		return 1;
	return failed;
}
