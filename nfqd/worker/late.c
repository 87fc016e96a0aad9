/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/late.h"

#include <stdio.h>

#include "base/clock.h"
#include "log/json.h"

enum { PATIENCE_S = 60, MEMBERS = 512 };

void late_add(struct late *l, const struct event *e, uint64_t seq)
{
	unsigned free_one = LATE_CLIENTS;

	for (unsigned i = 0; i < LATE_CLIENTS; i++) {
		if (addr_eq(&l->clients[i].addr, &e->src))
			return;
		if (l->clients[i].addr.len == 0)
			free_one = i;
	}
	if (free_one == LATE_CLIENTS) /* table full: this client's next record will have the name */
		return;
	l->clients[free_one].addr = e->src;
	l->clients[free_one].has_mac = e->has_mac && !e->mac_shared;
	memcpy(l->clients[free_one].mac, e->mac, sizeof(e->mac));
	l->clients[free_one].seq = seq;
	l->clients[free_one].ts = e->ts;
}

static void tell_one(const struct late *l, unsigned i, const char *name, struct sinks *sinks, uint64_t now)
{
	char        id[4 + ADDR_TEXT], address[ADDR_TEXT], mac[MAC_TEXT], members[MEMBERS];
	struct json j;
	size_t      n;

	addr_text(&l->clients[i].addr, address);
	snprintf(id, sizeof(id), "ip:%s", address);
	if (l->clients[i].has_mac) {
		mac_text(l->clients[i].mac, mac);
		snprintf(id, sizeof(id), "mac:%s", mac);
	}
	json_begin(&j, members, sizeof(members));
	json_open(&j, NULL, '{');
	json_text(&j, "kind", "client");
	json_open(&j, "client", '{');
	json_text(&j, "id", id);
	json_text(&j, "name", name);
	json_close(&j, '}');
	json_text(&j, "address", address);
	json_uint(&j, "of", l->clients[i].seq);
	json_close(&j, '}');
	n = json_finish(&j);
	if (n < 2)
		return;
	members[n - 1] = '\0'; /* without the braces */
	sinks_write_own(sinks, now, members + 1);
}

void late_tell(struct late *l, const struct hosts *hosts, struct sinks *sinks, uint64_t now)
{
	char name[HOST_NAME_MAX_LEN];

	for (unsigned i = 0; i < LATE_CLIENTS; i++) {
		if (l->clients[i].addr.len == 0)
			continue;
		if (host_known(hosts, &l->clients[i].addr, name))
			tell_one(l, i, name, sinks, now);
		else if (now < l->clients[i].ts + PATIENCE_S * NS_PER_S)
			continue;
		l->clients[i].addr.len = 0;
	}
}
