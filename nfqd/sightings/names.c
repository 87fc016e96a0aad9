/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names by machine, over many days: in one pass over the days, since each of a thousand machines has a few rows in
 * every one. So many machines at a time are summed up that memory stays small.
 */
#include <stdlib.h>
#include <string.h>

#include "sightings/answer.h"

enum { MACHINES = 1024, SLOTS_MIN = 1024 };

/* What one machine did with one name. */
struct pair {
	int64_t  machine;
	uint32_t name; /* its place in names */
	uint32_t v[SUMS_V];
};

struct name {
	int64_t  id;
	char    *text;
	uint32_t rank; /* by text */
};

/* Open addressing: one more than a place in what is looked up; 0: none. */
struct index {
	uint32_t *slots;
	size_t    n; /* a power of two */
};

struct owner {
	int64_t source, machine;
};

struct called {
	struct sightings *s;
	struct pair      *pairs;
	struct name      *names;
	size_t            n_pairs, room_pairs, n_names, room_names;
	struct index      by_pair, by_name;
	struct owner     *owners; /* by source */
	size_t            n_owners, room_owners;
	bool              failed; /* out of memory */
};

/* ---- places -------------------------------------------------------------------------------- */

static size_t slot_of(const struct index *x, uint64_t a, uint64_t b)
{
	uint64_t h = (a * 0x9e3779b97f4a7c15ULL ^ b) * 0xff51afd7ed558ccdULL;

	return (size_t)(h >> 32) & (x->n - 1);
}

static size_t next_slot(const struct index *x, size_t slot)
{
	return (slot + 1) & (x->n - 1);
}

static size_t slot_of_name(const struct called *c, uint32_t i)
{
	return slot_of(&c->by_name, (uint64_t)c->names[i].id, 0);
}

static size_t slot_of_pair(const struct called *c, uint32_t i)
{
	return slot_of(&c->by_pair, (uint64_t)c->pairs[i].machine, c->pairs[i].name);
}

/* Makes room for one more than n, a third of the slots staying free. */
static void grow_index(struct called *c, struct index *x, size_t n, size_t (*slot_of_place)(const struct called *, uint32_t))
{
	size_t    more = x->n ? x->n * 2 : SLOTS_MIN, slot;
	uint32_t *slots;

	if (x->n && (n + 1) * 3 < x->n * 2)
		return;
	slots = calloc(more, sizeof(*slots));
	if (!slots) {
		c->failed = true;
		return;
	}
	free(x->slots);
	*x = (struct index){ slots, more };
	for (uint32_t i = 0; i < n; i++) {
		for (slot = slot_of_place(c, i); x->slots[slot]; slot = next_slot(x, slot))
			;
		x->slots[slot] = i + 1;
	}
}

static void *grow(struct called *c, void *v, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 256;
	void  *larger = n < *room ? v : realloc(v, more * size);

	if (n >= *room && larger)
		*room = more;
	c->failed |= n >= *room && !larger;
	return larger ? larger : v;
}

static uint32_t place_of_name(struct called *c, int64_t id)
{
	size_t slot;

	grow_index(c, &c->by_name, c->n_names, slot_of_name);
	c->names = grow(c, c->names, c->n_names, &c->room_names, sizeof(*c->names));
	if (c->failed)
		return 0;
	for (slot = slot_of(&c->by_name, (uint64_t)id, 0); c->by_name.slots[slot]; slot = next_slot(&c->by_name, slot))
		if (c->names[c->by_name.slots[slot] - 1].id == id)
			return c->by_name.slots[slot] - 1;
	c->names[c->n_names] = (struct name){ .id = id };
	c->by_name.slots[slot] = (uint32_t)++c->n_names;
	return (uint32_t)c->n_names - 1;
}

static struct pair *pair_of(struct called *c, int64_t machine, uint32_t name)
{
	struct index *x = &c->by_pair;
	size_t        slot;

