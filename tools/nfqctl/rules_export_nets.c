/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks as sets of nft: those for every port by address alone, those that a pack lists for some ports
 * only by address, protocol and port. What is only recorded stands in sets of its own.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "match/ruleset.h"
#include "rules_export.h"

/* ---- holes --------------------------------------------------------------------------------- */

static bool port_meets(const char *a, const char *b)
{
	uint32_t x = 0, y = 0;

	if (port_parse(a, &x) < 0 || port_parse(b, &y) < 0)
		return true;
	return (x >> 16 == y >> 16 || !(x >> 16) || !(y >> 16)) &&
	       ((x & 0xffff) == (y & 0xffff) || !(x & 0xffff) || !(y & 0xffff));
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

/* As matching has it: a longer prefix speaks for its own pack, an allow of any length for all. */
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
	uint8_t           proto;
	uint16_t          port; /* 0: all */
};

static bool covers(const struct element *a, const struct element *b)
{
	return inside(b->net, a->net) && a->proto == b->proto && (a->port == b->port || a->port == 0);
}

/* Such a set takes no element inside another one. */
static void add(struct element *v, unsigned *n, const struct element *e)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *n; i++)
		if (covers(&v[i], e))
			return;
	for (unsigned i = 0; i < *n; i++)
		if (!covers(e, &v[i]))
			v[kept++] = v[i];
	v[kept++] = *e;
	*n = kept;
}

static void add_port(struct element *v, unsigned *n, const struct export_net *net, const char *text)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	uint32_t             port = 0;

	if (port_parse(text, &port) < 0)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (!(port >> 16) || port >> 16 == protos[i])
			add(v, n, &(struct element){ &net->net, net->in->cidr, protos[i], (uint16_t)port });
}

static void write_element(FILE *f, const struct element *e, bool first)
{
	fprintf(f, "%s%s", first ? "\t\telements = {\n\t\t\t" : ",\n\t\t\t", e->cidr);
	if (!e->proto)
		return;
	fprintf(f, " . %s . %u%s", e->proto == IPPROTO_TCP ? "tcp" : "udp", e->port,
	        e->port ? "" : "-65535");
}

static void write_set(FILE *f, const char *name, bool v6, bool ports, const struct element *v, unsigned n)
{
	fprintf(f, "\tset %s%c%s {\n\t\ttype ipv%c_addr%s\n\t\tflags interval\n%s", name, v6 ? '6' : '4',
	        ports ? "_ports" : "", v6 ? '6' : '4', ports ? " . inet_proto . inet_service" : "",
	        ports ? "" : "\t\tauto-merge\n");
	for (unsigned i = 0; i < n; i++)
		write_element(f, &v[i], i == 0);
	fprintf(f, "%s\t}\n", n ? "\n\t\t}\n" : "");
}

static void write_sets(FILE *f, const struct export_net *v, unsigned n, enum export_as as, bool v6,
                       struct element *room)
{
	const char *name = as == EXPORT_BLOCKED ? "blocked" : "recorded";

	for (unsigned ports = 0; ports < 2; ports++) {
		unsigned many = 0;

		for (unsigned i = 0; i < n; i++) {
			if (v[i].as != as || (v[i].net.addr.len == 16) != v6 ||
			    (v[i].in->n_ports > 0) != ports)
				continue;
			if (!ports)
				room[many++] = (struct element){ &v[i].net, v[i].in->cidr, 0, 0 };
			for (unsigned k = 0; k < v[i].in->n_ports; k++)
				add_port(room, &many, &v[i], v[i].in->ports[k]);
		}
		write_set(f, name, v6, ports, room, many);
	}
}

void export_nft(FILE *f, const struct export_net *v, unsigned n)
{
	unsigned        most = n;
	struct element *room;

	for (unsigned i = 0; i < n; i++)
		most += 2 * v[i].in->n_ports;
	room = calloc(most + 1U, sizeof(*room));
	fputs("table inet nfqd_export {\n", f);
	for (unsigned v6 = 0; room && v6 < 2; v6++) {
		write_sets(f, v, n, EXPORT_BLOCKED, v6, room);
		write_sets(f, v, n, EXPORT_RECORDED, v6, room);
	}
	fputs("}\n", f);
	free(room);
}
