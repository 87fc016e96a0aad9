/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks as nft sets: those for every port by address alone, those that a pack lists only for some ports
 * by address, protocol and port. What is only recorded is in sets of its own.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "match/ruleset.h"
#include "rules_export.h"

/* ---- holes --------------------------------------------------------------------------------- */

static bool port_meets(const char *a, const char *b)
{
	struct rs_port x, y;

	if (port_parse(a, &x) < 0 || port_parse(b, &y) < 0)
		return true;
	return (x.proto == y.proto || !x.proto || !y.proto) && x.first <= y.last && y.first <= x.last;
}

static bool ports_meet(const struct pack_net *a, const struct pack_net *b)
{
	for (unsigned i = 0; i < a->n_ports; i++)
		for (unsigned k = 0; k < b->n_ports; k++)
			if (port_meets(a->ports[i], b->ports[k]))
				return true;
	return a->n_ports == 0 || b->n_ports == 0;
}

static bool inside(const struct net *small, const struct net *big)
{
	return small->bits >= big->bits && net_has(big, &small->addr);
}

/* As in matching: a longer prefix counts for its own pack, an allow of any length for all packs. */
bool export_net_has_hole(const struct export_net *v, unsigned n, unsigned i)
{
	for (unsigned k = 0; k < n; k++) {
		bool allow = v[k].in->action == ENTRY_ALLOW;

		if (v[k].as != EXPORT_BLOCKED && inside(&v[k].net, &v[i].net) &&
		    (allow || (v[k].pack == v[i].pack && v[k].net.bits > v[i].net.bits)) &&
		    ports_meet(v[k].in, v[i].in))
			return true;
	}
	return false;
}

/* ---- nft ----------------------------------------------------------------------------------- */

struct element {
	const struct net *net;
	const char       *cidr;
	struct rs_port    port; /* proto 0: all protocols and ports */
};

struct elements {
	struct element *v;
	unsigned        n, room;
	bool            failed; /* no memory */
};

static void push(struct elements *e, const struct element *one)
{
	if (e->n == e->room) {
		unsigned        room = e->room * 2 + 64;
		struct element *v = realloc(e->v, room * sizeof(*v));

		e->failed |= !v;
		if (!v)
			return;
		e->v = v;
		e->room = room;
	}
	e->v[e->n++] = *one;
}

/* Such a set may not hold two elements that overlap. Wider networks come first, so the new one always
 * gives way: its ports that are still free are added, one range after the other. */
static void add(struct elements *e, struct element one)
{
	uint32_t last = one.port.last;
	unsigned n = e->n;

	for (uint32_t at = one.port.first; at <= last;) {
		const struct rs_port *next = NULL;

		for (unsigned i = 0; i < n; i++)
			if (e->v[i].port.proto == one.port.proto && inside(one.net, e->v[i].net) &&
			    e->v[i].port.last >= at && (!next || e->v[i].port.first < next->first))
				next = &e->v[i].port;
		if (next && next->first <= at) {
			at = next->last + 1U;
			continue;
		}
		one.port.first = (uint16_t)at;
		one.port.last = (uint16_t)(next && next->first <= last ? next->first - 1U : last);
		at = one.port.last + 1U;
		push(e, &one);
	}
}

static void add_port(struct elements *e, const struct export_net *net, const char *text)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct rs_port       port;

	if (port_parse(text, &port) < 0)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (!port.proto || port.proto == protos[i])
			add(e, (struct element){ &net->net, net->in->cidr,
			                         { port.first, port.last, protos[i] } });
}

static void write_element(FILE *f, const struct element *e, bool first)
{
	fprintf(f, "%s%s", first ? "\t\telements = {\n\t\t\t" : ",\n\t\t\t", e->cidr);
	if (!e->port.proto)
		return;
	fprintf(f, " . %s . %u", e->port.proto == IPPROTO_TCP ? "tcp" : "udp", e->port.first);
	if (e->port.last != e->port.first)
		fprintf(f, "-%u", e->port.last);
}

static void write_set(FILE *f, const char *name, bool v6, bool ports, const struct elements *e)
{
	fprintf(f, "\tset %s%c%s {\n\t\ttype ipv%c_addr%s\n\t\tflags interval\n%s", name, v6 ? '6' : '4',
	        ports ? "_ports" : "", v6 ? '6' : '4', ports ? " . inet_proto . inet_service" : "",
	        ports ? "" : "\t\tauto-merge\n");
	for (unsigned i = 0; i < e->n; i++)
		write_element(f, &e->v[i], i == 0);
	fprintf(f, "%s\t}\n", e->n ? "\n\t\t}\n" : "");
}

static int wider_first(const void *va, const void *vb)
{
	const struct export_net *const *a = va, *const *b = vb;

	if ((*a)->net.bits != (*b)->net.bits)
		return (*a)->net.bits - (*b)->net.bits;
	return *a < *b ? -1 : *a > *b;
}

static void collect(struct elements *e, const struct export_net *net)
{
	if (net->in->n_ports == 0)
		add(e, (struct element){ &net->net, net->in->cidr, { 0, UINT16_MAX, 0 } });
	for (unsigned k = 0; k < net->in->n_ports; k++)
		add_port(e, net, net->in->ports[k]);
}

static void write_sets(FILE *f, const struct export_net *const *v, unsigned n, enum export_as as, bool v6,
                       struct elements *e)
{
	const char *name = as == EXPORT_BLOCKED ? "blocked" : "recorded";

	for (unsigned ports = 0; ports < 2; ports++) {
		e->n = 0;
		for (unsigned i = 0; i < n; i++)
			if (v[i]->as == as && (v[i]->net.addr.len == 16) == v6 &&
			    (v[i]->in->n_ports > 0) == ports)
				collect(e, v[i]);
		write_set(f, name, v6, ports, e);
	}
}

int export_nft(FILE *f, const struct export_net *v, unsigned n)
{
	const struct export_net **order = calloc(n + 1U, sizeof(const struct export_net *));
	struct elements           e = { .n = 0 };

	for (unsigned i = 0; order && i < n; i++)
		order[i] = &v[i];
	if (order)
		qsort(order, n, sizeof(const struct export_net *), wider_first);
	fputs("table inet nfqd_export {\n", f);
	for (unsigned v6 = 0; order && v6 < 2; v6++) {
		write_sets(f, order, n, EXPORT_BLOCKED, v6, &e);
		write_sets(f, order, n, EXPORT_RECORDED, v6, &e);
	}
	fputs("}\n", f);
	e.failed |= !order;
	free(e.v);
	free(order);
	return e.failed ? -1 : 0;
}
