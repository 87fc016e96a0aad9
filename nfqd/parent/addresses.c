/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses that the kernel always queues, so that no protocol reaches them uninspected. */
#include <netinet/in.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/nat64.h"
#include "base/steered.h"
#include "parent/parent_private.h"

enum { MANY_NETS = 256 }; /* fewer make few events */

/* ---- the IPv4 network, and what NAT64 makes of it ---- */

/* How many forms a network has: itself, and one for each prefix of translated addresses. */
static uint32_t forms(const struct ruleset *rs, const struct net *net)
{
	return net->addr.len == 4 ? 1 + image_n(rs->img, RS_NAT64) : 1;
}

static struct net form(const struct ruleset *rs, const struct net *net, uint32_t i)
{
	const struct net *prefixes = image_at(rs->img, RS_NAT64);

	return i == 0 ? *net : nat64_outside(&prefixes[i - 1], net);
}

static void add_net(struct steer_set *set, const struct ruleset *rs, const struct net *net,
                    uint32_t seconds)
{
	for (uint32_t i = 0; i < forms(rs, net); i++) {
		struct net one = form(rs, net, i);

		steer_set_add(set, &one, seconds);
	}
}

static void add_ports(struct steer_set *set, const struct ruleset *rs, const struct net *net,
                      uint16_t first, uint16_t last)
{
	for (uint32_t i = 0; i < forms(rs, net); i++) {
		struct net one = form(rs, net, i);

		steer_set_add_ports(set, &one, first, last);
	}
}

/* ---- networks ---- */

static bool is_udp(const struct rs_port *p)
{
	return p->proto == 0 || p->proto == IPPROTO_UDP;
}

/* Does all of a network count for UDP, or for protocols without ports? */
static bool has_all_ports(const struct ruleset *rs, const struct rs_net *n)
{
	struct list           ports = rs->rules[n->rule].ports;
	const struct rs_port *p = rs_port(rs, ports.first);
	bool                  all = ports.n == 0;

	for (uint32_t i = 0; i < ports.n; i++)
		all |= is_udp(&p[i]) && p[i].first <= 1 && p[i].last == UINT16_MAX;
	return all;
}

/* Ports that the kernel queues regardless of this network: the next range from a given port on. */
struct steered {
	uint32_t       from;
	struct rs_port next; /* first above last: there is none */
};

static void meet(struct steered *s, const struct rs_port *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (is_udp(&p[i]) && p[i].last >= s->from &&
		    (s->next.first > s->next.last || p[i].first < s->next.first))
			s->next = p[i];
}

/* Ports that are queued for every address, and those of networks around this one, and of this one's
 * list up to its item own. */
static struct steered steered_from(uint32_t from, const struct ruleset *rs, const struct rs_net *nets,
                                   const struct rs_net *n, uint32_t own)
{
	static const struct rs_port always[] = {
#define X(port) { port, port, IPPROTO_UDP },
		QUEUED_UDP_PORTS(X)
#undef X
	};
	struct steered s = { .from = from, .next = { .first = 1 } };
	struct list    ports = rs->rules[n->rule].ports;

	meet(&s, always, sizeof(always) / sizeof(always[0]));
	meet(&s, rs_port(rs, ports.first), own);
	for (uint32_t i = n->wider; i; i = nets[i - 1].wider) {
		ports = rs->rules[nets[i - 1].rule].ports;
		meet(&s, rs_port(rs, ports.first), ports.n);
	}
	return s;
}

/* Two ranges of one address may not overlap: writes what remains of a range when others are taken out. */
static void steer_ports(struct steer_set *set, const struct ruleset *rs, const struct rs_net *nets,
                        const struct rs_net *n, uint32_t own)
{
	struct rs_port want = *rs_port(rs, rs->rules[n->rule].ports.first + own);
	uint32_t       at = want.first;

	while (is_udp(&want) && at <= want.last) {
		struct steered s = steered_from(at, rs, nets, n, own);
		bool           more = s.next.first <= s.next.last && s.next.first <= want.last;
		uint32_t       end = more ? s.next.first : want.last + 1U;

		if (end > at)
			add_ports(set, rs, &n->net, (uint16_t)at, (uint16_t)(end - 1));
		at = more ? s.next.last + 1U : end;
	}
}

static void steer_net(struct steer_set *set, const struct ruleset *rs, const struct rs_net *nets,
                      const struct rs_net *n)
{
	if (has_all_ports(rs, n)) {
		add_net(set, rs, &n->net, 0);
		return;
	}
	for (uint32_t i = 0; i < rs->rules[n->rule].ports.n; i++)
		steer_ports(set, rs, nets, n, i);
}

int parent_steer_nets(struct parent *p, struct err *err)
{
	struct steer_set    *set;
	struct ruleset       rs;
	const struct rs_net *nets;
	bool                 many;
	int                  r;

	if (!p->steer)
		return 0;
	set = steer_set_begin(p->steer, false);
	if (!set)
		return err_set(err, "out of memory");
	ruleset_open(&rs, p->img);
	nets = image_at(p->img, RS_NET);
	for (uint32_t i = 0; i < image_n(p->img, RS_NET); i++)
		steer_net(set, &rs, nets, &nets[i]);
	many = image_n(p->img, RS_NET) > MANY_NETS;
	if (many)
		steer_events_listen(p->nft_events, false);
	r = steer_set_end(set, err);
	if (many) {
		steer_events_listen(p->nft_events, true);
		poller_set(&p->poller, &p->nft_look, 0);
	}
	return r;
}

/* ---- watched addresses ---- */

struct watching {
	struct steer_set *set;
	struct ruleset    rs;
};

static void steer_one_watched(void *ctx, const struct addr *a, uint32_t left)
{
	struct watching *w = ctx;

	add_net(w->set, &w->rs, &(struct net){ *a, (uint8_t)(a->len * 8) }, left + WATCH_MIN);
}

/* A packet thread or the resolver has learned an address: the kernel gets the whole table anew. */
void parent_steer_watched(struct parent *p)
{
	struct watching w;
	struct err      err = { .text = "out of memory" };
	eventfd_t       n;

	eventfd_read(p->learned, &n);
	if (!p->steer)
		return;
	ruleset_open(&w.rs, p->img);
	w.set = steer_set_begin(p->steer, true);
	if (w.set)
		watch_each(&p->shared->watch, clock_now(), steer_one_watched, &w);
	if (!w.set || steer_set_end(w.set, &err) < 0)
		diag_warn("steer", "watched addresses: %s", err.text);
}
