/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question that takes longer than it may ends, and says so; without a limit it is answered. */
#include "records.h"

enum { MACHINES = 1000 };

static struct sightings *filled(void)
{
	struct err        err = { 0 };
	struct sightings *s = sightings_open("", SIGHTINGS_MEMORY, NULL, &err);
	char              mac[24], ip[16];

	if (!s)
		fail_msg("%s", err.text);
	assert_int_equal(sightings_begin(s), 0);
	for (unsigned i = 0; i < MACHINES; i++) {
		snprintf(mac, sizeof(mac), "3c:52:82:00:%02x:%02x", i >> 8, i & 255);
		snprintf(ip, sizeof(ip), "10.0.%u.%u", i >> 8, i & 255);
		TAKE(s, .second = (int)i, .mac = mac, .ip = ip);
	}
	assert_int_equal(sightings_commit(s), 0);
	return s;
}

static void test_limit(void **state)
{
	struct err              err = { 0 };
	struct sightings_which  all = { .vendor = NULL };
	struct sightings       *s = filled();
	json_t                 *answer = sightings_report(s, &all, &err);

	(void)state;
	assert_non_null(answer);
	json_decref(answer);
	sightings_limit_time(s, 60000);
	answer = sightings_report(s, &all, &err);
	assert_non_null(answer);
	json_decref(answer);
	sightings_limit_time(s, 0);
	assert_null(sightings_report(s, &all, &err));
	same_text("why", err.text, "interrupted");
	sightings_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_limit) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
