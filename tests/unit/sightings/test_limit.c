/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A neighbour that makes senders and names by the thousand: the file stays within its limit, and he pushes out neither
 * the machines that really call nor their days. */
#include <sys/stat.h>
#include <unistd.h>

#include "records.h"
#include "sightings/process.h"

enum { LIMIT = 1 << 20, LOG = 4 << 20, BATCH = 1000, FLOOD = 3000, REAL = 5 };

static char folder[64], path[96], wal[128], shm[128];

static struct sightings_trimmed gone;

static int make_folder(void **state)
{
	(void)state;
	memset(&gone, 0, sizeof(gone));
	records_seq = 0;
	snprintf(folder, sizeof(folder), "/tmp/sightings-limit-%d", getpid());
	snprintf(path, sizeof(path), "%s/" SIGHTINGS_FILE, folder);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	snprintf(shm, sizeof(shm), "%s-shm", path);
	return mkdir(folder, 0700);
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	unlink(wal);
	unlink(shm);
	return rmdir(folder);
}

static struct sightings *limited(void)
{
	struct err        err = { 0 };
	struct sightings *s = sightings_open(path, SIGHTINGS_CREATE, NULL, &err);

	if (!s)
		fail_msg("%s", err.text);
	sightings_limit(s, LIMIT);
	assert_int_equal(sightings_begin(s), 0);
	return s;
}

static void add(struct sightings_trimmed *sum)
{
	gone.crowd += sum->crowd;
	gone.weakest += sum->weakest;
	gone.days += sum->days;
}

static void turn(struct sightings *s)
{
	struct sightings_trimmed sum = { 0 };
	struct stat              st;

	if (sightings_commit(s) < 0)
		fail_msg("%s", sightings_problem(s));
	if (sightings_is_full(s)) {
		sum = trim_all(s, 0);
		add(&sum);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 4096, LIMIT);
	assert_int_equal(stat(wal, &st), 0);
	assert_in_range(st.st_size, 0, LOG);
	assert_int_equal(sightings_begin(s), 0);
}

/* As the process takes them. */
static void take_on(struct sightings *s, int day, const struct line *l)
{
	static unsigned n;
	char            text[2200], digits[16];

	snprintf(text, sizeof(text), "%s", line_text(l));
	snprintf(digits, sizeof(digits), "%02d", day);
	memcpy(strstr(text, DAY) + 8, digits, 2);
	if (++n % BATCH == 0 || sightings_wants_commit(s))
		turn(s);
	take_text(s, text);
}

static const char *real_mac(int i)
{
	static char mac[24];

	snprintf(mac, sizeof(mac), "3c:52:82:00:01:%02x", i);
	return mac;
}

static void call(struct sightings *s, int day, int second, int i)
{
	char ip[32];

	snprintf(ip, sizeof(ip), "10.0.0.%d", 10 + i);
	take_on(s, day, &(struct line){ .second = second, .mac = real_mac(i), .ip = ip, .boot = 1 });
}

static void flood(struct sightings *s, int day, int i, const char *name)
{
	char mac[24], ip[32];

	snprintf(mac, sizeof(mac), "00:11:22:%02x:%02x:%02x", i >> 16 & 255, i >> 8 & 255, i & 255);
	snprintf(ip, sizeof(ip), "10.%d.%d.9", i / 250, i % 250);
	take_on(s, day, &(struct line){ .second = i / 2 % 86400, .mac = mac, .ip = ip, .name = name, .boot = 1 });
}

static void check_real(struct sightings *s, int i, int refused, int days)
{
	struct err  err = { 0 };
	char        id[32];
	json_t     *host;

	snprintf(id, sizeof(id), "mac:%s", real_mac(i));
	host = sightings_host(s, id, &(struct sightings_which){ 0 }, &err);
	if (!host)
		fail_msg("%s: %s", id, err.text);
	same_num(id, "refused", json_integer_value(json_object_get(json_array_get(json_object_get(host, "vendors"), 0), "refused")),
	         refused);
	same_num(id, "days", (long long)json_array_size(json_object_get(host, "days")), days);
	json_decref(host);
}

