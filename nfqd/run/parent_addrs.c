/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses that the kernel is told, so that no protocol reaches them unseen. */
#include <netinet/in.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "run/parent_private.h"

/* What comes to the queue anyhow: every TCP port, and these. */
static bool is_queued_anyhow(uint32_t port)
{
	return port >> 16 == IPPROTO_TCP || port == (IPPROTO_UDP << 16 | 53) ||
	       port == (IPPROTO_UDP << 16 | 443) || port == (IPPROTO_UDP << 16 | 853);
}

static bool needs_steering(const struct ruleset *rs, struct list ports)
{
	bool anyhow = ports.n > 0;

	for (uint32_t i = 0; i < ports.n; i++)
		anyhow = anyhow && is_queued_anyhow(rs->list[ports.first + i]);
	return !anyhow;
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
		if (needs_steering(&rs, rs.rules[nets[i].rule].ports))
			steer_set_add(set, &nets[i].net, 0);
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
