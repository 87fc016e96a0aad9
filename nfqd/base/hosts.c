/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One slot for each client, at the place that its address hashes to. */
#include "base/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"

enum { ASK_AGAIN_S = 600 };

static uint32_t slot_of(const struct hosts *h, const struct addr *a)
{
	return hash_range(hash64(a, sizeof(*a), h->seed), HOST_SLOTS);
}

/* A copy of a slot that was not written meanwhile. */
static bool read_slot(const struct host *from, struct host *to)
{
	uint32_t version;

	if (!seqlock_read(&from->lock, &version))
		return false;
	to->addr = from->addr;
	to->asked = from->asked;
	memcpy(to->name, from->name, sizeof(to->name));
	to->name[sizeof(to->name) - 1] = '\0';
	return !seqlock_changed(&from->lock, version);
}

bool host_known(const struct hosts *h, const struct addr *a, char out[static HOST_NAME_MAX_LEN])
{
	struct host copy;

	if (!read_slot(&h->slots[slot_of(h, a)], &copy) || !addr_eq(&copy.addr, a) || !copy.name[0])
		return false;
	memcpy(out, copy.name, HOST_NAME_MAX_LEN);
	return true;
}

const char *host_name(const struct hosts *h, int ask, const struct addr *a, uint64_t now,
                      char out[static HOST_NAME_MAX_LEN])
{
	struct host copy;

	if (ask < 0 || !read_slot(&h->slots[slot_of(h, a)], &copy))
		return NULL;
	if (!addr_eq(&copy.addr, a) || now > copy.asked + ASK_AGAIN_S * NS_PER_S) {
		if (write(ask, a, sizeof(*a)) < 0 && errno != EAGAIN)
			return NULL; /* full, or without a reader: a later record asks again */
	}
	if (!addr_eq(&copy.addr, a) || !copy.name[0])
		return NULL;
	memcpy(out, copy.name, HOST_NAME_MAX_LEN);
	return out;
}

bool host_is_asked(const struct hosts *h, const struct addr *a, uint64_t now)
{
	const struct host *s = &h->slots[slot_of(h, a)];

	return addr_eq(&s->addr, a) && now < s->asked + ASK_AGAIN_S * NS_PER_S;
}

void host_put(struct hosts *h, const struct addr *a, const char *name, uint64_t now)
{
	struct host *s = &h->slots[slot_of(h, a)];

	if (!seqlock_write(&s->lock))
		return;
	s->addr = *a;
	s->asked = now;
	snprintf(s->name, sizeof(s->name), "%s", name);
	seqlock_written(&s->lock);
}
