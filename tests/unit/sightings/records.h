/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records for the inventory's tests: lines as logs have them, with what a test is about. */
#ifndef TESTS_SIGHTINGS_RECORDS_H
#define TESTS_SIGHTINGS_RECORDS_H

#include "sightings/sightings.h"
#include "unit.h"

#define DAY   "2026-11-23"
#define A_MAC "3c:52:82:00:00:01"

/* NULL: the usual one. */
struct line {
	int         second; /* of the day */
	const char *mac, *client, *ip, *name, *resolver, *action, *would, *category, *vendor, *iface;
	int         boot, seq;
	bool        relayed;
};

#define OR(value, otherwise) ((value) ? (value) : (otherwise))

static int records_seq;

static inline const char *line_text(const struct line *l)
{
	static char text[2048];
	char        client[80], ether[64] = "";
	const char *mac = OR(l->mac, A_MAC);

	snprintf(client, sizeof(client), "mac:%s", mac);
	if (*mac)
		snprintf(ether, sizeof(ether), "\"ether\":{\"src_mac\":\"%s\"},", mac);
	snprintf(text, sizeof(text), "{\"timestamp\":\"" DAY "T%02d:%02d:%02d.000000+0000\",\"event_type\":\"alert\","
	         "\"in_iface\":\"%s\",\"src_ip\":\"%s\",\"dest_ip\":\"%s\",\"proto\":\"UDP\",\"app_proto\":\"dns\",%s\"nfqd\":{"
	         "\"sensor\":\"5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77\",\"boot\":%d,\"seq\":%d,\"source\":\"queue\",\"name\":\"%s\","
	         "\"seen_in\":\"dns.query\",\"rule\":\"kav-update\",\"pack\":\"kaspersky\",\"pack_version\":\"1\",\"vendor\":\"%s\","
	         "\"category\":\"%s\",\"stage\":{\"id\":\"full\",\"basis\":\"law\",\"citation\":\"89 FR 52434\"},"
	         "\"products\":[\"desktop\"],\"action\":\"%s\",\"would\":\"%s\",\"client\":{\"id\":\"%s\"},\"relayed\":%s}}",
	         l->second / 3600, l->second / 60 % 60, l->second % 60, OR(l->iface, "lan0"), OR(l->ip, "10.0.0.7"),
	         OR(l->resolver, "10.0.0.1"), ether, l->boot, l->seq ? l->seq : ++records_seq, OR(l->name, "s1.upd.example"),
	         OR(l->vendor, "Kaspersky"), OR(l->category, "update"), OR(l->action, "reject"), OR(l->would, "reject"),
	         OR(l->client, client), l->relayed ? "true" : "false");
	return text;
}

static inline void take_text(struct sightings *s, const char *text)
{
	struct sighting one;

	sighting_read(&one, text, strlen(text));
	sightings_take(s, &one);
	sighting_free(&one);
	if (sightings_problem(s))
		fail_msg("%s", sightings_problem(s));
}

#define TAKE(s, ...) take_text(s, line_text(&(struct line){ __VA_ARGS__ }))

static inline struct sightings_trimmed trim_all(struct sightings *s, int64_t before)
{
	struct sightings_trimmed sum = { 0 };

	while (sightings_trim(s, before, &sum))
		;
	if (sightings_problem(s))
		fail_msg("%s", sightings_problem(s));
	return sum;
}

static inline struct sightings *fresh(void)
{
	struct err        err = { 0 };
	struct sightings *s = sightings_open("", SIGHTINGS_MEMORY, NULL, &err);

	if (!s)
		fail_msg("%s", err.text);
	return s;
}

/* The list as one text: "id refused/logged/passed/leaked; ..." by the time of their first call. */
static inline const char *hosts_text(struct sightings *s)
{
	static char   text[2048];
	struct err    err = { 0 };
	json_t       *answer = sightings_hosts(s, &(struct sightings_which){ .sort = "first" }, &err), *one;
	size_t        i, n = 0;

	if (!answer)
		fail_msg("%s", err.text);
	text[0] = '\0';
	json_array_foreach(json_object_get(answer, "hosts"), i, one)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %d/%d/%d/%d", i ? "; " : "",
		                      json_string_value(json_object_get(one, "id")),
		                      (int)json_integer_value(json_object_get(one, "refused")),
		                      (int)json_integer_value(json_object_get(one, "logged")),
		                      (int)json_integer_value(json_object_get(one, "passed")),
		                      (int)json_integer_value(json_object_get(one, "leaked")));
	json_decref(answer);
	return text;
}

static inline json_t *host_of(struct sightings *s, const char *id)
{
	struct err err = { 0 };
	json_t    *o = sightings_host(s, id, &(struct sightings_which){ 0 }, &err);

	if (!o)
		fail_msg("%s", err.text);
	return o;
}

/* The members of one key of an array's objects, with blanks between. */
static inline const char *column(const json_t *o, const char *array, const char *key)
{
	static char text[4096];
	size_t      i, n = 0;
	json_t     *one;

	text[0] = '\0';
	json_array_foreach(json_object_get(o, array), i, one) {
		const json_t *v = key ? json_object_get(one, key) : one;

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "|" : "", OR(json_string_value(v), ""));
	}
	return text;
}

#endif
