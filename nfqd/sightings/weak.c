/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which machines are forgotten when there is no room for all. Whoever is on a network can make as many senders as he
 * likes (addresses and MACs are his to choose), so new machines must not push out those that really call. Evidence is
 * the time over which a machine has called, then how many calls it made.
 *
 * A crowd is more machines than CROWD (of each MB of the limit, CROWD_MIN at least) that one interface had new on one
 * day, each of which has called for less than a day. A crowd's machines go first, of the largest crowd, those with the
 * fewest calls, at random among equals: so that a machine that comes while the flood lasts has a chance to stay, and
 * with its next call a better one. Then days are folded (trim.c), and when that does not help, the machines with the
 * least evidence go. What a person has split or merged goes last of all.
 */
#include <stdlib.h>

#include "sightings/sightings_private.h"

enum { CROWD = 4, CROWD_MIN = 16, LIST = 1024, LOOK = 16 };

#define PAGES_PER_MB 256
#define BY_MACHINE                                                                                                     \
	"SELECT machine, min(sensor) AS sensor, min(iface) AS iface, min(source.first) / 86400000000 AS day,"         \
	" (max(source.last) - min(source.first)) / 86400000000 AS span, max(source.last) AS last, max(pinned) AS pinned," \
	" sum(coalesce(calls, 0)) AS calls FROM source LEFT JOIN habit ON habit.source = source.id GROUP BY machine"

/* Forgets the machines that the statement gives, while there is no room (or all of them); returns how many. */
static int64_t forget(struct sightings *s, sqlite3_stmt *q, bool all)
{
	static int64_t list[LIST];
	unsigned       n = 0, i;

	while (n < LIST && sql_row(s, q))
		list[n++] = sql_int(q, 0);
	if (n == LIST)
		sqlite3_reset(q);
	for (i = 0; i < n && !s->problem[0]; i++) {
		if (i % LOOK == 0) {
			if ((i && sightings_commit(s) < 0) || (!all && !trim_is_over(s)) || sightings_begin(s) < 0)
				break;
		}
		sightings_forget_machine(s, list[i]);
	}
	if (!sqlite3_get_autocommit(s->db) && sightings_commit(s) < 0)
		return 0;
	recent_check(s);
	return i;
}

int64_t weak_forget_crowd(struct sightings *s)
{
	int64_t       most = s->max_pages / PAGES_PER_MB * CROWD;
	sqlite3_stmt *q = sql_bind(s, "WITH m AS (" BY_MACHINE "), c AS (SELECT sensor, iface, day, count(*) AS n FROM m WHERE"
	                              " span = 0 AND NOT pinned GROUP BY sensor, iface, day ORDER BY n DESC LIMIT 1)"
	                              " SELECT machine, n FROM m JOIN c USING (sensor, iface, day) WHERE span = 0 AND NOT pinned"
	                              " AND n > ?1 ORDER BY calls, random() LIMIT min(?2, max(0, coalesce((SELECT n FROM c), 0) - ?1))",
	                           "ii", most > CROWD_MIN ? most : CROWD_MIN, (int64_t)LIST);

	return forget(s, q, false);
}

int64_t weak_forget_weakest(struct sightings *s)
{
	return forget(s, sql_bind(s, "SELECT machine FROM (" BY_MACHINE ") ORDER BY pinned, span, calls, last LIMIT ?", "i",
	                          (int64_t)LIST), false);
}

int64_t weak_forget_silent(struct sightings *s, int64_t before)
{
	return forget(s, sql_bind(s, "SELECT machine FROM source GROUP BY machine HAVING max(last) < ? LIMIT ?", "ii", before,
	                          (int64_t)LIST), true);
}
