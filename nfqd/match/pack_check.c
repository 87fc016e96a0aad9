/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks whether the content of a pack makes sense, as far as a schema cannot express it. Problems are
 * reported through the pack's document, so that lint can show all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/yaml.h"
#include "match/pattern.h"
#include "match/pack.h"
#include "match/ruleset.h"

/* The sorted ids of one list, to look one up and to find duplicates. */
struct ids {
	struct id {
		const char *text;
		unsigned    i;
	}       *v;
	unsigned n;
};

static int id_order(const void *va, const void *vb)
{
	const struct id *a = va, *b = vb;
	int              r = strcmp(a->text, b->text);

	return r ? r : a->i < b->i ? -1 : a->i > b->i;
}

static int id_find(const void *va, const void *vb)
{
	const struct id *a = va, *b = vb;

	return strcmp(a->text, b->text);
}

static bool ids_have(const struct ids *ids, const char *text)
{
	struct id key = { text, 0 };

	return ids->v && bsearch(&key, ids->v, ids->n, sizeof(key), id_find);
}

struct pack_checker {
	const struct pack *p;
	struct err        *err;
	struct ids         sources, entries;
	bool               bad;
};

#define SAY(c, line, ...) ((c)->bad |= yaml_doc_error((c)->p->doc, (c)->err, line, __VA_ARGS__) < 0)
#define LINE(c, ...)      yaml_doc_line((c)->p->doc, __VA_ARGS__)

/* Sorts n ids that lie stride bytes apart and reports those that occur twice; list and what name
 * them in the file and in the message. */
static struct ids ids_check(struct pack_checker *c, const void *first, size_t stride, unsigned n,
                            const char *list, const char *key, const char *what)
{
	struct ids ids = { .v = calloc(n + 1U, sizeof(*ids.v)), .n = n };

	if (!ids.v) {
		SAY(c, 1, "out of memory");
		return (struct ids){ .n = 0 };
	}
	for (unsigned i = 0; i < n; i++)
		ids.v[i] = (struct id){ *(char *const *)((const char *)first + i * stride), i };
	qsort(ids.v, n, sizeof(*ids.v), id_order);
	for (unsigned i = 1; i < n; i++)
		if (strcmp(ids.v[i].text, ids.v[i - 1].text) == 0)
			SAY(c, LINE(c, "%s[%u].%s", list, ids.v[i].i, key),
			    "%s '%s': this %s is already used on line %u", what, ids.v[i].text, key,
			    LINE(c, "%s[%u].%s", list, ids.v[i - 1].i, key));
	return ids;
}

static bool id_ok(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return id[strspn(id, allowed)] == '\0' && strlen(id) <= 100;
}

static void check_id(struct pack_checker *c, const char *what, const char *id, unsigned line)
{
	if (!id_ok(id))
		SAY(c, line, "%s '%.100s': an id is made of up to 100 letters, digits, '-', '_' and '.'",
		    what, id);
}

static void check_date(struct pack_checker *c, const char *what, const char *id, const char *key,
                       const char *date, unsigned line)
{
	int64_t s;

	if (date && clock_parse(date, &s) < 0)
		SAY(c, line, "%s '%s': %s: '%s' is not a date (write 2024-09-29 or 2024-09-29T04:00:00Z)",
		    what, id, key, date);
}

static void check_header(struct pack_checker *c)
{
	const struct pack *p = c->p;

	check_id(c, "pack", p->id, LINE(c, "pack"));
	check_date(c, "pack", p->id, "expires", p->expires, LINE(c, "expires"));
}

static void check_sources(struct pack_checker *c)
{
	const struct pack *p = c->p;

	c->sources = ids_check(c, p->sources, sizeof(*p->sources), p->n_sources, "sources", "id",
	                       "source");
	for (unsigned i = 0; i < p->n_sources; i++)
		check_date(c, "source", p->sources[i].id, "retrieved", p->sources[i].retrieved,
		           LINE(c, "sources[%u].retrieved", i));
}

static void check_stages(struct pack_checker *c)
{
	const struct pack *p = c->p;

	free(ids_check(c, p->stages, sizeof(*p->stages), p->n_stages, "stages", "id", "stage").v);
	for (unsigned i = 0; i < p->n_stages; i++)
		check_date(c, "stage", p->stages[i].id, "from", p->stages[i].from,
		           LINE(c, "stages[%u].from", i));
}

static void unknown_source(struct pack_checker *c, const char *what, const char *id,
                           const char *source, unsigned line)
{
	char allowed[512] = "none";

	for (unsigned i = 0, used = 0; i < c->p->n_sources && used < sizeof(allowed); i++)
		used += (unsigned)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
		                           i ? ", " : "", c->p->sources[i].id);
	SAY(c, line, "%s '%s': unknown source '%s' (allowed: %s)", what, id, source, allowed);
}

