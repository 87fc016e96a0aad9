/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is counted, and what is not; what a day keeps of names; repeats; limits; and that nothing is taken twice. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "records.h"
#include "sightings/process.h"
#include "sightings/sightings_private.h"

static void test_outcomes(void **state)
{
	struct sightings *s = fresh();

	(void)state;
	TAKE(s, .second = 1);
	TAKE(s, .second = 2, .action = "drop", .would = "drop");
	TAKE(s, .second = 3, .action = "log", .would = "log");
	TAKE(s, .second = 4, .action = "log"); /* mode log: it was to be refused */
	TAKE(s, .second = 5, .action = "allow"); /* an exception */
	same_text("counts", hosts_text(s), "mac:" A_MAC " 2/2/1/2");
	TAKE(s, .second = 6, .action = "allow", .would = "allow"); /* a removal tool */
	TAKE(s, .second = 7, .relayed = true);
	TAKE(s, .second = 8, .category = "canary");
	take_text(s, "{\"timestamp\":\"2026-11-23T00:00:09.000000+0000\",\"event_type\":\"dns\",\"nfqd\":{\"rule\":null}}");
	take_text(s, "no record");
	take_text(s, "[]");
	same_text("no sign of a product", hosts_text(s), "mac:" A_MAC " 2/2/1/2");
	sightings_close(s);
}

static void test_once(void **state)
{
	struct sightings *s = fresh();

	(void)state;
	TAKE(s, .second = 1, .boot = 3, .seq = 10);
	TAKE(s, .second = 1, .boot = 3, .seq = 10);
	TAKE(s, .second = 1, .boot = 3, .seq = 9);
	same_text("a boot's numbers rise", hosts_text(s), "mac:" A_MAC " 1/0/0/0");
	TAKE(s, .second = 2, .boot = 4, .seq = 1);
	TAKE(s, .second = 2, .seq = 1); /* a capture's numbers begin anew */
	TAKE(s, .second = 2, .seq = 1);
	same_text("of each boot", hosts_text(s), "mac:" A_MAC " 4/0/0/0");
	sightings_close(s);
}

static void test_many_names(void **state)
{
	struct sightings *s = fresh();
	json_t           *host, *others;
	char              name[64];

	(void)state;
	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "n%d.upd.example", i);
		TAKE(s, .second = i, .name = name);
	}
	TAKE(s, .second = 71, .name = "n3.upd.example");
	host = host_of(s, "mac:" A_MAC);
	same_num("names", "of a day", (long long)json_array_size(json_object_get(host, "names")), 51);
	others = json_array_get(json_object_get(host, "names"), 0);
	same_text("the others", json_string_value(json_object_get(others, "name")), "(others)");
	same_num("the others", "refused", json_integer_value(json_object_get(others, "refused")), 20);
	json_decref(host);
	sightings_close(s);
}

static void test_walk_and_interval(void **state)
{
	static const char *const asked[] = { "10.0.0.1", "8.8.8.8", "1.1.1.1", "223.6.6.6", "9.9.9.9", "185.228.168.168" };
	struct sightings        *s = fresh();
	json_t                  *host, *vendor;

	(void)state;
	for (int call = 0; call < 5; call++)
		for (int i = 0; i < (call == 3 ? 6 : 2); i++)
			TAKE(s, .second = call * 7200 + i * 2, .resolver = asked[i]);
	host = host_of(s, "mac:" A_MAC);
	same_text("the longest walk", column(host, "resolvers", NULL), "10.0.0.1|8.8.8.8|1.1.1.1|223.6.6.6|9.9.9.9|185.228.168.168");
	assert_true(json_is_true(json_object_get(host, "product_fallback")));
	vendor = json_array_get(json_object_get(host, "vendors"), 0);
	same_num("calls", "in all", json_integer_value(json_object_get(vendor, "calls")), 5);
	assert_in_range(json_integer_value(json_object_get(vendor, "interval_s")), 4800, 7200);
	json_decref(host);
	sightings_close(s);
}

#define REPEAT                                                                                                         \
	"{\"timestamp\":\"2026-11-23T00:10:00.000000+0000\",\"event_type\":\"nfqd\",\"nfqd\":{\"sensor\":"             \
	"\"5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77\",\"boot\":1,\"seq\":%d,\"source\":\"queue\",\"kind\":\"repeat\",\"of\":%d," \
	"\"count\":5,\"first\":\"2026-11-23T00:00:02.000000+0000\",\"last\":\"2026-11-23T00:05:00.250000+0000\"}}"

