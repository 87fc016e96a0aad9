/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots with a bit per block of eight bytes, the unit of fragment offsets. */
#include "reassemble/fragment.h"

#include <stdlib.h>

#include "base/bounds.h"
#include "base/clock.h"

enum { SLOTS = BOUND_FRAGMENTED, WHOLE_MAX = 65536, BLOCKS = WHOLE_MAX / 8, LIFE_S = 30 };

struct slot {
	struct addr src, dst;
	uint32_t    id;
	uint8_t     proto;
	uint64_t    begun;  /* ns; 0: free */
	uint32_t    length; /* of the whole; 0: its last fragment has not come */
	uint64_t    have[BLOCKS / 64];
	uint8_t     data[WHOLE_MAX];
};

struct fragments {
	struct slot slots[SLOTS]; /* untouched ones cost nothing */
};

struct fragments *fragments_new(void)
{
	return calloc(1, sizeof(struct fragments));
}

void fragments_free(struct fragments *f)
{
	free(f);
}

static bool is_of(const struct slot *s, const struct packet *pkt, uint64_t now)
{
	return s->begun && now < s->begun + LIFE_S * NS_PER_S && s->id == pkt->fragment.id &&
	       s->proto == pkt->proto && addr_eq(&s->src, &pkt->src) && addr_eq(&s->dst, &pkt->dst);
}

static struct slot *slot_of(struct fragments *f, const struct packet *pkt, uint64_t now)
{
	struct slot *oldest = &f->slots[0];

	for (unsigned i = 0; i < SLOTS; i++) {
		if (is_of(&f->slots[i], pkt, now))
			return &f->slots[i];
		if (f->slots[i].begun < oldest->begun)
			oldest = &f->slots[i];
	}
	memset(oldest, 0, offsetof(struct slot, data));
	oldest->src = pkt->src;
	oldest->dst = pkt->dst;
	oldest->id = pkt->fragment.id;
	oldest->proto = pkt->proto;
	oldest->begun = now ? now : 1;
	return oldest;
}

static bool is_whole(const struct slot *s)
{
	uint32_t blocks = (s->length + 7) / 8;

	for (uint32_t i = 0; i < blocks; i++)
		if (!(s->have[i / 64] >> i % 64 & 1))
			return false;
	return s->length > 0;
}

bool fragments_add(struct fragments *f, const struct packet *pkt, uint64_t now, struct span *whole)
{
	struct span  bytes = pkt->payload;
	uint32_t     at = pkt->fragment.offset;
	struct slot *s;

	if (pkt->fragment.more) /* all but the last are whole blocks */
		bytes.n &= ~(size_t)7;
	if (bytes.n == 0 || at + bytes.n > WHOLE_MAX)
		return false;
	s = slot_of(f, pkt, now);
	if (!pkt->fragment.more && !s->length)
		s->length = at + (uint32_t)bytes.n;
	for (uint32_t i = 0; i < bytes.n; i += 8) {
		uint32_t block = (at + i) / 8;
		size_t   n = bytes.n - i < 8 ? bytes.n - i : 8;

		if (s->have[block / 64] >> block % 64 & 1)
			continue;
		s->have[block / 64] |= UINT64_C(1) << block % 64;
		memcpy(s->data + at + i, bytes.p + i, n);
	}
	if (!is_whole(s))
		return false;
	s->begun = 0;
	*whole = span_of(s->data, s->length);
	return true;
}
