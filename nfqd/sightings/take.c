/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record is put into the inventory: sums are raised, nothing is kept of a single query. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sightings/sightings_private.h"

enum {
	NAMES_A_DAY = 50,    /* of a source; the others are one more */
	RESOLVERS_MAX = 8,
	WALK_S = 60,         /* a walk through resolvers ends after so many seconds of silence */
	CALL_S = 60,         /* what follows a call so soon is part of it */
	GAPS_N = 24
};

#define MISSED_MAX (INT64_C(1) << 40)

#define OTHERS "(others)"

#define COUNTS "refused = refused + ?3, logged = logged + ?4, passed = passed + ?5, leaked = leaked + ?6"

/* One decision, n times. */
struct counted {
	int64_t source, vendor, what, name, authority, day, at, n;
	int64_t v[OUTCOMES_N], leaked;
};

/* ---- words --------------------------------------------------------------------------------- */

static int64_t word(struct sightings *s, const char *kind, const char *text)
{
	int64_t id = sql_number(s, 0, "SELECT id FROM word WHERE kind = ? AND text = ?", "tt", kind, text);

	if (id)
		return id;
	sql_do(s, "INSERT INTO word (kind, text) VALUES (?, ?)", "tt", kind, text);
	return sqlite3_last_insert_rowid(s->db);
}

static int64_t what_of(struct sightings *s, const struct sighting *one, int64_t vendor)
{
	int64_t product = word(s, "product", one->product), category = word(s, "category", one->category),
	        channel = word(s, "channel", one->channel), id;

	id = sql_number(s, 0, "SELECT id FROM what WHERE vendor = ? AND product = ? AND category = ? AND channel = ?", "iiii",
	                vendor, product, category, channel);
	if (id)
		return id;
	sql_do(s, "INSERT INTO what (vendor, product, category, channel) VALUES (?, ?, ?, ?)", "iiii", vendor, product,
	       category, channel);
	return sqlite3_last_insert_rowid(s->db);
}

static int64_t authority_of(struct sightings *s, const struct sighting *one, int64_t vendor)
{
	int64_t v[] = { word(s, "pack", one->pack), word(s, "version", one->pack_version), word(s, "stage", one->stage),
		        word(s, "basis", one->basis), word(s, "citation", one->citation) };
	int64_t id = sql_number(s, 0, "SELECT id FROM authority WHERE vendor = ? AND pack = ? AND version = ? AND stage = ?"
	                              " AND basis = ? AND citation = ?", "iiiiii", vendor, v[0], v[1], v[2], v[3], v[4]);

	if (id)
		return id;
	sql_do(s, "INSERT INTO authority (vendor, pack, version, stage, basis, citation) VALUES (?, ?, ?, ?, ?, ?)", "iiiiii",
	       vendor, v[0], v[1], v[2], v[3], v[4]);
	return sqlite3_last_insert_rowid(s->db);
}

/* The first fifty names of a source and day, then one that stands for all others. */
static int64_t name_of(struct sightings *s, const struct sighting *one, int64_t source, int64_t day)
{
	int64_t id = sql_number(s, 0, "SELECT id FROM word WHERE kind = 'name' AND text = ?", "t", one->name);

	if (id && sql_number(s, 0, "SELECT 1 FROM called WHERE source = ? AND day = ? AND name = ? LIMIT 1", "iii", source,
	                     day, id))
		return id;
	if (sql_number(s, 0, "SELECT count(DISTINCT name) FROM called WHERE source = ? AND day = ?", "ii", source, day) <
	    NAMES_A_DAY)
		return id ? id : word(s, "name", one->name);
	return word(s, "name", OTHERS);
}

/* ---- sums ---------------------------------------------------------------------------------- */

static void count(struct sightings *s, const struct counted *c)
{
	const int64_t *v = c->v;

	sql_do(s, "INSERT INTO seen VALUES (?1, ?2, ?7, ?3, ?4, ?5, ?6, ?8, ?8) ON CONFLICT DO UPDATE SET " COUNTS
	          ", first = min(first, ?8), last = max(last, ?8)", "iiiiiiii", c->day, c->source, v[OUTCOME_REFUSED],
	       v[OUTCOME_LOGGED], v[OUTCOME_PASSED], c->leaked, c->vendor, c->at);
	sql_do(s, "INSERT INTO day VALUES (?2, ?1, ?7, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET " COUNTS, "iiiiiii", c->source,
	       c->day, v[OUTCOME_REFUSED], v[OUTCOME_LOGGED], v[OUTCOME_PASSED], c->leaked, c->what);
	sql_do(s, "INSERT INTO known VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET n = n + ?3, last = max(last, ?4)", "iiii",
	       c->source, c->what, c->n, c->at);
	sql_do(s, "INSERT INTO called VALUES (?2, ?1, ?7, ?8, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET " COUNTS, "iiiiiiii",
	       c->source, c->day, v[OUTCOME_REFUSED], v[OUTCOME_LOGGED], v[OUTCOME_PASSED], c->leaked, c->name, c->vendor);
	sql_do(s, "INSERT INTO hour VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET " COUNTS, "iiiiii",
	       c->at / (INT64_C(3600) * US_PER_S), c->vendor, v[OUTCOME_REFUSED], v[OUTCOME_LOGGED], v[OUTCOME_PASSED],
	       c->leaked);
	sql_do(s, "INSERT INTO decided VALUES (?1, ?2, ?7, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET " COUNTS, "iiiiiii", c->day,
	       c->authority, v[OUTCOME_REFUSED], v[OUTCOME_LOGGED], v[OUTCOME_PASSED], c->leaked, c->what);
}

