/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about all machines: the list of them, and what every other question has in common. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/words.h"
#include "sightings/answer.h"

void answer_time(json_t *o, const char *key, int64_t us)
{
	char text[CLOCK_TEXT];

	if (us <= 0) {
		json_object_set_new(o, key, json_null());
		return;
	}
	clock_text_eve((uint64_t)us * NS_PER_US, text);
	json_object_set_new(o, key, json_string(text));
}

void answer_day(json_t *o, const char *key, int64_t day)
{
	char text[CLOCK_TEXT];

	clock_text_iso(day * 86400, text);
	text[10] = '\0';
	json_object_set_new(o, key, json_string(text));
}

void answer_counts(json_t *o, sqlite3_stmt *q, int first)
{
	static const char *const keys[] = { "refused", "logged", "passed", "leaked" };

	for (int i = 0; i < 4; i++)
		json_object_set_new(o, keys[i], json_integer(sql_int(q, first + i)));
}

json_t *answer_new(void)
{
	return json_pack("{s:i}", "schema", SIGHTINGS_JSON);
}

json_t *answer_or(struct sightings *s, json_t *answer, struct err *err)
{
	if (!s->problem[0])
		return answer;
	json_decref(answer);
	err_set(err, "%s", s->problem);
	return NULL;
}

struct days answer_days(const struct sightings_which *which)
{
	return (struct days){ .first = which->since > 0 ? which->since / US_PER_DAY : DAY_PAST,
		              .last = which->until > 0 ? which->until / US_PER_DAY : INT64_MAX,
		              .vendor = which->vendor ? which->vendor : "" };
}

/* ---- a machine's own facts ----------------------------------------------------------------- */

/* The site's own name counts most, then what the machine calls itself, then what a resolver says. */
static void put_name(struct sightings *s, int64_t machine, json_t *o)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT label.name, label.kind FROM source JOIN label ON label.key IN (source.mac,"
	                              " source.address, source.latest) WHERE source.machine = ? AND label.key <> ''"
	                              " ORDER BY CASE kind WHEN 'site' THEN 0 WHEN 'lease' THEN 1 WHEN 'hosts' THEN 2 ELSE 3 END,"
	                              " at DESC LIMIT 1", "i", machine);

	json_object_set_new(o, "name", json_null());
	while (sql_row(s, q)) {
		json_object_set_new(o, "name", json_string(sql_text(q, 0)));
		json_object_set_new(o, "name_from", json_string(sql_text(q, 1)));
	}
}

/* Whether its MAC is random, and which hop it is behind. */
static void put_macs(struct sightings *s, int64_t machine, json_t *o)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT DISTINCT source.mac, hop.mac IS NOT NULL FROM source LEFT JOIN hop USING (sensor, mac)"
	                              " WHERE machine = ? AND source.mac <> '' ORDER BY source.id", "i", machine);
	json_t       *macs = json_array();
	bool          random = false;

	while (sql_row(s, q)) {
		const char *mac = sql_text(q, 0);

		if (sql_int(q, 1)) {
			json_object_set_new(o, "behind", json_string(mac));
			continue;
		}
		random |= strlen(mac) > 1 && strchr("2367abef", mac[1]) != NULL;
		json_array_append_new(macs, json_string(mac));
	}
	json_object_set_new(o, "macs", macs);
	json_object_set_new(o, "random_mac", json_boolean(random));
}

static void put_addresses(struct sightings *s, int64_t machine, json_t *o)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT CASE WHEN address LIKE '%/64' THEN latest ELSE address END AS a FROM source WHERE"
	                              " machine = ? GROUP BY a ORDER BY min(id)", "i", machine);
	json_t       *all = json_array();

	while (sql_row(s, q))
		json_array_append_new(all, json_string(sql_text(q, 0)));
	json_object_set_new(o, "addresses", all);
}

void answer_machine(struct sightings *s, int64_t machine, json_t *o)
{
	char id[96];

	machine_id(s, machine, id, sizeof(id));
	json_object_set_new(o, "id", json_string(id));
	put_name(s, machine, o);
	put_macs(s, machine, o);
	put_addresses(s, machine, o);
}

/* ---- the list ------------------------------------------------------------------------------ */

/* Products, categories or channels of one machine and vendor, the most frequent first. */
static json_t *words_of(struct sightings *s, const char *sql, int64_t machine, const char *vendor, int64_t since)
{
	sqlite3_stmt *q = sql_bind(s, sql, "iti", machine, vendor, since);
	json_t       *all = json_array();

	while (sql_row(s, q))
		if (*sql_text(q, 0))
			json_array_append_new(all, json_string(sql_text(q, 0)));
	return all;
}

#define WORDS_OF(column)                                                                                               \
	"SELECT w.text FROM source JOIN known ON known.source = source.id JOIN what ON what.id = known.what"           \
	" JOIN word AS w ON w.id = what." column " JOIN word AS v ON v.id = what.vendor"                               \
	" WHERE source.machine = ?1 AND v.text = ?2 AND known.last >= ?3 GROUP BY w.id ORDER BY sum(n) DESC, w.text"

