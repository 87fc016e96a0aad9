/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What many days of many machines add up to, in one pass over them: they are kept by day, then by source, so that SQL
 * would have to sort them. The sums by machine and vendor go to temp.sums, where the answers are made of them.
 */
#include <stdlib.h>
#include <string.h>

#include "sightings/answer.h"

/* Of one machine and vendor. */
struct sum {
	int64_t vendor, first, last, v[SUMS_V], days, last_day;
	size_t  next; /* of the same machine, one more than its place; 0: none */
};

struct place {
	int64_t source, machine, last_day;
	size_t  home; /* the place of the source whose number is its machine's, which has the sums */
	size_t  sums; /* its first, one more than its place */
};

struct pass {
	struct place *places; /* by source */
	size_t        n_places, room_places, at;
	struct sum   *sums;
	size_t        n_sums, room_sums;
	struct sums  *out;
	bool          failed; /* out of memory */
};

/* Room for one more; NULL: there is none. */
static void *grow(struct pass *p, void *v, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void  *larger;

	if (n < *room)
		return v;
	larger = realloc(v, more * size);
	if (larger)
		*room = more;
	else
		p->failed = true;
	return larger ? larger : v;
}

/* ---- sources ------------------------------------------------------------------------------- */

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->source > y->source) - (x->source < y->source);
}

static void find_homes(struct pass *p)
{
	for (size_t i = 0; i < p->n_places; i++) {
		struct place  key = { .source = p->places[i].machine };
		struct place *home = bsearch(&key, p->places, p->n_places, sizeof(key), compare_places);

		p->places[i].home = home ? (size_t)(home - p->places) : i;
	}
}

static void read_places(struct sightings *s, struct pass *p)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT id, machine FROM source ORDER BY id", "");

	while (sql_row(s, q)) {
		p->places = grow(p, p->places, p->n_places, &p->room_places, sizeof(*p->places));
		if (!p->failed)
			p->places[p->n_places++] = (struct place){ .source = sql_int(q, 0), .machine = sql_int(q, 1), .last_day = INT64_MIN };
	}
	find_homes(p);
}

/* Rows of one day come in the order of their sources. */
static struct place *place_of(struct pass *p, int64_t source)
{
	while (p->at < p->n_places && p->places[p->at].source < source)
		p->at++;
	return p->at < p->n_places && p->places[p->at].source == source ? &p->places[p->places[p->at].home] : NULL;
}

/* ---- sums ---------------------------------------------------------------------------------- */

static struct sum *sum_of(struct pass *p, struct place *machine, int64_t vendor)
{
	for (size_t i = machine->sums; i; i = p->sums[i - 1].next)
		if (p->sums[i - 1].vendor == vendor)
			return &p->sums[i - 1];
	p->sums = grow(p, p->sums, p->n_sums, &p->room_sums, sizeof(*p->sums));
	if (p->failed)
		return NULL;
	p->sums[p->n_sums] = (struct sum){ .vendor = vendor, .first = INT64_MAX, .last = INT64_MIN, .last_day = INT64_MIN,
		                           .next = machine->sums };
	machine->sums = ++p->n_sums;
	return &p->sums[p->n_sums - 1];
}

static struct day_sum *day_of(struct pass *p, int64_t day)
{
	struct sums *o = p->out;

	if (o->n && o->v[o->n - 1].day == day)
		return &o->v[o->n - 1];
	p->at = 0;
	o->v = grow(p, o->v, o->n, &o->room, sizeof(*o->v));
	if (p->failed)
		return NULL;
	o->v[o->n] = (struct day_sum){ .day = day };
	return &o->v[o->n++];
}

static void add(struct pass *p, sqlite3_stmt *q)
{
	int64_t         day = sql_int(q, 0), first = sql_int(q, 3), last = sql_int(q, 4);
	struct day_sum *of_day = day_of(p, day);
	struct place   *machine = of_day ? place_of(p, sql_int(q, 1)) : NULL;
	struct sum     *sum = machine ? sum_of(p, machine, sql_int(q, 2)) : NULL;

	if (!sum)
		return;
	of_day->machines += machine->last_day != day;
	machine->last_day = day;
	sum->days += sum->last_day != day && day != DAY_PAST;
	sum->last_day = day;
	sum->first = first < sum->first ? first : sum->first;
	sum->last = last > sum->last ? last : sum->last;
	for (int i = 0; i < SUMS_V; i++) {
		int64_t n = sql_int(q, 5 + i);

		sum->v[i] += n;
		of_day->v[i] += n;
	}
}

static void put(struct sightings *s, const struct pass *p)
{
	sql_script(s, "CREATE TEMP TABLE IF NOT EXISTS sums (machine INTEGER, vendor INTEGER, first INTEGER, last INTEGER,"
	              " refused INTEGER, logged INTEGER, passed INTEGER, leaked INTEGER, days INTEGER); DELETE FROM temp.sums;");
	for (size_t i = 0; i < p->n_places; i++)
		for (size_t k = p->places[i].sums; k; k = p->sums[k - 1].next) {
			const struct sum *one = &p->sums[k - 1];

			sql_do(s, "INSERT INTO temp.sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "iiiiiiiii", p->places[i].machine,
			       one->vendor, one->first, one->last, one->v[0], one->v[1], one->v[2], one->v[3], one->days);
		}
}

int sums_make(struct sightings *s, const struct days *d, struct sums *out, struct err *err)
{
	struct pass   p = { .out = out };
	sqlite3_stmt *q;

	read_places(s, &p);
	q = sql_bind(s, "SELECT day, source, vendor, first, last, refused, logged, passed, leaked FROM seen WHERE day BETWEEN ?1 AND"
	                " ?2 AND (?3 = '' OR vendor IN (SELECT id FROM word WHERE kind = 'vendor' AND text = ?3 COLLATE NOCASE))"
	                " ORDER BY day, source", "iit", d->first, d->last, d->vendor);
	while (sql_row(s, q))
		add(&p, q);
	put(s, &p);
	free(p.places);
	free(p.sums);
	return p.failed ? err_set(err, "out of memory") : 0;
}

void sums_free(struct sums *sums)
{
	free(sums->v);
}
