/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The limits of the database in bytes and in time; and its transactions. */
#include "sightings/answer.h"

enum { FOLD_DAYS = 7, TRIES = 64 };

static int64_t bytes_used(struct sightings *s)
{
	return (sql_number(s, 0, "PRAGMA page_count", "") - sql_number(s, 0, "PRAGMA freelist_count", "")) *
	       sql_number(s, 0, "PRAGMA page_size", "");
}

/* The days before `end` become one, of which the sums stay. */
static void fold_days(struct sightings *s, int64_t end)
{
	sql_do(s, "INSERT INTO seen SELECT source, vendor, -1, sum(refused), sum(logged), sum(passed), sum(leaked), min(first),"
	          " max(last) FROM seen WHERE day BETWEEN 0 AND ?1 - 1 GROUP BY source, vendor ON CONFLICT DO UPDATE SET"
	          " refused = refused + excluded.refused, logged = logged + excluded.logged, passed = passed + excluded.passed,"
	          " leaked = leaked + excluded.leaked, first = min(first, excluded.first), last = max(last, excluded.last)", "i",
	       end);
	sql_do(s, "INSERT INTO day SELECT source, -1, what, sum(refused), sum(logged), sum(passed), sum(leaked) FROM day WHERE"
	          " day BETWEEN 0 AND ?1 - 1 GROUP BY source, what ON CONFLICT DO UPDATE SET refused = refused + excluded.refused,"
	          " logged = logged + excluded.logged, passed = passed + excluded.passed, leaked = leaked + excluded.leaked",
	       "i", end);
	sql_do(s, "DELETE FROM seen WHERE day BETWEEN 0 AND ? - 1", "i", end);
	sql_do(s, "DELETE FROM day WHERE day BETWEEN 0 AND ? - 1", "i", end);
	sql_do(s, "DELETE FROM called WHERE day < ?", "i", end);
	sql_do(s, "DELETE FROM hour WHERE hour < ? * 24", "i", end);
	sql_do(s, "DELETE FROM own WHERE at < ?", "i", end * US_PER_DAY);
	sql_do(s, "INSERT INTO meta VALUES ('days_since', ?1) ON CONFLICT DO UPDATE SET value = max(value, ?1)", "i", end);
}

static void forget_silent(struct sightings *s, int64_t before)
{
	int64_t machine;

	while (!s->problem[0] && (machine = sql_number(s, 0, "SELECT machine FROM source GROUP BY machine HAVING max(last) < ?"
	                                                     " LIMIT 1", "i", before)) != 0)
		sightings_forget_machine(s, machine);
	fold_days(s, before / US_PER_DAY);
}

void sightings_trim(struct sightings *s, int64_t max_bytes, int64_t before)
{
	int64_t oldest;

	if (sightings_begin(s) < 0)
		return;
	if (before > 0 && sql_number(s, 0, "SELECT 1 FROM source WHERE last < ?1 OR first < ?1 LIMIT 1", "i", before))
		forget_silent(s, before);
	/* the first row of each source: what it costs does not grow with the days */
	for (unsigned i = 0; i < TRIES && bytes_used(s) > max_bytes; i++) {
		oldest = sql_number(s, -1, "SELECT min(hour) / 24 FROM hour", "");
		if (oldest < 0 || oldest >= sql_number(s, 0, "SELECT max(hour) / 24 FROM hour", ""))
			break;
		fold_days(s, oldest + FOLD_DAYS);
	}
	if (sightings_commit(s) == 0)
		sql_script(s, "PRAGMA incremental_vacuum;");
}

int sightings_begin(struct sightings *s)
{
	sql_script(s, "BEGIN IMMEDIATE");
	return s->problem[0] ? -1 : 0;
}

int sightings_commit(struct sightings *s)
{
	sql_script(s, "COMMIT");
	return s->problem[0] ? -1 : 0;
}

void sightings_rollback(struct sightings *s)
{
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}