static void test_repeats(void **state)
{
	struct sightings *s = fresh();
	struct err        err = { 0 };
	char              text[600];
	json_t           *host, *report;

	(void)state;
	TAKE(s, .second = 1, .boot = 1, .seq = 7);
	TAKE(s, .second = 1, .boot = 1, .seq = 8, .relayed = true);
	snprintf(text, sizeof(text), REPEAT, 9, 7);
	take_text(s, text);
	snprintf(text, sizeof(text), REPEAT, 10, 8);
	take_text(s, text);
	same_text("those of a sighting count", hosts_text(s), "mac:" A_MAC " 6/0/0/0");
	host = host_of(s, "mac:" A_MAC);
	same_text("until the last", column(host, "vendors", "last"), "2026-11-23T00:05:00.250000+0000");
	json_decref(host);
	snprintf(text, sizeof(text), REPEAT, 11, 3);
	take_text(s, text);
	report = sightings_report(s, &(struct sightings_which){ 0 }, &err);
	same_num("of a record that was not seen here", "missed",
	         json_integer_value(json_object_get(json_object_get(report, "coverage"), "not_in_database")), 5);
	json_decref(report);
	sightings_close(s);
}

/* ---- on the disk --------------------------------------------------------------------------- */

static char folder[64], path[96];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sightings-test-%d", getpid());
	snprintf(path, sizeof(path), "%s/" SIGHTINGS_FILE, folder);
	return mkdir(folder, 0700);
}

static int remove_folder(void **state)
{
	char other[128];

	(void)state;
	unlink(path);
	snprintf(other, sizeof(other), "%s-wal", path);
	unlink(other);
	snprintf(other, sizeof(other), "%s-shm", path);
	unlink(other);
	return rmdir(folder);
}

static struct sightings *on_disk(enum sightings_open how)
{
	struct err        err = { 0 };
	struct sightings *s = sightings_open(path, how, NULL, &err);

	if (!s)
		fail_msg("%s", err.text);
	return s;
}

/* A process that is killed leaves all that it committed, and nothing else. */
static void test_killed(void **state)
{
	struct sightings *s;
	pid_t             child = fork();

	(void)state;
	if (child == 0) {
		s = on_disk(SIGHTINGS_CREATE);
		for (int batch = 0; batch < 3; batch++) {
			if (sightings_begin(s) < 0)
				_exit(1);
			for (int i = 0; i < 20; i++)
				TAKE(s, .second = batch * 100 + i, .boot = 1, .seq = batch * 100 + i + 1);
			if (batch == 2)
				kill(getpid(), SIGKILL);
			if (sightings_commit(s) < 0)
				_exit(1);
		}
	}
	waitpid(child, NULL, 0);
	s = on_disk(SIGHTINGS_CREATE);
	same_text("two batches", hosts_text(s), "mac:" A_MAC " 40/0/0/0");
	for (int i = 0; i < 20; i++) /* the feed gives again what was not committed, and a little more */
		TAKE(s, .second = 190 + i, .boot = 1, .seq = 191 + i - (i < 10 ? 80 : 0));
	same_text("nothing twice", hosts_text(s), "mac:" A_MAC " 50/0/0/0");
	sightings_close(s);
	s = on_disk(SIGHTINGS_READ);
	same_text("and it is there", hosts_text(s), "mac:" A_MAC " 50/0/0/0");
	sightings_close(s);
}

static void write_file(const char *what, size_t n, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(pwrite(fd, what, n, at), (ssize_t)n);
	close(fd);
}

static void test_damaged(void **state)
{
	struct err err = { 0 };
	char       junk[4096];
	bool       damaged;

	(void)state;
	memset(junk, 0xa5, sizeof(junk));
	write_file(junk, sizeof(junk), 0);
	assert_null(sightings_open(path, SIGHTINGS_CREATE, &damaged, &err));
	assert_true(damaged);
	unlink(path);
	assert_null(sightings_open(path, SIGHTINGS_READ, &damaged, &(struct err){ 0 }));
	assert_false(damaged);
}

/* A database of an earlier version counts as a damaged one, which is moved aside. */
static void test_older(void **state)
{
	struct sightings *s = on_disk(SIGHTINGS_CREATE);
	struct err        err = { 0 };
	bool              damaged;

	(void)state;
	sql_script(s, "PRAGMA user_version=1");
	sightings_close(s);
	assert_null(sightings_open(path, SIGHTINGS_CREATE, &damaged, &err));
	assert_true(damaged);
	assert_non_null(strstr(err.text, "of another version"));
}

