/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of queries that clients sent to this machine within the last two seconds. */
#include "log/relay.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/hash.h"

enum { WITHIN_MS = 2000 };

void relay_init(struct relay *relay)
{
	memset(relay, 0, sizeof(*relay));
	if (getrandom(&relay->seed, sizeof(relay->seed), GRND_NONBLOCK) < 0)
		relay->seed = clock_now(); /* early in boot: better than a known seed */
}

bool relay_is(struct relay *relay, const struct event *e)
{
	uint32_t now = (uint32_t)(e->ts / NS_PER_MS);
	uint64_t key;
	int32_t  left;

	if (e->client.addr.len)
		return true;
	if (e->app != APP_DNS || e->name.seen_in != SEEN_DNS_QUERY)
		return false;
	key = hash64(e->name.text, e->name.len, relay->seed ^ e->dns_type);
	if (e->ifin == 0 && !addr_is_loopback(&e->dst)) {
		/* threads take turns in handing over their events: the earlier query may carry the later
		 * time */
		left = recent_left(&relay->asked, key, now);
		return left >= 0 && left <= 2 * WITHIN_MS;
	}
	if (!action_blocks(e->decision.action)) /* otherwise the query is answered here and not passed on */
		recent_put(&relay->asked, key, now + WITHIN_MS);
	return false;
}
