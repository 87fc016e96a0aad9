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

#endif