static void take_day(struct sightings *s, int day)
{
	char mac[24], name[32], text[2200], digits[16];

	snprintf(digits, sizeof(digits), "%02d", day);
	assert_int_equal(sightings_begin(s), 0);
	for (int i = 0; i < 400; i++) {
		snprintf(mac, sizeof(mac), "3c:52:82:00:00:%02x", i / 8);
		snprintf(name, sizeof(name), "n%d.upd.example", i % 8);
		snprintf(text, sizeof(text), "%s", line_text(&(struct line){ .second = i * 200, .name = name, .mac = mac }));
		memcpy(strstr(text, DAY) + 8, digits, 2);
		take_text(s, text);
	}
	assert_int_equal(sightings_commit(s), 0);
}

/* However many days there are, a new one of fifty machines writes few pages. */
static void test_pages_of_a_day(void **state)
{
	struct sightings *s = on_disk(SIGHTINGS_CREATE);
	int               written, most;

	(void)state;
	for (int day = 1; day < 29; day++) {
		sqlite3_db_status(s->db, SQLITE_DBSTATUS_CACHE_WRITE, &written, &most, 1);
		take_day(s, day);
	}
	sqlite3_db_status(s->db, SQLITE_DBSTATUS_CACHE_WRITE, &written, &most, 1);
	assert_in_range(written, 1, 50);
	sightings_close(s);
}

static int64_t refused_of(const json_t *host, const char *array)
{
	return json_integer_value(json_object_get(json_array_get(json_object_get(host, array), 0), "refused"));
}

/* Old days go first; the sums stay, and the room is given back. */
static void test_trimmed(void **state)
{
	struct sightings *s = on_disk(SIGHTINGS_CREATE);
	struct err        err = { 0 };
	struct stat       after;
	char              name[64], mac[24], text[2200];
	json_t           *answer;

	(void)state;
	assert_int_equal(sightings_begin(s), 0);
	for (int day = 1; day < 29; day++)
		for (int i = 0; i < 200; i++) {
			const char *line;

			snprintf(name, sizeof(name), "n%d.upd.example", i % 40);
			snprintf(mac, sizeof(mac), "3c:52:82:00:00:%02x", i / 40);
			line = line_text(&(struct line){ .second = i * 100, .name = name, .mac = mac });
			snprintf(text, sizeof(text), "%s", line);
			snprintf(name, sizeof(name), "%02d", day);
			memcpy(strstr(text, DAY) + 8, name, 2);
			take_text(s, text);
		}
	assert_int_equal(sightings_commit(s), 0);
	sightings_limit(s, 1 << 30);
	trim_all(s, 0);
	sightings_limit(s, 200000);
	assert_in_range(trim_all(s, 0).days, 7, 27);
	sightings_close(s);
	assert_int_equal(stat(path, &after), 0);
	assert_in_range(after.st_size, 4096, 220000);
	s = on_disk(SIGHTINGS_WRITE);
	answer = sightings_hosts(s, &(struct sightings_which){ .sort = "name" }, &err);
	same_text("first", json_string_value(json_object_get(json_array_get(json_object_get(answer, "hosts"), 0), "first")),
	          "2026-11-01T00:00:00.000000+0000");
	same_num("sum", "refused", json_integer_value(json_object_get(json_array_get(json_object_get(answer, "hosts"), 0), "refused")),
	         28 * 40);
	json_decref(answer);
	answer = host_of(s, "mac:3c:52:82:00:00:01");
	same_num("by channel", "refused", refused_of(answer, "channels"), 28 * 40);
	same_num("by category", "refused", refused_of(answer, "categories"), 28 * 40);
	assert_in_range(refused_of(answer, "names"), 1, 21); /* of the days that are left */
	json_decref(answer);
	trim_all(s, INT64_C(4000000000000000)); /* nobody has called since */
	same_text("forgotten", hosts_text(s), "");
	same_num("of machines that are gone", "rows",
	         sql_number(s, -1, "SELECT (SELECT count(*) FROM day) + (SELECT count(*) FROM called)", ""), 0);
	sightings_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),          cmocka_unit_test(test_once),
		cmocka_unit_test(test_many_names),        cmocka_unit_test(test_walk_and_interval),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test_setup_teardown(test_killed, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_older, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_pages_of_a_day, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_damaged, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_trimmed, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
