/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the sightings: the open database, and how its statements are run. */
#ifndef NFQD_SIGHTINGS_SIGHTINGS_PRIVATE_H
#define NFQD_SIGHTINGS_SIGHTINGS_PRIVATE_H

#include <sqlite3.h>

#include "sightings/sightings.h"

enum { STATEMENTS = 128, RECENT = 8192, THOUSANDTHS = 1000 /* of coverage's counts */ };

#define US_PER_S   INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_S)

/* The days that have rows in day (called has no others), of a span, each found by one search. */
#define DAYS(first, last)                                                                                              \
	"(WITH RECURSIVE d (day) AS (SELECT min(day) FROM day WHERE day BETWEEN " first " AND " last " UNION ALL"      \
	" SELECT (SELECT min(day) FROM day WHERE day > d.day AND day <= " last ") FROM d WHERE d.day IS NOT NULL)"     \
	" SELECT day FROM d WHERE day IS NOT NULL)"

/* What a repeat adds to. */
struct recent_sighting {
	int64_t  boot, seq, source, what, name, vendor, authority;
	int      outcome;
	bool     leaked;
};

struct sightings {
	sqlite3 *db;
	struct prepared {
		const char   *sql; /* a literal: its address is its name */
		sqlite3_stmt *stmt;
	} prepared[STATEMENTS];
	sqlite3_stmt           *once;   /* a statement that is not kept */
	struct recent_sighting *recent; /* of RECENT, by number; NULL: none was taken yet */
	int64_t oldest_boot, oldest_seq; /* the first record that was taken since it is open */
	int64_t data_version;            /* raised by the writes of others */
	int64_t max_pages;               /* 0: without a limit */
	int64_t fold_end, folded_to;     /* the day before which is folded now, 0: none; up to which source it is done */
	bool    trimming;
	uint64_t time_ends;              /* of clock_monotonic(); 0: never */
	char problem[256];
	bool damaged, all_names;
};

/* Binds values by types ('i' int64_t, 't' text, 'n' NULL) and returns the statement, ready to be stepped; sql must be
 * a literal. NULL: the store is broken. */
sqlite3_stmt *sql_bind(struct sightings *s, const char *sql, const char *types, ...);
/* The same for a text that is made up as needed; valid until the next such call. */
sqlite3_stmt *sql_bind_once(struct sightings *s, const char *sql, const char *types, ...);
/* The next row? At the end the statement is reset. */
bool          sql_row(struct sightings *s, sqlite3_stmt *stmt);
/* Runs a statement that gives no row. */
void          sql_do(struct sightings *s, const char *sql, const char *types, ...);
/* The first column of the first row; otherwise `none`. */
int64_t       sql_number(struct sightings *s, int64_t none, const char *sql, const char *types, ...);
/* Column i as text, never NULL; valid until the next step. */
const char   *sql_text(sqlite3_stmt *stmt, int i);
int64_t       sql_int(sqlite3_stmt *stmt, int i);
void          sql_script(struct sightings *s, const char *sql);

/* schema.c */
MUST_CHECK int schema_open(struct sightings *s, enum sightings_open how, struct err *err);

/* own.c: a record of the daemon's own. */
void own_take(struct sightings *s, const struct sighting *one);

/* take.c: repeats of what was forgotten find nothing any more. */
void recent_check(struct sightings *s);

/* trim.c: is more used than there shall be after trimming? */
bool trim_is_over(struct sightings *s);

/* weak.c: each forgets machines and returns how many; none: 0. Outside of begin and commit. */
int64_t weak_forget_crowd(struct sightings *s);
int64_t weak_forget_weakest(struct sightings *s);
int64_t weak_forget_silent(struct sightings *s, int64_t before);

/* machine.c: the source of a record (a MAC and an address of one sensor), and which machine it belongs to. */
int64_t machine_source(struct sightings *s, const struct sighting *one);
/* The machine that a person names; 0: none, err says so. */
int64_t machine_find(struct sightings *s, const char *id, struct err *err);
/* Its id for people and programs: mac:…, ip:…, hash:… or this-machine. */
void    machine_id(struct sightings *s, int64_t machine, char *out, size_t room);
/* correct.c: everything of a machine goes. */
void    sightings_forget_machine(struct sightings *s, int64_t machine);

#endif
