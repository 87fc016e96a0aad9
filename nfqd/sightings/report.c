/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report: machines, the trend, channels, by whose date, and whether nfqd was watching at all. */
#include <stdlib.h>
#include <string.h>

#include "sightings/answer.h"

#define BY_VENDOR " (?3 = '' OR v.text = ?3 COLLATE NOCASE)"

/* Each day: how many machines called, and what became of it. */
static json_t *trend(const struct sums *sums)
{
	static const char *const keys[] = { "refused", "logged", "passed", "leaked" };
	json_t                  *all = json_array();

	for (size_t i = 0; i < sums->n; i++) {
		const struct day_sum *day = &sums->v[i];
		json_t               *o = day->machines && day->day != DAY_PAST ? json_object() : NULL;

		if (!o)
			continue;
		answer_day(o, "day", day->day);
		json_object_set_new(o, "machines", json_integer(day->machines));
		for (int k = 0; k < SUMS_V; k++)
			json_object_set_new(o, keys[k], json_integer(day->v[k]));
		json_array_append_new(all, o);
	}
	return all;
}

/* Hours of the day, over all days. */
static json_t *hours(struct sightings *s, const struct days *d)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT hour % 24, sum(refused), sum(logged), sum(passed), sum(leaked) FROM hour JOIN word"
	                              " AS v ON v.id = hour.vendor WHERE hour / 24 BETWEEN ?1 AND ?2 AND" BY_VENDOR
	                              " GROUP BY hour % 24 ORDER BY hour % 24", "iit", d->first, d->last, d->vendor);
	json_t       *all = json_array();

	while (sql_row(s, q)) {
		json_t *o = json_pack("{s:I}", "hour", (json_int_t)sql_int(q, 0));

		answer_counts(o, q, 1);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *channels(struct sightings *s, const struct days *d)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT w.text, sum(refused), sum(logged), sum(passed), sum(leaked) FROM decided JOIN what ON"
	                              " what.id = decided.what JOIN word AS w ON w.id = what.channel JOIN word AS v ON v.id ="
	                              " what.vendor WHERE day BETWEEN ?1 AND ?2 AND" BY_VENDOR " GROUP BY w.id ORDER BY"
	                              " sum(refused + logged + passed) DESC, w.text", "iit", d->first, d->last, d->vendor);
	json_t       *all = json_array();

	while (sql_row(s, q)) {
		json_t *o = json_pack("{s:s}", "channel", sql_text(q, 0));

		answer_counts(o, q, 1);
		json_array_append_new(all, o);
	}
	return all;
}

/* What decided, on whose word, by which version of which pack. */
static json_t *authorities(struct sightings *s, const struct days *d)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT v.text, p.text, n.text, st.text, b.text, c.text, sum(refused), sum(logged),"
	                              " sum(passed), sum(leaked) FROM decided JOIN authority AS a ON a.id = authority"
	                              " JOIN word AS v ON v.id = a.vendor JOIN word AS p ON p.id = a.pack JOIN word AS n ON"
	                              " n.id = a.version JOIN word AS st ON st.id = a.stage JOIN word AS b ON b.id = a.basis"
	                              " JOIN word AS c ON c.id = a.citation WHERE day BETWEEN ?1 AND ?2 AND" BY_VENDOR
	                              " GROUP BY a.id ORDER BY a.id", "iit", d->first, d->last, d->vendor);
	json_t       *all = json_array();

	while (sql_row(s, q)) {
		json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "vendor", sql_text(q, 0), "pack", sql_text(q, 1),
		                      "pack_version", sql_text(q, 2), "stage", sql_text(q, 3), "basis", sql_text(q, 4),
		                      "citation", sql_text(q, 5));

		answer_counts(o, q, 6);
		json_array_append_new(all, o);
	}
	return all;
}

/* ---- was it watching? ---------------------------------------------------------------------- */

