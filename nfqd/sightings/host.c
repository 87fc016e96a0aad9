/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All about one machine: its days, names, channels and resolvers, its habits, and why it is one machine. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sightings/answer.h"

enum { FIRST_GAP_S = 60 };

/* ---- by vendor ----------------------------------------------------------------------------- */

/* The middle of the class that the middle interval is in, in seconds; 0: not enough calls. */
static int64_t typical_gap(unsigned long v[], unsigned n)
{
	unsigned long sum = 0, half = 0;
	int64_t       from = FIRST_GAP_S;

	for (unsigned i = 0; i < n; i++)
		sum += v[i];
	if (sum < 3)
		return 0;
	for (unsigned i = 0; i < n; i++, from += from / 2) {
		half += v[i];
		if (2 * half >= sum)
			break;
	}
	return from + from / 4;
}

/* How often it calls, over all its sources. */
static void put_interval(struct sightings *s, int64_t machine, const char *vendor, json_t *o)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT gaps, calls FROM habit JOIN source ON source.id = habit.source JOIN word AS v ON"
	                              " v.id = habit.vendor WHERE machine = ? AND v.text = ?", "it", machine, vendor);
	unsigned long v[32] = { 0 };
	int64_t       calls = 0, gap;

	while (sql_row(s, q)) {
		const char *gaps = sql_text(q, 0);
		char       *end;

		for (unsigned i = 0; i < 32 && *gaps; i++, gaps = end)
			v[i] += strtoul(gaps, &end, 10);
		calls += sql_int(q, 1);
	}
	gap = typical_gap(v, 32);
	json_object_set_new(o, "calls", json_integer(calls));
	json_object_set_new(o, "interval_s", gap ? json_integer(gap) : json_null());
}

/* The rows of one machine (?1) in a span of days, and their vendor's word. */
#define ITS_DAYS                                                                                                       \
	" FROM source CROSS JOIN " DAYS("?2", "?3") " AS d CROSS JOIN seen ON seen.day = d.day AND seen.source = source.id" \
	" JOIN word AS v ON v.id = seen.vendor WHERE machine = ?1 AND (?4 = '' OR v.text = ?4 COLLATE NOCASE)"

static json_t *vendors(struct sightings *s, int64_t machine, const struct days *d)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT v.text, min(seen.first), max(seen.last), sum(refused), sum(logged), sum(passed),"
	                              " sum(leaked)" ITS_DAYS " GROUP BY v.id ORDER BY v.text", "iiit", machine, d->first, d->last,
	                           d->vendor);
	json_t       *all = json_array(), *o;
	size_t        i;

	while (sql_row(s, q)) {
		o = json_pack("{s:s}", "vendor", sql_text(q, 0));
		answer_time(o, "first", sql_int(q, 1));
		answer_time(o, "last", sql_int(q, 2));
		answer_counts(o, q, 3);
		json_array_append_new(all, o);
	}
	json_array_foreach(all, i, o) {
		const char *vendor = json_string_value(json_object_get(o, "vendor"));

		answer_words(s, machine, vendor, d, o);
		put_interval(s, machine, vendor, o);
	}
	return all;
}

/* ---- by day, name and channel -------------------------------------------------------------- */

static json_t *days(struct sightings *s, int64_t machine, const struct days *d)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT d.day, v.text, sum(refused), sum(logged), sum(passed), sum(leaked), min(seen.first),"
	                              " max(seen.last)" ITS_DAYS " GROUP BY d.day, v.id ORDER BY d.day, v.text", "iiit", machine,
	                           d->first, d->last, d->vendor);
	json_t       *all = json_array();

	while (sql_row(s, q)) {
		json_t *o = json_object();

		if (sql_int(q, 0) == DAY_PAST)
			json_object_set_new(o, "day", json_null()); /* all days before */
		else
			answer_day(o, "day", sql_int(q, 0));
		json_object_set_new(o, "vendor", json_string(sql_text(q, 1)));
		answer_counts(o, q, 2);
		answer_time(o, "first", sql_int(q, 6));
		answer_time(o, "last", sql_int(q, 7));
		json_array_append_new(all, o);
	}
	return all;
}

#define BY_TEXT(from, column)                                                                                          \
	"SELECT w.text, v.text, sum(refused), sum(logged), sum(passed), sum(leaked) FROM source CROSS JOIN"            \
	" " DAYS("?2", "?3") " AS d CROSS JOIN " from                                                                  \
	" JOIN word AS w ON w.id = " column " JOIN word AS v ON v.id = vendor"                                         \
	" WHERE machine = ?1 AND (?4 = '' OR v.text = ?4 COLLATE NOCASE) GROUP BY w.id, v.id"                          \
	" ORDER BY sum(refused + logged + passed) DESC, w.text"

