/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replacing the elements of the table's address sets, in one transaction each. All elements of a set are
 * one command: libnftables looks at the whole set for every command.
 */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "capture/steer_private.h"

/* One set of the table: what is added to it. */
struct elements {
	const char *name;
	FILE       *f; /* NULL: nothing yet */
	char       *text;
	size_t      size;
};

enum { ADDRESSES, PORTS, PARTS };
enum { ELEMENTS_MS = 10 }; /* how many libnftables reads again in a millisecond, on a slow machine */

struct steer_set {
	struct steer       *s;
	struct elements     part[PARTS][2]; /* IPv4, IPv6 */
	bool                watched, failed;
	unsigned            n;
	struct steer_filled filled;
};

struct steer_set *steer_set_begin(struct steer *s, bool watched)
{
	static const char *const names[2][PARTS][2] = {
		{ { "nets4", "nets6" }, { "net_ports4", "net_ports6" } },
		{ { "watched4", "watched6" }, { NULL, NULL } }
	};
	struct steer_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->s = s;
	set->watched = watched;
	set->filled = s->filled;
	memset(watched ? set->filled.watched : set->filled.nets, 0, sizeof(set->filled.nets));
	if (!watched)
		memset(set->filled.ports, 0, sizeof(set->filled.ports));
	for (unsigned part = 0; part < PARTS; part++)
		for (unsigned six = 0; six < 2; six++)
			set->part[part][six].name = names[watched][part][six];
	return set;
}

/* Writes what an element of the part begins with. NULL: out of memory. */
static FILE *begin_element(struct steer_set *set, unsigned part, const struct net *net)
{
	struct elements *e = &set->part[part][net->addr.len != 4];
	bool             first = !e->f;
	char             text[ADDR_TEXT];

	set->n++;
	if (first)
		e->f = open_memstream(&e->text, &e->size);
	if (!e->f) {
		set->failed = true;
		return NULL;
	}
	if (first)
		fprintf(e->f, "add element inet nfqd %s { ", e->name);
	else
		fputs(", ", e->f);
	addr_text(&net->addr, text);
	fputs(text, e->f);
	if (net->bits < net->addr.len * 8)
		fprintf(e->f, "/%u", net->bits);
	return e->f;
}

void steer_set_add(struct steer_set *set, const struct net *net, uint32_t seconds)
{
	FILE *f = begin_element(set, ADDRESSES, net);

	(set->watched ? set->filled.watched : set->filled.nets)[net->addr.len != 4] = true;
	if (f && seconds)
		fprintf(f, " timeout %us", seconds);
}

void steer_set_add_ports(struct steer_set *set, const struct net *net, uint16_t first, uint16_t last)
{
	FILE *f = begin_element(set, PORTS, net);

	set->filled.ports[net->addr.len != 4] = true;
	if (f && first == last)
		fprintf(f, " . %u", first);
	else if (f)
		fprintf(f, " . %u-%u", first, last);
}

/* Ends a part, and adds its commands. False: out of memory. A partial transaction would empty the sets. */
static bool end_elements(struct elements *e, FILE *all)
{
	bool whole = true;

	if (!e->name)
		return true;
	fprintf(all, "flush set inet nfqd %s\n", e->name);
	if (e->f) {
		fputs(" }\n", e->f);
		whole = !ferror(e->f);
		whole = fclose(e->f) == 0 && whole;
		if (whole)
			fputs(e->text, all);
		free(e->text);
	}
	return whole;
}

/* The transaction; the caller frees. NULL: out of memory. */
static char *end_text(struct steer_set *set)
{
	char  *text = NULL;
	size_t size;
	FILE  *all = open_memstream(&text, &size);
	bool   whole = all && !set->failed;

	for (unsigned part = 0; all && part < PARTS; part++)
		for (unsigned six = 0; six < 2; six++)
			whole = end_elements(&set->part[part][six], all) && whole;
	if (all) {
		whole = !ferror(all) && whole;
		whole = fclose(all) == 0 && whole;
	}
	if (whole)
		return text;
	free(text);
	return NULL;
}

int steer_set_end(struct steer_set *set, struct err *err)
{
	struct steer *s = set->s;
	char         *text = end_text(set);
	int           r = text ? steer_run(s, text, "addresses", err) : err_set(err, "out of memory");

	if (!set->watched)
		s->away.extra_ms = set->n / ELEMENTS_MS;
	if (r == 0 && memcmp(&set->filled, &s->filled, sizeof(s->filled)) != 0) {
		s->filled = set->filled;
		r = steer_rewrite(s, err);
	}
	s->stale |= r < 0;
	free(text);
	free(set);
	return r;
}
