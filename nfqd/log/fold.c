/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log/fold.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/hash.h"
#include "log/json.h"

void fold_init(struct fold *f, uint64_t window)
{
	f->window = window;
	if (getrandom(&f->seed, sizeof(f->seed), GRND_NONBLOCK) < 0)
		f->seed = clock_now(); /* early in boot: better than a known seed */
}

/* Name and client are not repeated: they are in the record that began the window. */
static void tell_one(struct fold_slot *s, uint64_t ts, fold_tell *tell, void *ctx)
{
	char        text[CLOCK_TEXT], members[FOLD_MEMBERS];
	struct json j;
	size_t      n;

	if (s->key && s->count) {
		json_begin(&j, members, sizeof(members));
		json_open(&j, NULL, '{');
		json_text(&j, "kind", "repeat");
		json_uint(&j, "of", s->seq);
		json_uint(&j, "count", s->count);
		clock_text_eve(s->first, text);
		json_text(&j, "first", text);
		clock_text_eve(s->last, text);
		json_text(&j, "last", text);
		json_close(&j, '}');
		n = json_finish(&j);
		if (n > 1) {
			members[n - 1] = '\0'; /* without the braces */
			tell(ctx, ts, members + 1);
		}
	}
	s->key = 0;
}

static uint64_t key_of(const struct fold *f, const struct event *e)
{
	struct {
		struct addr src, dst;
		uint64_t    name;
		uint16_t    dport, type;
		uint8_t     proto, seen_in, action, would;
	} what;

	memset(&what, 0, sizeof(what)); /* the padding is hashed, too */
	what.src = e->src;
	what.dst = e->dst;
	what.name = hash64(e->name.text, e->name.len, f->seed);
	what.dport = e->dport;
	what.type = e->dns_type;
	what.proto = e->proto;
	what.seen_in = e->name.seen_in;
	what.action = (uint8_t)e->decision.action;
	what.would = (uint8_t)e->decision.would;
	return hash64(&what, sizeof(what), f->seed) | 1;
}

struct fold_slot *fold_take(struct fold *f, const struct event *e, fold_tell *tell, void *ctx)
{
	uint64_t          key = key_of(f, e);
	struct fold_slot *s = &f->slots[hash_range(key, FOLD_SLOTS)];

	if (s->key == key && e->ts >= s->first && e->ts - s->first < f->window) {
		s->count++;
		s->last = e->ts;
		return NULL;
	}
	tell_one(s, e->ts, tell, ctx);
	*s = (struct fold_slot){ .key = key, .first = e->ts, .last = e->ts };
	return s;
}

void fold_end(struct fold *f, uint64_t now, bool all, fold_tell *tell, void *ctx)
{
	for (unsigned i = 0; i < FOLD_SLOTS; i++) {
		struct fold_slot *s = &f->slots[i];

		if (s->key && (all || now < s->first || now - s->first >= f->window))
			tell_one(s, now, tell, ctx);
	}
}
