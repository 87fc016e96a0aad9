/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of queries that were asked of this machine a moment ago. */
#include "log/relay.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/hash.h"

#define RELAY_WITHIN (2 * NS_PER_S)

void relay_init(struct relay *relay)
{
	memset(relay, 0, sizeof(*relay));
	if (getrandom(&relay->seed, sizeof(relay->seed), GRND_NONBLOCK) < 0)
		relay->seed = clock_now(); /* early in boot: better than a known one */
}

/* Threads hand their events over by turns, so the earlier query may carry the later time. */
static bool near(uint64_t a, uint64_t b)
{
	return a > b ? a - b <= RELAY_WITHIN : b - a <= RELAY_WITHIN;
}

bool relay_is(struct relay *relay, const struct event *e)
{
	uint64_t key;
	uint32_t i;

	if (e->app != APP_DNS || e->name.seen_in != SEEN_DNS_QUERY)
		return false;
	key = hash64(e->name.text, e->name.len, relay->seed ^ e->dns_type);
	i = hash_range(key, RELAY_SLOTS);
	if (e->ifin == 0 && !addr_is_loopback(&e->dst))
		return relay->slots[i].ts && relay->slots[i].key == key &&
		       near(relay->slots[i].ts, e->ts);
	if (action_blocks(e->decision.action))
		return false; /* answered here: there is nothing left to pass on */
	relay->slots[i].key = key;
	relay->slots[i].ts = e->ts;
	return false;
}
