/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The limits of the database in bytes and in time; and its transactions. Work is done in steps, of which each is one
 * or more transactions of a bounded size, so that the log beside the file stays small and records wait for no more
 * than a step. What goes first when there is no room: weak.c.
 */
#include <string.h>

#include "sightings/answer.h"

enum {
	FOLD_DAYS = 7,
	FOLD_SOURCES = 64,   /* in one transaction */
	FOLD_TIMES = 64,     /* of these in one step */
	GARBAGE = 1024,      /* rows in one step, of each kind */
	VACUUM_PAGES = 128,  /* in one transaction */
	SPARE_PAGES = 64,
	FULL = 7, ROOMY = 6, /* eighths of the limit: when trimming begins, and when it ends */
	SIXTEENTHS = 15      /* of the limit: a transaction ends there */
};

/* ---- bytes --------------------------------------------------------------------------------- */

static int64_t pages(struct sightings *s)
{
	return sql_number(s, 0, "PRAGMA page_count", "");
}

static int64_t pages_free(struct sightings *s)
{
	return sql_number(s, 0, "PRAGMA freelist_count", "");
}

/* A file that is larger than a limit that was lowered, or nearly so, needs some room to become smaller. */
static void bind_size(struct sightings *s)
{
	int64_t now = pages(s), most = now * 16 > s->max_pages * SIXTEENTHS ? now + SPARE_PAGES : s->max_pages;
	char    sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%lld", (long long)(most > s->max_pages ? most : s->max_pages));
	sql_script(s, sql);
}

void sightings_limit(struct sightings *s, int64_t max_bytes)
{
	s->max_pages = max_bytes / sql_number(s, 4096, "PRAGMA page_size", "");
	bind_size(s);
}

bool trim_is_over(struct sightings *s)
{
	return s->max_pages && (pages(s) - pages_free(s)) * 8 > s->max_pages * ROOMY;
}

bool sightings_is_full(struct sightings *s)
{
	return s->max_pages && (pages(s) - pages_free(s)) * 8 > s->max_pages * FULL;
}

bool sightings_wants_commit(struct sightings *s)
{
	int spilled = 0, most;

	if (sqlite3_db_status(s->db, SQLITE_DBSTATUS_CACHE_SPILL, &spilled, &most, 1) == SQLITE_OK && spilled)
		return true;
	return s->max_pages && (pages(s) - pages_free(s)) * 16 > s->max_pages * SIXTEENTHS;
}

bool sightings_checkpoint(struct sightings *s)
{
	return sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK;
}

/* The file gets smaller where it is above the limit, or where nothing else is to be done. */
static void give_back(struct sightings *s, bool all)
{
	int64_t before, now = pages(s);
	char    sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
	do {
		before = now;
		if (!pages_free(s) || (!all && (!s->max_pages || before <= s->max_pages)))
			break;
		sql_script(s, sql);
		now = pages(s);
	} while (!s->problem[0] && now < before);
	if (s->max_pages)
		bind_size(s);
}

/* ---- days ---------------------------------------------------------------------------------- */

#define SUMS "refused = refused + excluded.refused, logged = logged + excluded.logged, passed = passed + excluded.passed," \
	" leaked = leaked + excluded.leaked"

#define OF_FOLDED                                                                                                      \
	" WHERE (day, source) IN (SELECT d.day, source.id FROM " DAYS("0", "?1 - 1") " AS d CROSS JOIN source"         \
	" WHERE source.id BETWEEN ?2 AND ?3)"

