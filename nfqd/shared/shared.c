/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared memory of parent and worker. */
#include "shared/shared.h"

#include <stdio.h>
#include <sys/mman.h>

static void *shared_memory(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct shared *shared_new(void)
{
	struct shared *s = shared_memory(sizeof(*s));

	if (s)
		watch_init(&s->watch);
	return s;
}

struct queue_counts *shared_counts(void)
{
	return shared_memory(QUEUES_MAX * sizeof(struct queue_counts));
}

static bool has_link(const struct iface_link *links, unsigned n, uint32_t index)
{
	while (n > 0)
		if (links[--n].index == index)
			return true;
	return false;
}

/* The interface's slot, or a free one; NULL: there is no room. */
static struct iface *place_of(struct shared *s, uint32_t index)
{
	struct iface *empty = NULL;

	for (unsigned i = 0; i < IFACES_MAX; i++) {
		if (s->ifaces[i].index == index)
			return &s->ifaces[i];
		if (!empty && s->ifaces[i].index == 0)
			empty = &s->ifaces[i];
	}
	return empty;
}

static void write_iface(struct iface *at, uint32_t index, const char *name)
{
	if (!at || (at->index == index && strcmp(at->name, name) == 0) || !seqlock_write(&at->lock))
		return;
	snprintf(at->name, sizeof(at->name), "%s", name);
	at->index = index;
	seqlock_written(&at->lock);
}

void ifaces_replace(struct shared *s, const struct iface_link *links, unsigned n)
{
	for (unsigned i = 0; i < IFACES_MAX; i++)
		if (s->ifaces[i].index && !has_link(links, n, s->ifaces[i].index))
			write_iface(&s->ifaces[i], 0, "");
	for (unsigned i = 0; i < n; i++)
		write_iface(place_of(s, links[i].index), links[i].index, links[i].name);
}

const char *iface_name(const struct shared *s, uint32_t index, char out[16])
{
	for (unsigned i = 0; index && i < IFACES_MAX; i++) {
		const struct iface *at = &s->ifaces[i];
		uint32_t            version;

		if (at->index != index || !seqlock_read(&at->lock, &version))
			continue;
		memcpy(out, at->name, 16);
		out[15] = '\0';
		return at->index != index || seqlock_changed(&at->lock, version) ? NULL : out;
	}
	return NULL;
}
