/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacing the elements of the table's address sets, in one transaction each. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "capture/steer_private.h"

struct steer_set {
	struct steer *s;
	const char   *name;
	FILE         *f;
	char         *text;
	size_t        size;
	bool          watched;
	struct steer_filled filled;
};

struct steer_set *steer_set_begin(struct steer *s, bool watched)
{
	struct steer_set *set = calloc(1, sizeof(*set));

	if (set)
		set->f = open_memstream(&set->text, &set->size);
	if (!set || !set->f) {
		free(set);
		return NULL;
	}
	set->s = s;
	set->name = watched ? "watched" : "nets";
	set->watched = watched;
	set->filled = s->filled;
	memset(watched ? set->filled.watched : set->filled.nets, 0, sizeof(set->filled.nets));
	if (!watched)
		memset(set->filled.ports, 0, sizeof(set->filled.ports));
	fprintf(set->f, "flush set inet nfqd %s4\nflush set inet nfqd %s6\n", set->name, set->name);
	if (!watched)
		fputs("flush set inet nfqd net_ports4\nflush set inet nfqd net_ports6\n", set->f);
	return set;
}

/* Writes what an element of the set of that name begins with. */
static void begin_element(struct steer_set *set, const char *name, const struct net *net)
{
	char text[ADDR_TEXT];

	addr_text(&net->addr, text);
	fprintf(set->f, "add element inet nfqd %s%d { %s", name, net->addr.len == 4 ? 4 : 6, text);
	if (net->bits < net->addr.len * 8)
		fprintf(set->f, "/%u", net->bits);
}

void steer_set_add(struct steer_set *set, const struct net *net, uint32_t seconds)
{
	(set->watched ? set->filled.watched : set->filled.nets)[net->addr.len != 4] = true;
	begin_element(set, set->name, net);
	if (seconds)
		fprintf(set->f, " timeout %us", seconds);
	fputs(" }\n", set->f);
}

void steer_set_add_ports(struct steer_set *set, const struct net *net, uint16_t first, uint16_t last)
{
	set->filled.ports[net->addr.len != 4] = true;
	begin_element(set, "net_ports", net);
	if (first == last)
		fprintf(set->f, " . %u }\n", first);
	else
		fprintf(set->f, " . %u-%u }\n", first, last);
}

int steer_set_end(struct steer_set *set, struct err *err)
{
	struct steer *s = set->s;
	bool          whole = !ferror(set->f);
	int           r;

	/* a part of the commands would empty the sets */
	if (fclose(set->f) != 0 || !whole)
		r = err_set(err, "out of memory");
	else
		r = steer_run(s, set->text, "addresses", err);
	if (r == 0 && memcmp(&set->filled, &s->filled, sizeof(s->filled)) != 0) {
		s->filled = set->filled;
		r = steer_rewrite(s, err);
	}
	free(set->text);
	free(set);
	return r;
}
