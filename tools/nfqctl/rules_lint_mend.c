/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a pack that does not load compile, after everything that is wrong with it was reported: each value
 * that cannot be read becomes a harmless one. So its own tests run, and the rest of it is checked against
 * never.yaml, too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "match/pattern.h"
#include "match/ruleset.h"
#include "rules_lint.h"

/* Replaces a value; without memory the old one stays, and the pack does not compile. */
static void take(char **value, const char *other)
{
	char *copy = strdup(other);

	if (!copy)
		return;
	free(*value);
	*value = copy;
}

static void mend_names(char **names, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct err     unused = { .text = "" };
		struct pattern p;

		if (pattern_parse(&p, names[i], &unused) < 0)
			take(&names[i], "unreadable.invalid");
	}
}

static void mend_ports(char **ports, unsigned n)
{
	struct rs_port port;

	for (unsigned i = 0; i < n; i++)
		if (port_parse(ports[i], &port) < 0)
			take(&ports[i], "tcp/1");
}

static void mend_date(char **date)
{
	int64_t s;

	if (*date && clock_parse(*date, &s) < 0)
		take(date, "1970-01-01");
}

static void mend_cidr(char **cidr)
{
	struct net net;

	if (net_parse(*cidr, &net) < 0)
		take(cidr, "192.0.2.1/32");
}

void lint_mend(struct pack *p)
{
	mend_date(&p->expires);
	for (unsigned i = 0; i < p->n_stages; i++)
		mend_date(&p->stages[i].from);
	for (unsigned i = 0; i < p->n_entries; i++) {
		mend_names(p->entries[i].names, p->entries[i].n_names);
		mend_ports(p->entries[i].ports, p->entries[i].n_ports);
		if (p->entries[i].names_file && !pack_names_file_ok(&p->entries[i])) {
			free(p->entries[i].names_file);
			p->entries[i].names_file = NULL;
		}
	}
	for (unsigned i = 0; i < p->n_nets; i++) {
		mend_cidr(&p->nets[i].cidr);
		mend_ports(p->nets[i].ports, p->nets[i].n_ports);
	}
}