#define BY_WHAT "day AS c ON c.day = d.day AND c.source = source.id JOIN what ON what.id = c.what"

static json_t *by_text(struct sightings *s, const char *sql, const char *key, int64_t machine, const struct days *d)
{
	sqlite3_stmt *q = sql_bind(s, sql, "iiit", machine, d->first, d->last, d->vendor);
	json_t       *all = json_array();

	while (sql_row(s, q)) {
		json_t *o = json_pack("{s:s, s:s}", key, sql_text(q, 0), "vendor", sql_text(q, 1));

		answer_counts(o, q, 2);
		json_array_append_new(all, o);
	}
	return all;
}

/* ---- resolvers ----------------------------------------------------------------------------- */

/* The order in which the vendor documents that its product asks when its own resolver does not answer
 * (rules/kaspersky.yaml); three of them in a row are more than chance. */
static const char *const fallback[] = { "8.8.8.8", "1.1.1.1", "223.6.6.6", "9.9.9.9", "185.228.168.168" };

enum { FALLBACK_N = sizeof(fallback) / sizeof(fallback[0]), FALLBACK_SURE = 3 };

static unsigned fallback_steps(json_t *walk)
{
	unsigned next = 0;
	size_t   i;
	json_t  *one;

	json_array_foreach(walk, i, one)
		if (next < FALLBACK_N && strcmp(json_string_value(one), fallback[next]) == 0)
			next++;
	return next;
}

static json_t *walk_of(const char *text)
{
	json_t *walk = json_array();

	while (*text) {
		size_t n = strcspn(text, " ");

		json_array_append_new(walk, json_stringn(text, n));
		text += n + (text[n] == ' ');
	}
	return walk;
}

static void put_resolvers(struct sightings *s, int64_t machine, json_t *o)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT walk_best FROM source WHERE machine = ? AND walk_best <> '' ORDER BY"
	                              " length(walk_best) DESC, last DESC LIMIT 1", "i", machine);
	json_t       *walk = json_array();

	while (sql_row(s, q)) {
		json_decref(walk);
		walk = walk_of(sql_text(q, 0));
	}
	json_object_set_new(o, "resolvers", walk);
	json_object_set_new(o, "product_fallback", json_boolean(fallback_steps(walk) >= FALLBACK_SURE));
}

/* ---- why it is one machine ----------------------------------------------------------------- */

static json_t *sources(struct sightings *s, int64_t machine)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT source.mac, address, latest, source.reason, pinned, iface, first, last FROM source"
	                              " WHERE machine = ? ORDER BY id", "i", machine);
	json_t       *all = json_array();

	while (sql_row(s, q)) {
		json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "mac", sql_text(q, 0), "address", sql_text(q, 1), "latest",
		                      sql_text(q, 2), "reason", sql_text(q, 3), "by_hand", (int)sql_int(q, 4), "iface",
		                      sql_text(q, 5));

		answer_time(o, "first", sql_int(q, 6));
		answer_time(o, "last", sql_int(q, 7));
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *labels(struct sightings *s, int64_t machine)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT DISTINCT label.name, label.kind, label.key FROM source JOIN label ON label.key IN"
	                              " (source.mac, source.address, source.latest) WHERE machine = ? AND label.key <> ''"
	                              " ORDER BY kind, key", "i", machine);
	json_t       *all = json_array();

	while (sql_row(s, q))
		json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "name", sql_text(q, 0), "from", sql_text(q, 1), "of",
		                                     sql_text(q, 2)));
	return all;
}

json_t *sightings_host(struct sightings *s, const char *id, const struct sightings_which *which, struct err *err)
{
	int64_t     machine = machine_find(s, id, err);
	struct days d = answer_days(which);
	json_t     *o;

	if (!machine)
		return NULL;
	o = answer_new();
	answer_machine(s, machine, o);
	json_object_set_new(o, "labels", labels(s, machine));
	json_object_set_new(o, "sources", sources(s, machine));
	json_object_set_new(o, "vendors", vendors(s, machine, &d));
	json_object_set_new(o, "days", days(s, machine, &d));
	json_object_set_new(o, "names", by_text(s, BY_TEXT("called AS c ON c.day = d.day AND c.source = source.id", "c.name"), "name",
	                                             machine, &d));
	json_object_set_new(o, "channels", by_text(s, BY_TEXT(BY_WHAT, "what.channel"), "channel", machine, &d));
	json_object_set_new(o, "categories", by_text(s, BY_TEXT(BY_WHAT, "what.category"), "category", machine, &d));
	put_resolvers(s, machine, o);
	return answer_or(s, o, err);
}