/* The days before `end` of these sources become one, of which the sums stay. */
static void fold_sources(struct sightings *s, int64_t end, int64_t from, int64_t to)
{
	sql_do(s, "INSERT INTO seen SELECT -1, source, vendor, sum(refused), sum(logged), sum(passed), sum(leaked), min(first),"
	          " max(last) FROM seen" OF_FOLDED " GROUP BY source, vendor"
	          " ON CONFLICT DO UPDATE SET " SUMS ", first = min(first, excluded.first), last = max(last, excluded.last)",
	       "iii", end, from, to);
	sql_do(s, "INSERT INTO day SELECT -1, source, what, sum(refused), sum(logged), sum(passed), sum(leaked) FROM day"
	          OF_FOLDED " GROUP BY source, what ON CONFLICT DO UPDATE SET " SUMS, "iii", end, from, to);
	sql_do(s, "DELETE FROM seen" OF_FOLDED, "iii", end, from, to);
	sql_do(s, "DELETE FROM called" OF_FOLDED, "iii", end, from, to);
	sql_do(s, "DELETE FROM day" OF_FOLDED, "iii", end, from, to);
}

/* What is kept for all machines. */
static void fold_rest(struct sightings *s, int64_t end)
{
	sql_do(s, "INSERT INTO decided SELECT -1, authority, what, sum(refused), sum(logged), sum(passed), sum(leaked) FROM"
	          " decided WHERE day BETWEEN 0 AND ?1 - 1 GROUP BY authority, what ON CONFLICT DO UPDATE SET " SUMS, "i", end);
	sql_do(s, "DELETE FROM decided WHERE day BETWEEN 0 AND ? - 1", "i", end);
	sql_do(s, "INSERT INTO coverage SELECT -1, key, sum(n) FROM coverage WHERE day BETWEEN 0 AND ?1 - 1 GROUP BY key"
	          " ON CONFLICT DO UPDATE SET n = n + excluded.n", "i", end);
	sql_do(s, "DELETE FROM coverage WHERE day BETWEEN 0 AND ? - 1", "i", end);
	sql_do(s, "DELETE FROM hour WHERE hour < ? * 24", "i", end);
	sql_do(s, "DELETE FROM own WHERE at < ?", "i", end * US_PER_DAY);
	sql_do(s, "INSERT INTO meta VALUES ('days_since', ?1) ON CONFLICT DO UPDATE SET value = max(value, ?1)", "i", end);
}

/* Goes on with folding; true: until the next step. */
static bool fold_on(struct sightings *s)
{
	int64_t last = sql_number(s, 0, "SELECT max(id) FROM source", ""), to;

	for (unsigned i = 0; i < FOLD_TIMES && s->folded_to < last && !s->problem[0]; i++) {
		to = sql_number(s, last, "SELECT id FROM source WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", "ii", s->folded_to,
		                (int64_t)FOLD_SOURCES);
		if (sightings_begin(s) < 0)
			return false;
		fold_sources(s, s->fold_end, s->folded_to + 1, to);
		if (sightings_commit(s) < 0)
			return false;
		s->folded_to = to;
	}
	if (s->folded_to < last)
		return true;
	if (sightings_begin(s) == 0) {
		fold_rest(s, s->fold_end);
		if (sightings_commit(s) < 0)
			return false;
	}
	s->fold_end = 0;
	return true;
}

static bool fold(struct sightings *s, int64_t end)
{
	s->fold_end = end;
	s->folded_to = 0;
	return fold_on(s);
}

static int64_t oldest_day(struct sightings *s)
{
	return sql_number(s, -1, "SELECT min(hour) / 24 FROM hour", "");
}

/* The oldest days, but never the newest one. */
static bool fold_oldest(struct sightings *s, struct sightings_trimmed *sum)
{
	int64_t oldest = oldest_day(s), newest = sql_number(s, 0, "SELECT max(hour) / 24 FROM hour", ""), end;

	if (oldest < 0 || oldest >= newest)
		return false;
	end = oldest + FOLD_DAYS < newest ? oldest + FOLD_DAYS : newest;
	sum->days += end - oldest;
	return fold(s, end);
}

/* ---- what nothing refers to ---------------------------------------------------------------- */

#define NO_SOURCE(column) " NOT EXISTS (SELECT 1 FROM source WHERE source." column " = key)"

