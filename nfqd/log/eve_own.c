/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's own events as records: without them an outage would look like silence. */
#include "base/clock.h"
#include "log/eve_private.h"

size_t eve_own_line(const struct own_record *r, char *out, size_t room)
{
	struct json j;

	json_begin(&j, out, room);
	json_open(&j, NULL, '{');
	eve_put_time(&j, r->ts, r->identity);
	json_text(&j, "event_type", "nfqd");
	json_open(&j, "nfqd", '{');
	eve_put_identity(&j, r->identity, r->seq);
	json_members(&j, r->members, strlen(r->members));
	json_close(&j, '}');
	json_close(&j, '}');
	return json_finish(&j);
}
