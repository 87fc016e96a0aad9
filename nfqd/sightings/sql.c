/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements of the database: prepared once, bound and stepped; the first failure is kept and ends all others. */
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "sightings/sightings_private.h"

static void fail(struct sightings *s)
{
	int code = sqlite3_errcode(s->db);

	if (s->problem[0])
		return;
	s->damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
	snprintf(s->problem, sizeof(s->problem), "%s", sqlite3_errmsg(s->db));
}

static sqlite3_stmt *prepare(struct sightings *s, const char *sql)
{
	sqlite3_stmt *stmt = NULL;

	for (unsigned i = 0; i < STATEMENTS; i++) {
		struct prepared *p = &s->prepared[i];

		if (p->sql == sql)
			return p->stmt;
		if (p->sql)
			continue;
		if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK) {
			fail(s);
			return NULL;
		}
		*p = (struct prepared){ sql, stmt };
		return stmt;
	}
	snprintf(s->problem, sizeof(s->problem), "more statements than there is room for");
	return NULL;
}

static sqlite3_stmt *bind(struct sightings *s, const char *sql, const char *types, va_list ap)
{
	sqlite3_stmt *stmt = s->problem[0] ? NULL : prepare(s, sql);

	for (int i = 0; stmt && types[i]; i++) {
		int r;

		if (types[i] == 'i')
			r = sqlite3_bind_int64(stmt, i + 1, va_arg(ap, int64_t));
		else if (types[i] == 't')
			r = sqlite3_bind_text(stmt, i + 1, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
		else
			r = sqlite3_bind_null(stmt, i + 1);
		if (r != SQLITE_OK) {
			fail(s);
			return NULL;
		}
	}
	return stmt;
}

sqlite3_stmt *sql_bind(struct sightings *s, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list       ap;

	va_start(ap, types);
	stmt = bind(s, sql, types, ap);
	va_end(ap);
	return stmt;
}

sqlite3_stmt *sql_bind_once(struct sightings *s, const char *sql, const char *types, ...)
{
	va_list ap;
	int     i = 0;

	sqlite3_finalize(s->once);
	s->once = NULL;
	if (s->problem[0])
		return NULL;
	if (sqlite3_prepare_v3(s->db, sql, -1, 0, &s->once, NULL) != SQLITE_OK) {
		fail(s);
		return NULL;
	}
	va_start(ap, types);
	for (; *types; types++)
		if (*types == 'i')
			sqlite3_bind_int64(s->once, ++i, va_arg(ap, int64_t));
		else
			sqlite3_bind_text(s->once, ++i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
	va_end(ap);
	return s->once;
}

bool sql_row(struct sightings *s, sqlite3_stmt *stmt)
{
	int r = stmt && !s->problem[0] ? sqlite3_step(stmt) : SQLITE_DONE;

	if (r == SQLITE_ROW)
		return true;
	if (r != SQLITE_DONE)
		fail(s);
	if (stmt)
		sqlite3_reset(stmt);
	return false;
}

void sql_do(struct sightings *s, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list       ap;

	va_start(ap, types);
	stmt = bind(s, sql, types, ap);
	va_end(ap);
	while (sql_row(s, stmt))
		;
}

int64_t sql_number(struct sightings *s, int64_t none, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list       ap;

	va_start(ap, types);
	stmt = bind(s, sql, types, ap);
	va_end(ap);
	if (sql_row(s, stmt)) {
		none = sqlite3_column_int64(stmt, 0);
		sqlite3_reset(stmt);
	}
	return none;
}

const char *sql_text(sqlite3_stmt *stmt, int i)
{
	const char *text = (const char *)sqlite3_column_text(stmt, i);

	return text ? text : "";
}

int64_t sql_int(sqlite3_stmt *stmt, int i)
{
	return sqlite3_column_int64(stmt, i);
}

void sql_script(struct sightings *s, const char *sql)
{
	if (!s->problem[0] && sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(s);
}

/* Asked every some thousand steps of a statement; 1: it ends. */
static int is_late(void *ctx)
{
	const struct sightings *s = ctx;

	return clock_monotonic() > s->time_ends;
}

void sightings_limit_time(struct sightings *s, unsigned ms)
{
	s->time_ends = clock_monotonic() + ms * NS_PER_MS;
	sqlite3_progress_handler(s->db, 20000, is_late, s);
}
