/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's own events as records: without them an outage would look like a network without traffic. */
#include "base/clock.h"
#include "log/eve_private.h"

/* Records of exceptions and of client names identify clients. */
static const char *public_members(const struct own_record *r)
{
	static const struct {
		const char *begin, *instead;
	} rows[] = {
		{ "\"kind\":\"exception\"", "\"kind\":\"exception\",\"cut\":[\"made\",\"revoked\"]" },
		{ "\"kind\":\"client\"", "\"kind\":\"client\",\"cut\":[\"client\"]" },
	};

	for (size_t i = 0; r->privacy != PRIVACY_FULL && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strncmp(r->members, rows[i].begin, strlen(rows[i].begin)) == 0)
			return rows[i].instead;
	return r->members;
}

size_t eve_own_line(const struct own_record *r, char *out, size_t room)
{
	struct json j;
	const char *members;

	json_begin(&j, out, room);
	json_open(&j, NULL, '{');
	eve_put_time(&j, r->ts, r->identity);
	json_text(&j, "event_type", "nfqd");
	json_open(&j, "nfqd", '{');
	eve_put_identity(&j, r->identity, r->seq);
	members = public_members(r);
	json_members(&j, members, strlen(members));
	json_close(&j, '}');
	json_close(&j, '}');
	return json_finish(&j);
}