	grow_index(c, x, c->n_pairs, slot_of_pair);
	c->pairs = grow(c, c->pairs, c->n_pairs, &c->room_pairs, sizeof(*c->pairs));
	if (c->failed)
		return NULL;
	for (slot = slot_of(x, (uint64_t)machine, name); x->slots[slot]; slot = next_slot(x, slot)) {
		struct pair *p = &c->pairs[x->slots[slot] - 1];

		if (p->machine == machine && p->name == name)
			return p;
	}
	c->pairs[c->n_pairs] = (struct pair){ .machine = machine, .name = name };
	x->slots[slot] = (uint32_t)++c->n_pairs;
	return &c->pairs[c->n_pairs - 1];
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void add(struct called *c, int64_t machine, sqlite3_stmt *q)
{
	uint32_t     name = place_of_name(c, sql_int(q, 1));
	struct pair *pair = c->failed ? NULL : pair_of(c, machine, name);

	for (int i = 0; pair && i < SUMS_V; i++) {
		int64_t n = sql_int(q, 2 + i);

		pair->v[i] = n < 0 || n > UINT32_MAX - pair->v[i] ? UINT32_MAX : pair->v[i] + (uint32_t)n;
	}
}

static void read_owners(struct called *c)
{
	sqlite3_stmt *q = sql_bind(c->s, "SELECT id, machine FROM source ORDER BY id", "");

	while (sql_row(c->s, q)) {
		c->owners = grow(c, c->owners, c->n_owners, &c->room_owners, sizeof(*c->owners));
		if (!c->failed)
			c->owners[c->n_owners++] = (struct owner){ sql_int(q, 0), sql_int(q, 1) };
	}
}

static int by_source(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	return (x->source > y->source) - (x->source < y->source);
}

static int64_t machine_of(const struct called *c, int64_t source)
{
	struct owner key = { .source = source }, *found = NULL;

	if (c->n_owners)
		found = bsearch(&key, c->owners, c->n_owners, sizeof(key), by_source);
	return found ? found->machine : 0;
}

/* The rows of machines first to last; rows of a source follow each other. */
static void read_rows(struct called *c, const struct days *d, int64_t first, int64_t last)
{
	sqlite3_stmt *q = sql_bind(c->s, "SELECT source, name, refused, logged, passed, leaked FROM called WHERE day BETWEEN ?1 AND ?2"
	                                 " AND (?3 = '' OR vendor IN (SELECT id FROM word WHERE kind = 'vendor' AND text = ?3 COLLATE"
	                                 " NOCASE)) ORDER BY day, source", "iit", d->first, d->last, d->vendor);
	int64_t       source = -1, machine = 0;

	while (sql_row(c->s, q)) {
		if (sql_int(q, 0) != source) {
			source = sql_int(q, 0);
			machine = machine_of(c, source);
		}
		if (machine >= first && machine <= last && !c->failed)
			add(c, machine, q);
	}
}

static int by_text(const void *a, const void *b)
{
	const struct name *const *x = a, *const *y = b;

	return strcmp((*x)->text, (*y)->text);
}

static void rank_names(struct called *c)
{
	struct name **sorted = calloc(c->n_names + 1, sizeof(struct name *));

	for (size_t i = 0; i < c->n_names && !c->failed; i++) {
		struct name  *one = &c->names[i];
		sqlite3_stmt *q = one->text ? NULL : sql_bind(c->s, "SELECT text FROM word WHERE id = ?", "i", one->id);

		while (q && sql_row(c->s, q))
			one->text = one->text ? one->text : strdup(sql_text(q, 0));
		if (!one->text)
			one->text = strdup("");
		c->failed |= !one->text || !sorted;
		if (sorted)
			sorted[i] = one;
	}
	if (!c->failed)
		qsort(sorted, c->n_names, sizeof(*sorted), by_text);
	for (uint32_t i = 0; i < c->n_names && !c->failed; i++)
		sorted[i]->rank = i;
	free(sorted);
}

/* ---- answers ------------------------------------------------------------------------------- */

static int by_machine(const void *a, const void *b, void *ctx)
{
	const struct called *c = ctx;
	const struct pair   *x = a, *y = b;
	uint32_t             p = c->names[x->name].rank, q = c->names[y->name].rank;

	return x->machine != y->machine ? (x->machine > y->machine) - (x->machine < y->machine) : (p > q) - (p < q);
}

static json_t *name_of(const struct called *c, const struct pair *p)
{
	static const char *const keys[] = { "refused", "logged", "passed", "leaked" };
	json_t                  *o = json_object();

	json_object_set_new(o, "name", json_string(c->names[p->name].text));
	for (int i = 0; i < SUMS_V; i++)
		json_object_set_new(o, keys[i], json_integer(p->v[i]));
	return o;
}

/* The machine whose pairs begin there; returns where the next one's do. */
static size_t tell(struct called *c, size_t from, sightings_names_fn *each, void *ctx)
{
	int64_t machine = c->pairs[from].machine;
	json_t *host = json_object(), *names = json_array();

	for (; from < c->n_pairs && c->pairs[from].machine == machine; from++)
		json_array_append_new(names, name_of(c, &c->pairs[from]));
	answer_machine(c->s, machine, host);
	each(ctx, host, names);
	json_decref(host);
	json_decref(names);
	return from;
}

static void tell_all(struct called *c, sightings_names_fn *each, void *ctx)
{
	rank_names(c);
	if (!c->failed && c->n_pairs)
		qsort_r(c->pairs, c->n_pairs, sizeof(*c->pairs), by_machine, c);
	for (size_t from = 0; from < c->n_pairs && !c->failed && !c->s->problem[0];)
		from = tell(c, from, each, ctx);
	if (c->by_pair.slots)
		memset(c->by_pair.slots, 0, c->by_pair.n * sizeof(*c->by_pair.slots));
	c->n_pairs = 0;
}

/* The last of so many machines from that one on; 0: there is none. */
static int64_t last_of(struct sightings *s, int64_t first)
{
	return sql_number(s, 0, "SELECT max(machine) FROM (SELECT DISTINCT machine FROM source WHERE machine >= ? ORDER BY machine"
	                        " LIMIT ?)", "ii", first, (int64_t)MACHINES);
}

int sightings_names(struct sightings *s, const struct sightings_which *which, sightings_names_fn *each, void *ctx,
                    struct err *err)
{
	struct days   d = answer_days(which);
	struct called c = { .s = s };

	read_owners(&c);
	for (int64_t first = 1, last; !c.failed && !s->problem[0] && (last = last_of(s, first)) > 0; first = last + 1) {
		read_rows(&c, &d, first, last);
		tell_all(&c, each, ctx);
	}
	for (size_t i = 0; i < c.n_names; i++)
		free(c.names[i].text);
	free(c.names);
	free(c.pairs);
	free(c.owners);
	free(c.by_pair.slots);
	free(c.by_name.slots);
	if (c.failed)
		return err_set(err, "out of memory");
	return s->problem[0] ? err_set(err, "%s", s->problem) : 0;
}
