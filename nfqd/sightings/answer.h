/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the sightings: what the answers to questions have in common. */
#ifndef NFQD_SIGHTINGS_ANSWER_H
#define NFQD_SIGHTINGS_ANSWER_H

#include "sightings/sightings_private.h"

#define DAY_PAST INT64_C(-1) /* the sums of all days that were folded */

/* What a question is about. */
struct days {
	int64_t     first, last;
	const char *vendor; /* "": all */
};

struct days answer_days(const struct sightings_which *which);
json_t     *answer_new(void);
/* The answer, or NULL with err filled when the store is broken; takes the answer. */
json_t     *answer_or(struct sightings *s, json_t *answer, struct err *err);

void answer_time(json_t *o, const char *key, int64_t us); /* 0: null */
void answer_day(json_t *o, const char *key, int64_t day);
/* refused, logged, passed and leaked, from that column on. */
void answer_counts(json_t *o, sqlite3_stmt *q, int first);
/* id, name, MACs and addresses. */
void answer_machine(struct sightings *s, int64_t machine, json_t *o);
/* Its products, categories and channels. */
void answer_words(struct sightings *s, int64_t machine, const char *vendor, const struct days *d, json_t *o);

/* sums.c: what days add up to. */
enum { SUMS_V = 4 /* refused, logged, passed, leaked */ };

struct sums {
	struct day_sum {
		int64_t day, machines, v[SUMS_V];
	} *v; /* by day, DAY_PAST first */
	size_t n, room;
};

/* Sums up the days of a question: by day in *out, which is to be zeroed, and to be freed in any case; by machine and
 * vendor in temp.sums (machine, vendor, first, last, refused, logged, passed, leaked, days). */
MUST_CHECK int sums_make(struct sightings *s, const struct days *d, struct sums *out, struct err *err);
void           sums_free(struct sums *sums);

/* tables.c: the list of machines, made of temp.sums; NULL: err says why. */
json_t *answer_hosts(struct sightings *s, const struct sightings_which *which, const struct days *d, struct err *err);

#endif