void answer_words(struct sightings *s, int64_t machine, const char *vendor, const struct days *d, json_t *o)
{
	int64_t since = d->first > 0 ? d->first * US_PER_DAY : 0;

	json_object_set_new(o, "products", words_of(s, WORDS_OF("product"), machine, vendor, since));
	json_object_set_new(o, "categories", words_of(s, WORDS_OF("category"), machine, vendor, since));
	json_object_set_new(o, "channels", words_of(s, WORDS_OF("channel"), machine, vendor, since));
}

/* Every order has the machine's number last, so that the same facts come in the same order. */
static const char *const orders[] = { "last DESC", "first", "NULL", "refused DESC", "logged DESC", "leaked DESC" };

static int compare_names(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const char   *p = json_string_value(json_object_get(x, "name")), *q = json_string_value(json_object_get(y, "name"));

	if (!p != !q)
		return p ? -1 : 1;
	return p ? strcasecmp(p, q) : strcmp(json_string_value(json_object_get(x, "id")), json_string_value(json_object_get(y, "id")));
}

/* Takes the array. */
static json_t *sorted_by_name(json_t *hosts)
{
	size_t   n = json_array_size(hosts);
	json_t **v = malloc((n + 1) * sizeof(json_t *)), *out = json_array();

	for (size_t i = 0; v && i < n; i++)
		v[i] = json_array_get(hosts, i);
	if (v)
		qsort(v, n, sizeof(json_t *), compare_names);
	for (size_t i = 0; v && i < n; i++)
		json_array_append(out, v[i]);
	free(v);
	json_decref(hosts);
	return out;
}

static const char *order_of(const char *word, struct err *err)
{
	int i = word_find(sightings_sorts, word);

	if (i < 0)
		err_set(err, "it cannot be sorted by '%s'", word);
	return i < 0 ? NULL : orders[i];
}

/* Machines that one hop hides: each is told by its address, and there may be more. */
static json_t *hops(struct sightings *s)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT mac, hop.reason, count(DISTINCT source.machine) FROM hop JOIN source USING (sensor, mac)"
	                              " WHERE source.machine IN (SELECT machine FROM temp.sums) GROUP BY sensor, mac ORDER BY mac", "");
	json_t       *all = json_array();

	while (sql_row(s, q))
		json_array_append_new(all, json_pack("{s:s, s:s, s:I}", "mac", sql_text(q, 0), "reason", sql_text(q, 1),
		                                     "machines_at_least", (json_int_t)sql_int(q, 2)));
	return all;
}

/* The table's rows into an array of hosts. */
static json_t *rows(struct sightings *s, sqlite3_stmt *q, const struct days *d)
{
	json_t *all = json_array();

	while (sql_row(s, q)) {
		json_t *o = json_object();

		answer_machine(s, sql_int(q, 0), o);
		json_object_set_new(o, "vendor", json_string(sql_text(q, 1)));
		answer_time(o, "first", sql_int(q, 2));
		answer_time(o, "last", sql_int(q, 3));
		answer_counts(o, q, 4);
		json_object_set_new(o, "days", json_integer(sql_int(q, 8)));
		answer_words(s, sql_int(q, 0), sql_text(q, 1), d, o);
		json_array_append_new(all, o);
	}
	return all;
}

static void put_sum(json_t *answer, const json_t *hosts, int64_t machines)
{
	json_object_set_new(answer, "machines_at_least", json_integer(machines));
	json_object_set_new(answer, "rows", json_integer((json_int_t)json_array_size(hosts)));
}

json_t *answer_hosts(struct sightings *s, const struct sightings_which *which, const struct days *d, struct err *err)
{
	const char *order = order_of(which->sort ? which->sort : "last", err);
	json_t     *answer = answer_new(), *hosts;
	char        sql[400];

	if (!order) {
		json_decref(answer);
		return NULL;
	}
	if (which->leaked)
		sql_script(s, "DELETE FROM temp.sums WHERE leaked = 0");
	snprintf(sql, sizeof(sql), "SELECT machine, v.text, first, last, refused, logged, passed, leaked, days FROM temp.sums JOIN"
	         " word AS v ON v.id = vendor ORDER BY %s, machine, v.text", order);
	hosts = rows(s, sql_bind_once(s, sql, ""), d);
	if (which->sort && strcmp(which->sort, "name") == 0)
		hosts = sorted_by_name(hosts);
	put_sum(answer, hosts, sql_number(s, 0, "SELECT count(DISTINCT machine) FROM temp.sums", ""));
	json_object_set_new(answer, "hosts", hosts);
	json_object_set_new(answer, "hops", hops(s));
	json_object_set_new(answer, "forgotten", json_integer(sql_number(s, 0, "SELECT value FROM meta WHERE key ="
	                                                                        " 'forgotten_machines'", "")));
	return answer_or(s, answer, err);
}

json_t *sightings_hosts(struct sightings *s, const struct sightings_which *which, struct err *err)
{
	struct days d = answer_days(which);
	struct sums sums = { 0 };
	json_t     *answer = sums_make(s, &d, &sums, err) < 0 ? NULL : answer_hosts(s, which, &d, err);

	sums_free(&sums);
	return answer;
}