#define OLD_NAMES                                                                                                      \
	"DELETE FROM word WHERE id IN (SELECT id FROM word WHERE kind = 'name' AND id NOT IN (SELECT name FROM called)" \
	" LIMIT ?)"
#define OLD_LABELS                                                                                                     \
	"DELETE FROM label WHERE (key, kind) IN (SELECT key, kind FROM label WHERE" NO_SOURCE("mac") " AND" NO_SOURCE("address") \
	" AND" NO_SOURCE("latest") " LIMIT ?)"
#define OLD_HOPS                                                                                                       \
	"DELETE FROM hop WHERE (sensor, mac) IN (SELECT sensor, mac FROM hop WHERE NOT EXISTS (SELECT 1 FROM source"   \
	" WHERE source.mac = hop.mac AND source.sensor = hop.sensor) LIMIT ?)"

static bool collect(struct sightings *s)
{
	static const char *const garbage[] = { OLD_NAMES, OLD_LABELS, OLD_HOPS };
	bool more = false;

	for (unsigned i = 0; i < sizeof(garbage) / sizeof(garbage[0]) && !s->problem[0]; i++) {
		sql_do(s, garbage[i], "i", (int64_t)GARBAGE);
		more |= sqlite3_changes(s->db) == GARBAGE;
	}
	recent_check(s);
	return more;
}

/* ---- time ---------------------------------------------------------------------------------- */

/* What has not been heard of since; true: there may be more. */
static bool forget_old(struct sightings *s, int64_t before)
{
	int64_t oldest = oldest_day(s);

	if (!sql_number(s, 0, "SELECT 1 FROM source WHERE last < ?1 OR first < ?1 LIMIT 1", "i", before))
		return false;
	if (weak_forget_silent(s, before) > 0)
		return true;
	sql_do(s, "DELETE FROM running WHERE (sensor, boot) IN (SELECT sensor, boot FROM boot WHERE last < ?)", "i", before);
	sql_do(s, "DELETE FROM boot WHERE last < ?", "i", before);
	return oldest >= 0 && oldest < before / US_PER_DAY && fold(s, before / US_PER_DAY);
}

/* ---- steps --------------------------------------------------------------------------------- */

static bool make_room(struct sightings *s, struct sightings_trimmed *sum)
{
	int64_t n;

	s->trimming = s->trimming ? trim_is_over(s) : sightings_is_full(s);
	if (!s->trimming)
		return false;
	if (collect(s) || !trim_is_over(s))
		return true;
	n = weak_forget_crowd(s);
	sum->crowd += n;
	if (n > 0 || fold_oldest(s, sum))
		return true;
	n = weak_forget_weakest(s);
	sum->weakest += n;
	return n > 0;
}

static void note(struct sightings *s, const char *key, int64_t n)
{
	if (n > 0)
		sql_do(s, "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + ?2", "ti", key, n);
}

bool sightings_trim(struct sightings *s, int64_t before, struct sightings_trimmed *sum)
{
	struct sightings_trimmed now = { 0 };
	bool                     more;

	if (s->problem[0])
		return false;
	more = s->fold_end ? fold_on(s) : (before > 0 && forget_old(s, before)) || make_room(s, &now);
	note(s, "forgotten_machines", now.crowd + now.weakest);
	give_back(s, !more && before > 0);
	sum->crowd += now.crowd;
	sum->weakest += now.weakest;
	sum->days += now.days;
	return more && !s->problem[0];
}

/* ---- transactions -------------------------------------------------------------------------- */

int sightings_begin(struct sightings *s)
{
	int64_t version;

	sql_script(s, "BEGIN IMMEDIATE");
	version = sql_number(s, 0, "PRAGMA data_version", "");
	if (version != s->data_version) /* somebody else wrote into it, and may have forgotten a machine */
		recent_check(s);
	s->data_version = version;
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
