/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of machines from the files of dnsmasq, Kea and /etc/hosts; what has no sense, or is no name, is passed over. */
#include "records.h"
#include "sightings/labels.h"

static const struct {
	const char *what, *line;
	unsigned    of; /* enum labels_of */
	const char *name; /* of the machine 3c:52:82:00:00:01, 10.0.0.7; NULL: none */
} rows[] = {
	{ "dnsmasq", "1795000000 3c:52:82:00:00:01 10.0.0.7 reception-pc 01:3c:52:82:00:00:01\n", LABELS_LEASES, "reception-pc" },
	{ "dnsmasq, another address now", "1795000000 3c:52:82:00:00:01 10.0.0.99 reception-pc *\n", LABELS_LEASES, "reception-pc" },
	{ "dnsmasq, without a name", "1795000000 3c:52:82:00:00:01 10.0.0.7 * *\n", LABELS_LEASES, NULL },
	{ "dnsmasq, another machine", "1795000000 3c:52:82:00:00:02 10.0.0.8 other *\n", LABELS_LEASES, NULL },
	{ "a name with markup", "1795000000 3c:52:82:00:00:01 10.0.0.7 <b>x</b> *\n", LABELS_LEASES, NULL },
	{ "Kea, version 4", "10.0.0.7,3c:52:82:00:00:01,01:3c,3600,1795000000,1,0,0,reception-pc,0,,0\n", LABELS_LEASES, "reception-pc" },
	{ "Kea, the header", "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n", LABELS_LEASES,
	  NULL },
	{ "Kea, version 6, by its hardware address",
	  "2001:db8::7,00:01,3600,1795000000,1,1800,0,7,128,0,0,reception-pc,3c:52:82:00:00:01,0\n", LABELS_LEASES, "reception-pc" },
	{ "Kea, too short", "10.0.0.7,3c:52:82:00:00:01\n", LABELS_LEASES, NULL },
	{ "/etc/hosts", "10.0.0.7\treception-pc.example.org reception-pc # first floor\n", LABELS_HOSTS, "reception-pc.example.org" },
	{ "/etc/hosts, a comment", "# 10.0.0.7 reception-pc\n", LABELS_HOSTS, NULL },
	{ "/etc/hosts, this host", "127.0.0.1 localhost\n", LABELS_HOSTS, NULL },
	{ "the site's, by MAC", A_MAC " reception-pc\n", LABELS_SITE, "reception-pc" },
	{ "the site's, by address", "10.0.0.7\treception-pc\n", LABELS_SITE, "reception-pc" },
	{ "the site's, without a name", A_MAC "\n", LABELS_SITE, NULL },
	{ "nothing", "\n", LABELS_LEASES, NULL },
	{ "commas alone", ",,,,,,,,,,,,,,,,,,,,,\n", LABELS_LEASES, NULL },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct sightings *s = fresh();
		char              line[256];
		json_t           *host;
		const char       *name;

		TAKE(s, .second = 1);
		snprintf(line, sizeof(line), "%s", rows[i].line);
		labels_line(s, line, (enum labels_of)rows[i].of, 1);
		host = host_of(s, "mac:" A_MAC);
		name = json_string_value(json_object_get(host, "name"));
		same_text(rows[i].what, OR(name, "none"), OR(rows[i].name, "none"));
		json_decref(host);
		sightings_close(s);
	}
}

/* The site's own names stand above a lease's, and those that were read before go. */
static void test_site(void **state)
{
	static const char *const texts[] = { A_MAC " first\n10.0.0.7 second\n", "", "10.0.0.7 third" };
	static const char *const names[] = { "second", "leased", "third" };
	struct sightings        *s = fresh();

	(void)state;
	TAKE(s, .second = 1);
	sightings_label_known(s, "lease", A_MAC, "leased", 1);
	for (size_t i = 0; i < N_OF(texts); i++) {
		FILE   *f = tmpfile();
		json_t *host;

		assert_non_null(f);
		fputs(texts[i], f);
		fflush(f);
		rewind(f);
		same_num("lines", "passed over", labels_read(s, fileno(f), LABELS_SITE, 2 + (int64_t)i), 0);
		host = host_of(s, "mac:" A_MAC);
		same_text(texts[i], OR(json_string_value(json_object_get(host, "name")), "none"), names[i]);
		json_decref(host);
		fclose(f);
	}
	sightings_close(s);
}

/* The middle of a line is none, however long it is, nor is what comes after a NUL. */
static void test_long_lines(void **state)
{
	static const char lease[] = "1795000000 3c:52:82:00:00:01 10.0.0.7 wrong *";
	struct sightings *s = fresh();
	FILE             *f = tmpfile();
	json_t           *host;

	(void)state;
	assert_non_null(f);
	TAKE(s, .second = 1);
	for (unsigned n = 1000; n < 2100; n++)
		fprintf(f, "%*s%s\n", (int)n, "#", lease);
	fwrite("# \0\n", 1, 4, f);
	fprintf(f, "1795000000 3c:52:82:00:00:01 10.0.0.7 right *");
	fflush(f);
	rewind(f);
	same_num("lines", "passed over", labels_read(s, fileno(f), false, 1), 2100 - 1000 + 1);
	host = host_of(s, "mac:" A_MAC);
	same_text("the last one", OR(json_string_value(json_object_get(host, "name")), "none"), "right");
	json_decref(host);
	fclose(f);
	sightings_close(s);
}

/* A forged number adds up to no negative one. */
static void test_missed(void **state)
{
	struct sightings *s = fresh();
	struct err        err = { 0 };
	json_t           *report;

	(void)state;
	sightings_missed(s, INT64_MAX / 100, 1);
	sightings_missed(s, -5, 1);
	report = sightings_report(s, &(struct sightings_which){ 0 }, &err);
	same_num("as many as there can be", "missed",
	         json_integer_value(json_object_get(json_object_get(report, "coverage"), "not_in_database")), INT64_C(1) << 40);
	json_decref(report);
	sightings_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_site), cmocka_unit_test(test_lines), cmocka_unit_test(test_long_lines),
		                            cmocka_unit_test(test_missed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