/* Machines of a week, one that is new today and calls now and then, and a flood on one interface meanwhile. */
static void test_senders(void **state)
{
	struct sightings *s = limited();
	struct err        err = { 0 };
	json_t           *answer;

	(void)state;
	for (int day = 10; day < 17; day++)
		for (int i = 0; i < REAL; i++)
			call(s, day, 3600 * i, i);
	for (int i = 0; i < 3; i++)
		call(s, 17, i * 600, REAL);
	for (int i = 0; i < FLOOD; i++) {
		if (i % 1000 == 999)
			call(s, 17, 3000 + i / 2, REAL);
		flood(s, 17, i, NULL);
	}
	turn(s);
	for (int i = 0; i < REAL; i++)
		check_real(s, i, 7, 7);
	check_real(s, REAL, 3 + FLOOD / 1000, 1);
	same_num("folded", "days", gone.days, 0);
	same_num("of the others", "machines", gone.weakest, 0);
	assert_in_range(gone.crowd, FLOOD / 2, FLOOD);
	answer = sightings_hosts(s, &(struct sightings_which){ 0 }, &err);
	same_num("said in the list", "forgotten", json_integer_value(json_object_get(answer, "forgotten")), gone.crowd);
	json_decref(answer);
	sightings_rollback(s);
	sightings_close(s);
}

/* Fifty names a day of each sender, and none of them twice. */
static void test_names(void **state)
{
	struct sightings *s = limited();
	char              name[250];

	(void)state;
	for (int day = 10; day < 17; day++)
		call(s, day, 3600, 0);
	for (int i = 0; i < FLOOD; i++) {
		snprintf(name, sizeof(name), "n%d.%.60s.%.60s.%.60s.upd.example", i,
		         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		         "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc");
		flood(s, 17, i / 60, name);
	}
	turn(s);
	check_real(s, 0, 7, 7);
	assert_in_range(gone.crowd, 20, FLOOD / 60);
	sightings_rollback(s);
	sightings_close(s);
}

/* Where no crowd came, days go first; when these are one sum, the machines that called for the shortest time. */
static void test_without_crowd(void **state)
{
	struct sightings        *s = limited();
	struct sightings_trimmed sum;
	struct stat              st;
	char                     name[32];

	(void)state;
	for (int day = 1; day < 21; day++) {
		call(s, day, 60, 0);
		for (int i = 0; i < 160; i++) {
			snprintf(name, sizeof(name), "n%d-%d.upd.example", day, i / 16);
			flood(s, day, day * 100 + i % 16, name);
		}
	}
	turn(s);
	same_num("none of a crowd", "machines", gone.crowd, 0);
	sightings_rollback(s);
	assert_true(sightings_checkpoint(s));
	assert_int_equal(stat(path, &st), 0);
	for (off_t limit = st.st_size; gone.weakest == 0; limit -= 16 << 10) {
		assert_true(limit > 64 << 10);
		sightings_limit(s, limit);
		sum = trim_all(s, 0);
		add(&sum);
		if (gone.days < 19)
			same_num("while there are days", "machines", gone.crowd + gone.weakest, 0);
	}
	same_num("all", "days", gone.days, 19);
	assert_in_range(gone.weakest, 1, 319);
	check_real(s, 0, 20, 2);
	sightings_close(s);
}

#define REPEAT                                                                                                         \
	"{\"timestamp\":\"" DAY "T00:10:00.000000+0000\",\"event_type\":\"nfqd\",\"nfqd\":{\"sensor\":"                \
	"\"5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77\",\"boot\":1,\"seq\":%d,\"source\":\"queue\",\"kind\":\"repeat\",\"of\":%d," \
	"\"count\":5,\"first\":\"" DAY "T00:00:02.000000+0000\",\"last\":\"" DAY "T00:05:00.250000+0000\"}}"

/* What was forgotten, here or by somebody else, gets no counts of its records' repeats, nor does its number's heir. */
static void test_repeats(void **state)
{
	struct sightings *s = limited(), *other;
	struct err        err = { 0 };
	char              text[600];
	json_t           *report;

	(void)state;
	TAKE(s, .second = 1, .boot = 1, .seq = 7);
	turn(s);
	assert_int_equal(sightings_commit(s), 0);
	other = sightings_open(path, SIGHTINGS_WRITE, NULL, &err);
	json_decref(sightings_forget(other, "mac:" A_MAC, &err));
	sightings_close(other);
	assert_int_equal(sightings_begin(s), 0);
	TAKE(s, .second = 2, .boot = 1, .seq = 8, .mac = real_mac(1), .ip = "10.0.0.9");
	snprintf(text, sizeof(text), REPEAT, 9, 7);
	take_text(s, text);
	same_text("the heir", hosts_text(s), "mac:3c:52:82:00:01:01 1/0/0/0");
	report = sightings_report(s, &(struct sightings_which){ 0 }, &err);
	same_num("repeats of what was forgotten", "missed",
	         json_integer_value(json_object_get(json_object_get(report, "coverage"), "not_in_database")), 5);
	json_decref(report);
	sightings_rollback(s);
	sightings_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_senders, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_names, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_without_crowd, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_repeats, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
