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
	if (!at || !seqlock_write(&at->lock))
		return;
	snprintf(at->name, sizeof(at->name), "%s", name ? name : "");
	at->index = name ? index : 0;
	seqlock_written(&at->lock);
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
