/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of watched addresses: sequence counters for readers, eight places per address. */
#include "match/watch.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/label_hash.h"

enum { PLACES = 8, MIN_EXTENSION = 30 /* seconds: smaller gains do not justify a set update */ };

void watch_init(struct watch *w)
{
	if (getrandom(&w->seed, sizeof(w->seed), GRND_NONBLOCK) < 0)
		w->seed = clock_now(); /* early in boot: better than a known seed */
	w->guarded = &w->own;
}

/* ---- slots --------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct watch *w, const struct addr *a)
{
	return hash64(a, sizeof(*a), w->seed);
}

/* Among the guarded ones, where a BPF program may have put it. */
static uint64_t guard_hash(const struct watch *w, const struct addr *a)
{
	uint64_t words[2];

	memcpy(words, a->b, sizeof(words));
	return addr_hash(w->seed, a->len, label_word(words[0]), label_word(words[1]));
}

static uint32_t place(uint64_t hash, unsigned i)
{
	return (hash_range(hash, WATCH_SLOTS) + i) % WATCH_SLOTS;
}

/* A copy of a slot that was not written meanwhile. */
static bool read_slot(const struct watched *from, struct watched *to)
{
	uint32_t version;

	if (!seqlock_read(&from->lock, &version))
		return false;
	to->until = from->until;
	to->addr = from->addr;
	to->name = from->name;
	return !seqlock_changed(&from->lock, version);
}

static void write_slot(struct watched *to, uint32_t until, const struct addr *a,
                       const struct name *name)
{
	if (!seqlock_write(&to->lock))
		return;
	to->until = until;
	to->addr = *a;
	to->name = *name;
	seqlock_written(&to->lock);
}

/* The address's slot and its content; if there is none, the slot to use for it, empty. */
static struct watched *find(struct watch *w, const struct addr *a, uint64_t hash, struct watched *is)
{
	struct watched *best = &w->slots[place(hash, 0)];
	uint32_t        first = UINT32_MAX;

	for (unsigned i = 0; i < PLACES; i++) {
		struct watched *s = &w->slots[place(hash, i)];

		if (!read_slot(s, is))
			continue;
		if (addr_eq(&is->addr, a))
			return s;
		if (is->until < first) {
			first = is->until;
			best = s;
		}
	}
	is->until = 0;
	return best;
}

/* ---- learning ------------------------------------------------------------------------------ */

/* Addresses that cannot be a vendor's server: sinkhole answers of blocking resolvers. */
static bool is_nowhere(const struct addr *a)
{
	static const struct net nets[] = {
		{ { 4, { 0 } }, 8 },            { { 4, { 127 } }, 8 },
		{ { 4, { 169, 254 } }, 16 },    { { 4, { 224 } }, 3 },
		{ { 16, { 0 } }, 127 },         { { 16, { 0xfe, 0x80 } }, 10 },
		{ { 16, { 0xff } }, 8 },
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (net_has(&nets[i], a))
			return true;
	return false;
}

/* A pack lists the name, and no matching entry is `shared` or `allow`. */
static bool is_watchable(const struct ruleset *rs, const struct name *name)
{
	struct match m;
	bool         listed = false;

	ruleset_match_name(rs, name, &m);
	for (unsigned i = 0; i < m.n; i++) {
		const struct rs_rule *r = &rs->rules[m.hits[i].rule];

		if (r->shared || (r->action == ENTRY_ALLOW && r->protects == PROTECTS_ALL))
			return false;
		listed |= r->action != ENTRY_ALLOW;
	}
	return listed;
}

static bool learn_one(struct watch *w, const struct addr *a, const struct name *name, uint32_t now,
                      uint32_t ttl)
{
	uint64_t        hash = hash_of(w, a);
	struct watched  is;
	struct watched *slot = find(w, a, hash, &is);

	if (!name) {
		recent_put(w->guarded, guard_hash(w, a), now + ttl);
		if (is.until)
			write_slot(slot, 0, a, &is.name);
		return false;
	}
	if (recent_has(w->guarded, guard_hash(w, a), now) || is.until >= now + ttl)
		return false;
	write_slot(slot, now + ttl, a, name);
	return is.until + MIN_EXTENSION < now + ttl;
}

bool watch_learn(struct watch *w, const struct ruleset *rs, const struct names *answer,
                 const struct addr *from, uint32_t at_least, uint64_t now)
{
	uint32_t seconds = (uint32_t)(now / NS_PER_S);
	bool     listed = answer->n > 0, news = false;

	for (unsigned i = 0; answer->dns.n_addrs && i < answer->n; i++)
		listed = listed && is_watchable(rs, &answer->v[i]);
	for (unsigned i = 0; i < answer->dns.n_addrs; i++) {
		const struct dns_address *a = &answer->dns.addrs[i];
		struct addr real = ruleset_real_addr(rs, &a->addr);
		uint32_t    ttl = a->ttl > WATCH_MAX ? WATCH_MAX : a->ttl;

		if (is_nowhere(&real) || addr_eq(&a->addr, from))
			continue; /* a blocking resolver's sinkhole, not a server */
		news |= learn_one(w, &real, listed ? &answer->v[0] : NULL, seconds,
		                  ttl < at_least ? at_least : ttl);
	}
	return news;
}

/* ---- asking -------------------------------------------------------------------------------- */

/* An entry's `ports` narrow what an address may stand for (never a name). */
static void keep_for_port(const struct ruleset *rs, uint8_t proto, uint16_t port, struct match *m)
{
	uint8_t kept = 0;

	for (unsigned i = 0; i < m->n; i++)
		if (ports_have(rs, rs->rules[m->hits[i].rule].ports, proto, port))
			m->hits[kept++] = m->hits[i];
	m->n = kept;
}

bool watch_match(const struct watch *w, const struct ruleset *rs, const struct addr *a, uint8_t proto,
                 uint16_t port, uint64_t now, struct name *learned_for, struct match *out)
{
	uint32_t       seconds = (uint32_t)(now / NS_PER_S);
	struct addr    real = ruleset_real_addr(rs, a);
	uint64_t       hash = hash_of(w, &real);
	struct watched is;

	for (unsigned i = 0; i < PLACES; i++) {
		if (!read_slot(&w->slots[place(hash, i)], &is) || !addr_eq(&is.addr, &real) ||
		    is.until < seconds)
			continue;
		if (recent_has(w->guarded, guard_hash(w, &real), seconds))
			return false;
		*learned_for = is.name;
		ruleset_match_name(rs, learned_for, out); /* the rules may have changed meanwhile */
		keep_for_port(rs, proto, port, out);
		return out->n > 0;
	}
	return false;
}

void watch_each(const struct watch *w, uint64_t now,
                void (*each)(void *ctx, const struct addr *a, uint32_t left), void *ctx)
{
	uint32_t       seconds = (uint32_t)(now / NS_PER_S);
	struct watched is;

	for (unsigned i = 0; i < WATCH_SLOTS; i++)
		if (read_slot(&w->slots[i], &is) && is.until > seconds && (is.addr.len == 4 || is.addr.len == 16))
			each(ctx, &is.addr, is.until - seconds);
}
