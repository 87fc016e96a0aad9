/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks up the packs' exact names, a few at once, round after round; their addresses are watched until
 * the round after next. A name that does not answer is asked again in the next round.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/diag.h"
#include "resolver/resolve_private.h"

enum { AT_ONCE = 8, CLASS_IN = 1 };

static const int types[] = { 1, 28 }; /* A, AAAA */

#define TYPES (sizeof(types) / sizeof(types[0]))

int rounds_init(struct rounds *r, const struct resolver_in *in)
{
	*r = (struct rounds){ .in = in };
	if (!in->server)
		return 0;
	r->channel = resolver_channel(in);
	if (!r->channel || addr_parse(in->server, &r->server) < 0 ||
	    ares_set_servers_csv(r->channel, in->server) != ARES_SUCCESS)
		return -1;
	ruleset_open(&r->rs, in->rules);
	r->n = image_n(in->rules, RS_EXACT) * (uint32_t)TYPES;
	r->at = r->n;
	return 0;
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *reply, int len)
{
	struct rounds            *r = arg;
	const struct resolver_in *in = r->in;
	struct names              names = { .n = 0 };
	enum wire_err             err = WIRE_OK;
	struct wire               w;

	(void)timeouts;
	r->open--;
	if (status != ARES_SUCCESS || len <= 0)
		return;
	w = wire_of(span_of(reply, (size_t)len), &err, false);
	if (dns_answer_names(&w, &names) == WIRE_OK && names.n &&
	    watch_learn(in->watch, &r->rs, &names, &r->server, 2 * in->interval + in->jitter,
	                clock_now()))
		eventfd_write(in->learned, 1);
}

/* Sites do not all start at the same time, and a site not always at the same time. */
static void begin(struct rounds *r, uint64_t now)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		diag_debug("resolver", "no random number");
	random = r->in->jitter ? random % r->in->jitter : 0;
	r->next = now + (r->in->interval + (uint64_t)random) * NS_PER_S;
	r->at = 0;
	diag_debug("resolver", "looking up %u names", r->n / (unsigned)TYPES);
}

void rounds_go_on(struct rounds *r)
{
	const uint32_t *names;
	uint64_t        now = clock_now();

	if (!r->channel)
		return;
	names = image_at(r->in->rules, RS_EXACT);
	if (r->at == r->n && now >= r->next)
		begin(r, now);
	while (r->at < r->n && r->open < AT_ONCE) {
		const char *name = rs_text(&r->rs, names[r->at / TYPES]);

		r->open++;
		ares_query(r->channel, name, CLASS_IN, types[r->at++ % TYPES], on_answer, r);
	}
}