/* What entries and nets have in common. */
static void check_proof(struct pack_checker *c, const char *what, const char *list, unsigned at,
                        const char *id, char *const ports[], unsigned n_ports,
                        char *const sources[], unsigned n_sources)
{
	struct rs_port port;

	for (unsigned i = 0; i < n_ports; i++)
		if (port_parse(ports[i], &port) < 0)
			SAY(c, LINE(c, "%s[%u].ports[%u]", list, at, i),
			    "%s '%s': bad port '%s' (write " PORT_FORMS ")", what, id, ports[i]);
	for (unsigned i = 0; i < n_sources; i++) {
		if (!ids_have(&c->sources, sources[i]))
			unknown_source(c, what, id, sources[i],
			               LINE(c, "%s[%u].sources[%u]", list, at, i));
	}
}

static void check_names(struct pack_checker *c, const struct pack_entry *e, unsigned at)
{
	struct pattern pattern;

	if (e->names_file && !pack_names_file_ok(e))
		SAY(c, LINE(c, "entries[%u].names-file", at),
		    "entry '%s': names-file: '%s' is not a file name (the file stands beside the pack)",
		    e->id, e->names_file);
	else if (!e->names_file && !yaml_doc_has(c->p->doc, "entries[%u].names", at))
		SAY(c, LINE(c, "entries[%u]", at), "entry '%s': missing key 'names' (or 'names-file')",
		    e->id);
	else if (!e->names_file && e->n_names == 0)
		SAY(c, LINE(c, "entries[%u].names", at), "entry '%s': names: must not be empty",
		    e->id);
	for (unsigned i = 0; i < e->n_names; i++) {
		struct err why = { .text = "" };

		if (pattern_parse(&pattern, e->names[i], &why) < 0)
			SAY(c, LINE(c, "entries[%u].names[%u]", at, i), "entry '%s': name '%s': %s",
			    e->id, e->names[i], why.text);
	}
}

static void check_entries(struct pack_checker *c)
{
	const struct pack *p = c->p;

	c->entries = ids_check(c, p->entries, sizeof(*p->entries), p->n_entries, "entries", "id", "entry");
	for (unsigned i = 0; i < p->n_entries; i++) {
		const struct pack_entry *e = &p->entries[i];

		check_id(c, "entry", e->id, LINE(c, "entries[%u].id", i));
		check_names(c, e, i);
		check_date(c, "entry", e->id, "added", e->added, LINE(c, "entries[%u].added", i));
		check_date(c, "entry", e->id, "reviewed", e->reviewed, LINE(c, "entries[%u].reviewed", i));
		check_proof(c, "entry", "entries", i, e->id, e->ports, e->n_ports, e->sources,
		            e->n_sources);
	}
}

/* Entries and networks share one kind of id in records. */
static void check_net_id(struct pack_checker *c, const char *id, unsigned line)
{
	check_id(c, "net", id, line);
	if (ids_have(&c->entries, id))
		SAY(c, line, "net '%s': this id is already used by an entry", id);
}

static void check_nets(struct pack_checker *c)
{
	const struct pack *p = c->p;

	free(ids_check(c, p->nets, sizeof(*p->nets), p->n_nets, "nets", "id", "net").v);
	for (unsigned i = 0; i < p->n_nets; i++) {
		const struct pack_net *n = &p->nets[i];
		struct net             net;

		if (yaml_doc_has(p->doc, "nets[%u].id", i))
			check_net_id(c, n->id, LINE(c, "nets[%u].id", i));
		if (net_parse(n->cidr, &net) < 0)
			SAY(c, LINE(c, "nets[%u].cidr", i),
			    "net '%s': not a network (write 192.0.2.0/24 or 2001:db8::/32, with zero bits "
			    "after the prefix)",
			    n->cidr);
		check_date(c, "net", n->id, "added", n->added, LINE(c, "nets[%u].added", i));
		check_date(c, "net", n->id, "reviewed", n->reviewed, LINE(c, "nets[%u].reviewed", i));
		check_proof(c, "net", "nets", i, n->cidr, n->ports, n->n_ports, n->sources,
		            n->n_sources);
	}
}

static void check_retired(struct pack_checker *c)
{
	const struct pack *p = c->p;

	for (unsigned i = 0; i < p->n_retired; i++)
		check_date(c, "retired", p->retired[i].id, "since", p->retired[i].since,
		           LINE(c, "retired[%u].since", i));
}

int pack_check(const struct pack *p, struct err *err)
{
	struct pack_checker c = { .p = p, .err = err };

	check_header(&c);
	check_sources(&c);
	check_stages(&c);
	check_entries(&c);
	check_nets(&c);
	check_retired(&c);
	free(c.sources.v);
	free(c.entries.v);
	return c.bad ? -1 : 0;
}