static json_t *coverage(struct sightings *s, const struct days *d)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT key, sum(n) FROM coverage WHERE day BETWEEN ?1 AND ?2 GROUP BY key ORDER BY key",
	                           "ii", d->first, d->last);
	json_t       *all = json_object();

	while (sql_row(s, q)) {
		int64_t n = sql_int(q, 1);

		json_object_set_new(all, sql_text(q, 0), n % THOUSANDTHS ? json_real((double)n / THOUSANDTHS)
		                                                         : json_integer(n / THOUSANDTHS));
	}
	return all;
}

enum { EVENTS_MAX = 500 };

static json_t *events(struct sightings *s, const struct days *d)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT at, kind, note FROM own WHERE at / 86400000000 BETWEEN ?1 AND ?2 ORDER BY at DESC"
	                              " LIMIT ?3", "iii", d->first, d->last, (int64_t)EVENTS_MAX);
	json_t       *all = json_array();

	while (sql_row(s, q)) {
		json_t *o = json_object();

		answer_time(o, "at", sql_int(q, 0));
		json_object_set_new(o, "kind", json_string(sql_text(q, 1)));
		json_object_set_new(o, "note", json_string(sql_text(q, 2)));
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *packs(struct sightings *s)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT substr(key, 6), value FROM meta WHERE key LIKE 'pack.%' ORDER BY key", "");
	json_t       *all = json_array();

	while (sql_row(s, q))
		json_array_append_new(all, json_pack("{s:s, s:s}", "pack", sql_text(q, 0), "version", sql_text(q, 1)));
	return all;
}

static json_t *checkpoint(struct sightings *s)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT value FROM meta WHERE key = 'checkpoint'", "");
	json_t       *o = NULL;

	while (sql_row(s, q))
		o = json_pack("{s:s}", "note", sql_text(q, 0));
	if (!o)
		return json_null();
	answer_time(o, "at", sql_number(s, 0, "SELECT value FROM meta WHERE key = 'checkpoint_at'", ""));
	return o;
}

static json_t *sensors(struct sightings *s)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT sensor, count(*), min(first), max(last) FROM boot GROUP BY sensor ORDER BY sensor", "");
	json_t       *all = json_array();

	while (sql_row(s, q)) {
		json_t *o = json_pack("{s:s, s:I}", "sensor", sql_text(q, 0), "boots", (json_int_t)sql_int(q, 1));

		answer_time(o, "first", sql_int(q, 2));
		answer_time(o, "last", sql_int(q, 3));
		json_array_append_new(all, o);
	}
	return all;
}

json_t *sightings_coverage(struct sightings *s, const struct sightings_which *which, struct err *err)
{
	struct days d = answer_days(which);

	return answer_or(s, json_pack("{s:o}", "coverage", coverage(s, &d)), err);
}

json_t *sightings_events(struct sightings *s, const struct sightings_which *which, struct err *err)
{
	struct days d = answer_days(which);

	return answer_or(s, json_pack("{s:o}", "events", events(s, &d)), err);
}

json_t *sightings_report(struct sightings *s, const struct sightings_which *which, struct err *err)
{
	struct days d = answer_days(which);
	struct sums sums = { 0 };
	json_t     *o = sums_make(s, &d, &sums, err) < 0 ? NULL : answer_hosts(s, which, &d, err);
	int64_t     since = sql_number(s, 0, "SELECT value FROM meta WHERE key = 'days_since'", "");

	if (!o) {
		sums_free(&sums);
		return NULL;
	}
	json_object_set_new(o, "vendor", which->vendor ? json_string(which->vendor) : json_null());
	answer_time(o, "since", which->since);
	answer_time(o, "until", which->until);
	json_object_set_new(o, "days_since", json_null());
	if (since)
		answer_day(o, "days_since", since);
	json_object_set_new(o, "trend", trend(&sums));
	sums_free(&sums);
	json_object_set_new(o, "hours", hours(s, &d));
	json_object_set_new(o, "channels", channels(s, &d));
	json_object_set_new(o, "authorities", authorities(s, &d));
	json_object_set_new(o, "coverage", coverage(s, &d));
	json_object_set_new(o, "events", events(s, &d));
	json_object_set_new(o, "packs", packs(s));
	json_object_set_new(o, "sensors", sensors(s));
	json_object_set_new(o, "checkpoint", checkpoint(s));
	return answer_or(s, o, err);
}
