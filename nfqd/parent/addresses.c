/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses that the kernel is told, so that no protocol reaches them unseen. */
#include <netinet/in.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/steered.h"
#include "parent/parent_private.h"

/* Every TCP port is queued, and some of UDP. */
static bool is_queued(uint32_t port)
{
	return port >> 16 == IPPROTO_TCP || udp_port_is_queued((uint16_t)port);
}

/* Is all of a network for UDP, or for protocols that have no ports? */
static bool has_all_ports(const struct ruleset *rs, const struct rs_net *n)
{
	struct list ports = rs->rules[n->rule].ports;
	bool        all = ports.n == 0;

	for (uint32_t i = 0; i < ports.n; i++)
		all |= rs->list[ports.first + i] == IPPROTO_UDP << 16;
	return all;
}

/* One that lies in another with the same port is steered with that. */
static bool is_covered(const struct ruleset *rs, const struct rs_net *nets, const struct rs_net *n,
                       uint16_t port)
{
	for (uint32_t i = n->wider; i; i = nets[i - 1].wider)
		if (rs->rules[nets[i - 1].rule].ports.n &&
		    ports_have(rs, rs->rules[nets[i - 1].rule].ports, IPPROTO_UDP, port))
			return true;
	return false;
}

static void steer_net(struct steer_set *set, const struct ruleset *rs, const struct rs_net *nets,
                      const struct rs_net *n)
{
	struct list ports = rs->rules[n->rule].ports;

	if (has_all_ports(rs, n)) {
		steer_set_add(set, &n->net, 0);
		return;
	}
	for (uint32_t i = 0; i < ports.n; i++) {
		uint32_t port = rs->list[ports.first + i];

		if (!is_queued(port) && !is_covered(rs, nets, n, (uint16_t)port))
			steer_set_add_port(set, &n->net, (uint16_t)port);
	}
}

int parent_steer_nets(struct parent *p, struct err *err)
{
	struct steer_set    *set;
	struct ruleset       rs;
	const struct rs_net *nets;

	if (!p->steer)
		return 0;
	set = steer_set_begin(p->steer, false);
	if (!set)
		return err_set(err, "out of memory");
	ruleset_open(&rs, p->img);
	nets = image_at(p->img, RS_NET);
	for (uint32_t i = 0; i < image_n(p->img, RS_NET); i++)
		steer_net(set, &rs, nets, &nets[i]);
	return steer_set_end(set, err);
}

static void steer_one_watched(void *set, const struct addr *a, uint32_t left)
{
	steer_set_add(set, &(struct net){ *a, (uint8_t)(a->len * 8) }, left + WATCH_MIN);
}

/* Somebody learned: the kernel gets the whole table anew. */
void parent_steer_watched(struct parent *p)
{
	struct steer_set *set;
	struct err        err = { .text = "out of memory" };
	eventfd_t         n;

	eventfd_read(p->learned, &n);
	if (!p->steer)
		return;
	set = steer_set_begin(p->steer, true);
	if (set)
		watch_each(&p->shared->watch, clock_now(), steer_one_watched, set);
	if (!set || steer_set_end(set, &err) < 0)
		diag_warn("steer", "watched addresses: %s", err.text);
}