/* ---- habits -------------------------------------------------------------------------------- */

/* Classes of intervals, each half as long again as the one before, from a minute on. */
static unsigned gap_class(int64_t seconds)
{
	unsigned i = 0;

	for (int64_t end = CALL_S + CALL_S / 2; i < GAPS_N - 1 && seconds >= end; end += end / 2)
		i++;
	return i;
}

static void add_gap(const char *gaps, int64_t seconds, char *out, size_t room)
{
	unsigned long v[GAPS_N] = { 0 };
	size_t        used = 0;
	char         *end;

	for (unsigned i = 0; i < GAPS_N && *gaps; i++, gaps = end)
		v[i] = strtoul(gaps, &end, 10);
	v[gap_class(seconds)]++;
	for (unsigned i = 0; i < GAPS_N && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%lu", i ? " " : "", v[i]);
}

/* How long after the last call this one came. */
static void note_call(struct sightings *s, int64_t source, int64_t vendor, int64_t at)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT last, gaps FROM habit WHERE source = ? AND vendor = ?", "ii", source, vendor);
	int64_t       last = 0, seconds;
	char          gaps[GAPS_N * 12] = "", fresh[GAPS_N * 12];

	while (sql_row(s, q)) {
		last = sql_int(q, 0);
		snprintf(gaps, sizeof(gaps), "%s", sql_text(q, 1));
	}
	seconds = (at - last) / US_PER_S;
	if (!last)
		sql_do(s, "INSERT INTO habit VALUES (?, ?, ?, 1, '')", "iii", source, vendor, at);
	else if (seconds < CALL_S)
		sql_do(s, "UPDATE habit SET last = max(last, ?) WHERE source = ? AND vendor = ?", "iii", at, source, vendor);
	else {
		add_gap(gaps, seconds, fresh, sizeof(fresh));
		sql_do(s, "UPDATE habit SET last = ?, calls = calls + 1, gaps = ? WHERE source = ? AND vendor = ?", "itii", at, fresh,
		       source, vendor);
	}
}

static unsigned words_in(const char *text)
{
	unsigned n = *text != '\0';

	for (; *text; text++)
		n += *text == ' ';
	return n;
}

static bool has_word(const char *text, const char *one)
{
	size_t n = strlen(one);

	for (; (text = strstr(text, one)) != NULL; text += n)
		if (text[n] == ' ' || text[n] == '\0')
			return true;
	return false;
}

/* The resolvers that a machine tried one after the other; of all walks the longest, and of these the latest. */
static void note_walk(struct sightings *s, int64_t source, const char *resolver, int64_t at)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT walk, walk_at, walk_best FROM source WHERE id = ?", "i", source);
	char          walk[512] = "", best[512] = "", now[512];
	int64_t       walked = 0;

	while (sql_row(s, q)) {
		snprintf(walk, sizeof(walk), "%s", sql_text(q, 0));
		walked = sql_int(q, 1);
		snprintf(best, sizeof(best), "%s", sql_text(q, 2));
	}
	if (at - walked > WALK_S * US_PER_S)
		walk[0] = '\0';
	if (has_word(walk, resolver) || words_in(walk) >= RESOLVERS_MAX)
		snprintf(now, sizeof(now), "%s", walk);
	else
		snprintf(now, sizeof(now), "%.*s%s%.64s", (int)sizeof(walk) - 70, walk, *walk ? " " : "", resolver);
	sql_do(s, "UPDATE source SET walk = ?1, walk_at = ?2, walk_best = ?3 WHERE id = ?4", "titi", now, at,
	       words_in(now) >= words_in(best) ? now : best, source);
}

/* ---- records ------------------------------------------------------------------------------- */

static struct recent_sighting *recent_slot(struct sightings *s, int64_t seq)
{
	return &s->recent[(uint64_t)seq % RECENT];
}

static void remember(struct sightings *s, const struct sighting *one, const struct counted *c)
{
	*recent_slot(s, one->seq) = (struct recent_sighting){ .boot = one->boot, .seq = one->seq, .source = c->source,
		.what = c->what, .name = c->name, .vendor = c->vendor, .authority = c->authority, .outcome = one->outcome,
		.leaked = one->leaked };
}

