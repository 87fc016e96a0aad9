/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared memory of parent and worker. */
#include "shared/shared.h"

#include <stdio.h>
#include <sys/mman.h>

struct shared *shared_new(void)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	watch_init(&s->watch);
	return s;
}

void iface_set(struct shared *s, uint32_t index, const char *name)
{
	struct iface *at = NULL;

	for (unsigned i = 0; i < IFACES_MAX; i++) {
		if (s->ifaces[i].index == index) {
			at = &s->ifaces[i];
			break;
		}
		if (!at && s->ifaces[i].index == 0)
			at = &s->ifaces[i];
	}
	if (!at)
		return;
	at->index = 0;
	if (!name)
		return;
	snprintf(at->name, sizeof(at->name), "%s", name);
	at->index = index;
}

const char *iface_name(const struct shared *s, uint32_t index, char out[16])
{
	for (unsigned i = 0; index && i < IFACES_MAX; i++) {
		if (s->ifaces[i].index != index)
			continue;
		memcpy(out, s->ifaces[i].name, 16);
		out[15] = '\0';
		return s->ifaces[i].index == index ? out : NULL; /* changed while we read */
	}
	return NULL;
}
