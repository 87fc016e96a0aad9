/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of errands: sequence counters for readers, eight places per key. */
#include "decide/errands.h"

#include "base/hash.h"

/* LAG_S: threads read the clock one after the other. */
enum { PLACES = 8, LAG_S = 1 };

uint64_t errand_key(uint64_t seed, const char *name, size_t len, uint16_t type)
{
	return hash64(name, len, seed ^ ((uint64_t)type << 32 | 1));
}

static struct errand_slot *place(const struct errands *t, uint64_t key, unsigned i)
{
	return (struct errand_slot *)&t->slots[(hash_range(key, ERRANDS_SLOTS) + i) % ERRANDS_SLOTS];
}

/* A copy of a slot that was not written meanwhile. */
static bool read_slot(const struct errand_slot *from, struct errand *to)
{
	uint32_t version;

	if (!seqlock_read(&from->lock, &version))
		return false;
	*to = from->is;
	return !seqlock_changed(&from->lock, version);
}

void errands_put(struct errands *t, const struct errand *e, uint32_t now)
{
	struct errand_slot *best = NULL;
	uint32_t            first = UINT32_MAX;
	bool                used = e->used;

	for (unsigned i = 0; i < PLACES; i++) {
		struct errand_slot *s = place(t, e->key, i);
		struct errand       is;

		if (!read_slot(s, &is))
			continue;
		if (is.key == e->key && is.until) {
			best = s;
			used |= is.used; /* its answer may be on the way */
			break;
		}
		if (is.until < now || is.until > now + ERRAND_WAIT_S + LAG_S)
			is.until = 0;
		if (is.until < first) {
			first = is.until;
			best = s;
		}
	}
	if (!best || !seqlock_write(&best->lock))
		return;
	best->is = *e;
	best->is.used = used;
	seqlock_written(&best->lock);
}

bool errands_get(const struct errands *t, uint64_t key, uint32_t since, uint32_t now, struct errand *out)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (read_slot(place(t, key, i), out) && out->key == key && out->until && out->until >= since &&
		    out->until <= now + ERRAND_WAIT_S + LAG_S)
			return true;
	return false;
}