static void take_name(struct sightings *s, const struct sighting *one)
{
	struct counted c = { .day = one->at / US_PER_DAY, .at = one->at, .n = 1 };

	if (!*one->client)
		return sightings_missed(s, 1, one->at); /* an output of privacy `counters` */
	c.v[one->outcome] = 1;
	c.leaked = one->leaked;
	c.source = machine_source(s, one);
	c.vendor = word(s, "vendor", one->vendor);
	c.what = what_of(s, one, c.vendor);
	c.authority = authority_of(s, one, c.vendor);
	c.name = name_of(s, one, c.source, c.day);
	count(s, &c);
	note_call(s, c.source, c.vendor, one->at);
	if (*one->resolver)
		note_walk(s, c.source, one->resolver, one->at);
	if (*one->client_name)
		sightings_label(s, "ptr", one->address, one->client_name, one->at);
	remember(s, one, &c);
}

void recent_check(struct sightings *s)
{
	for (unsigned i = 0; i < RECENT; i++) {
		struct recent_sighting *r = &s->recent[i];

		if (r->source > 0 && !sql_number(s, 0, "SELECT 1 FROM source WHERE id = ? AND EXISTS (SELECT 1 FROM word WHERE id = ?)",
		                                 "ii", r->source, r->name))
			r->source = -1;
	}
}

/* Was the record that a repeat is of overwritten here, or taken by a process before this one? What was no sighting
 * has no place here, and its repeats are none. */
static bool is_forgotten(const struct sightings *s, const struct recent_sighting *r, const struct sighting *one)
{
	return r->seq > one->of || one->boot != s->oldest_boot || one->of < s->oldest_seq;
}

/* All of them count at the time of the last: between the two there is no telling. */
static void take_repeat(struct sightings *s, const struct sighting *one)
{
	const struct recent_sighting *r = recent_slot(s, one->of);
	struct counted                c = { .day = one->last / US_PER_DAY, .at = one->last, .n = one->count };

	if (r->boot != one->boot || r->seq != one->of || r->source <= 0) {
		if (r->source < 0 || is_forgotten(s, r, one))
			sightings_missed(s, one->count, one->at);
		return;
	}
	c.v[r->outcome] = one->count;
	c.leaked = r->leaked ? one->count : 0;
	c.source = r->source;
	c.vendor = r->vendor;
	c.what = r->what;
	c.name = r->name;
	c.authority = r->authority;
	count(s, &c);
	note_call(s, c.source, c.vendor, one->last);
	sql_do(s, "UPDATE source SET first = min(first, ?1), last = max(last, ?1) WHERE id = ?2", "ii", one->last, c.source);
}

void sightings_label(struct sightings *s, const char *kind, const char *key, const char *name, int64_t at)
{
	if (*key && *name)
		sql_do(s, "INSERT INTO label VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET name = ?3, at = max(at, ?4)"
		          " WHERE name <> ?3 OR at < ?4 - 3600000000", "ttti", key, kind, name, at);
}

void sightings_label_known(struct sightings *s, const char *kind, const char *key, const char *name, int64_t at)
{
	if (sql_number(s, 0, "SELECT 1 FROM source WHERE mac = ?1 OR address = ?1 OR latest = ?1 LIMIT 1", "t", key))
		sightings_label(s, kind, key, name, at);
}

void sightings_forget_labels(struct sightings *s, const char *kind)
{
	sql_do(s, "DELETE FROM label WHERE kind = ?", "t", kind);
}

/* A number that no daemon counts up to, as a forged record has it, is taken as the largest. */
void sightings_missed(struct sightings *s, int64_t n, int64_t at)
{
	n = n < 0 ? 0 : n > MISSED_MAX ? MISSED_MAX : n;
	sql_do(s, "INSERT INTO coverage VALUES (?1, 'not_in_database', ?2) ON CONFLICT DO UPDATE SET n = n + ?2", "ii",
	       at / US_PER_DAY, n * THOUSANDTHS);
}

/* Was it taken before? A run over a capture is no sensor: its numbers begin anew each time. */
static bool is_known(struct sightings *s, const struct sighting *one)
{
	int64_t taken;

	if (one->boot == 0)
		return false;
	taken = sql_number(s, 0, "SELECT seq FROM boot WHERE sensor = ? AND boot = ?", "ti", one->sensor, one->boot);
	if (one->seq <= taken)
		return true;
	sql_do(s, "INSERT INTO boot VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET seq = ?3, last = ?4", "tiii",
	       one->sensor, one->boot, one->seq, one->at);
	return false;
}

void sightings_take_all_names(struct sightings *s)
{
	s->all_names = true;
}

void sightings_take(struct sightings *s, const struct sighting *one)
{
	if (one->kind == SIGHTING_FOREIGN || one->kind == SIGHTING_NONE || (one->kind == SIGHTING_OTHER && !s->all_names) ||
	    is_known(s, one))
		return;
	if (!s->oldest_seq || one->boot != s->oldest_boot) {
		s->oldest_boot = one->boot;
		s->oldest_seq = one->seq;
	}
	switch (one->kind) {
	case SIGHTING_NAME:
	case SIGHTING_OTHER: take_name(s, one); break;
	case SIGHTING_REPEAT: take_repeat(s, one); break;
	case SIGHTING_CLIENT: sightings_label(s, "ptr", one->address, one->client_name, one->at); break;
	default: own_take(s, one); break;
	}
}
