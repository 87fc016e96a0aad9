/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables, and opening a database that may be another program's, damaged, or of another version. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sightings/sightings_private.h"

/*
 * A source is a MAC with an IPv4 address, or with an IPv6 network of 64 bits (temporary addresses come and go in
 * it), as one sensor sees it; a machine is the sources that carry its number, the lowest of theirs. All counts are
 * by source, so that machines can be joined and split at any time.
 *
 * seen has a row a day, source and vendor, for lists; day one by category, channel and product, for one machine;
 * called by name; hour and decided are for all machines. What trimming has folded has the day -1.
 *
 * seen, day and called are kept by day, then by source: a day's rows lie on a few pages, so that a record costs as
 * much after a year as in the first week. What asks them for one machine looks it up in each day (DAYS); lists of all
 * machines are made in one pass (sums.c).
 */
static const char tables[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
	"CREATE TABLE boot (sensor TEXT, boot INTEGER, seq INTEGER, first INTEGER, last INTEGER,"
	" PRIMARY KEY (sensor, boot)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE source (id INTEGER PRIMARY KEY, sensor TEXT, mac TEXT, address TEXT, machine INTEGER,"
	" reason TEXT, pinned INTEGER, iface TEXT, host TEXT, latest TEXT, first INTEGER, last INTEGER,"
	" walk TEXT, walk_at INTEGER, walk_best TEXT, UNIQUE (sensor, mac, address)) STRICT;"
	"CREATE INDEX source_machine ON source (machine);"
	"CREATE INDEX source_address ON source (address);"
	"CREATE INDEX source_mac ON source (mac);"
	"CREATE INDEX source_latest ON source (latest);"
	"CREATE INDEX source_last ON source (last);"
	"CREATE TABLE hop (sensor TEXT, mac TEXT, reason TEXT, PRIMARY KEY (sensor, mac)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE label (key TEXT, kind TEXT, name TEXT, at INTEGER, PRIMARY KEY (key, kind)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE word (id INTEGER PRIMARY KEY, kind TEXT, text TEXT, UNIQUE (kind, text)) STRICT;"
	"CREATE TABLE what (id INTEGER PRIMARY KEY, vendor INTEGER, product INTEGER, category INTEGER, channel INTEGER,"
	" UNIQUE (vendor, product, category, channel)) STRICT;"
	"CREATE TABLE seen (day INTEGER, source INTEGER, vendor INTEGER, refused INTEGER, logged INTEGER,"
	" passed INTEGER, leaked INTEGER, first INTEGER, last INTEGER, PRIMARY KEY (day, source, vendor))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE day (day INTEGER, source INTEGER, what INTEGER, refused INTEGER, logged INTEGER, passed INTEGER,"
	" leaked INTEGER, PRIMARY KEY (day, source, what)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE known (source INTEGER, what INTEGER, n INTEGER, last INTEGER, PRIMARY KEY (source, what))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE called (day INTEGER, source INTEGER, name INTEGER, vendor INTEGER, refused INTEGER,"
	" logged INTEGER, passed INTEGER, leaked INTEGER, PRIMARY KEY (day, source, name, vendor)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE hour (hour INTEGER, vendor INTEGER, refused INTEGER, logged INTEGER, passed INTEGER,"
	" leaked INTEGER, PRIMARY KEY (hour, vendor)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE habit (source INTEGER, vendor INTEGER, last INTEGER, calls INTEGER, gaps TEXT,"
	" PRIMARY KEY (source, vendor)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE authority (id INTEGER PRIMARY KEY, vendor INTEGER, pack INTEGER, version INTEGER, stage INTEGER,"
	" basis INTEGER, citation INTEGER, UNIQUE (vendor, pack, version, stage, basis, citation)) STRICT;"
	"CREATE TABLE decided (day INTEGER, authority INTEGER, what INTEGER, refused INTEGER, logged INTEGER,"
	" passed INTEGER, leaked INTEGER, PRIMARY KEY (day, authority, what)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE own (at INTEGER, sensor TEXT, boot INTEGER, seq INTEGER, kind TEXT, note TEXT,"
	" PRIMARY KEY (at, sensor, boot, seq)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE coverage (day INTEGER, key TEXT, n INTEGER, PRIMARY KEY (day, key)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE running (sensor TEXT, boot INTEGER, key TEXT, n INTEGER, PRIMARY KEY (sensor, boot, key))"
	" STRICT, WITHOUT ROWID;";

enum { APPLICATION_ID = 0x6e667173 /* nfqs */, BUSY_MS = 2000 };

static int make(struct sightings *s)
{
	sql_script(s, "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA page_size=4096;");
	sql_script(s, "PRAGMA journal_mode=WAL;");
	sql_script(s, "BEGIN IMMEDIATE;");
	sql_script(s, tables);
	sql_script(s, "PRAGMA application_id=1852207475; PRAGMA user_version=3; COMMIT;");
	return s->problem[0] ? -1 : 0;
}

static int check(struct sightings *s)
{
	int64_t id = sql_number(s, -1, "PRAGMA application_id", ""), version = sql_number(s, -1, "PRAGMA user_version", "");

	if (!s->problem[0] && id == APPLICATION_ID && version == SIGHTINGS_SCHEMA)
		return 0;
	s->damaged |= !s->problem[0];
	if (!s->problem[0])
		snprintf(s->problem, sizeof(s->problem), "it is not a database of sightings, or of another version");
	return -1;
}

static void settings(struct sightings *s, enum sightings_open how)
{
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sql_script(s, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
	              "PRAGMA cache_size=-2000;");
	if (how != SIGHTINGS_READ)
		sql_script(s, "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=256; PRAGMA journal_size_limit=1048576;");
}

static bool is_empty(struct sightings *s)
{
	return sql_number(s, 0, "SELECT count(*) FROM sqlite_schema", "") == 0;
}

int schema_open(struct sightings *s, enum sightings_open how, struct err *err)
{
	int r;

	settings(s, how);
	r = how == SIGHTINGS_MEMORY || (how == SIGHTINGS_CREATE && is_empty(s)) ? make(s) : check(s);
	return r < 0 ? err_set(err, "%s", s->problem) : 0;
}

static int open_flags(enum sightings_open how)
{
	switch (how) {
	case SIGHTINGS_READ: return SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW;
	case SIGHTINGS_WRITE: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW;
	case SIGHTINGS_CREATE: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW;
	default: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
	}
}

struct sightings *sightings_open(const char *path, enum sightings_open how, bool *damaged, struct err *err)
{
	struct sightings *s = calloc(1, sizeof(*s));
	struct err    why = { 0 };
	int           r;

	if (damaged)
		*damaged = false;
	if (!s || !(s->recent = calloc(RECENT, sizeof(*s->recent)))) {
		free(s);
		err_set(err, "out of memory");
		return NULL;
	}
	r = sqlite3_open_v2(how == SIGHTINGS_MEMORY ? ":memory:" : path, &s->db, open_flags(how) | SQLITE_OPEN_NOMUTEX, NULL);
	if (r == SQLITE_OK && schema_open(s, how, &why) == 0)
		return s;
	if (r == SQLITE_CANTOPEN && access(path, how == SIGHTINGS_READ ? R_OK : R_OK | W_OK) < 0)
		err_set(err, "%s: %s", path, strerror(errno));
	err_set(err, "%s: %s", path, why.text[0] ? why.text : sqlite3_errmsg(s->db));
	if (damaged)
		*damaged = s->damaged;
	sightings_close(s);
	return NULL;
}

void sightings_close(struct sightings *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < STATEMENTS && s->prepared[i].sql; i++)
		sqlite3_finalize(s->prepared[i].stmt);
	sqlite3_finalize(s->once);
	sqlite3_close(s->db);
	free(s->recent);
	free(s);
}

const char *sightings_problem(const struct sightings *s)
{
	return s->problem[0] ? s->problem : NULL;
}

bool sightings_is_damaged(const struct sightings *s)
{
	return s->damaged;
}
