/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which machine a record is about. One on-link MAC is one machine, whatever IPv4, IPv6 and temporary addresses it
 * has or had. A MAC that several machines share (a router's, a repeater's) is a hop: there each address is a
 * machine. A record shows that where it names its client by address though it has a MAC, and so do two IPv4
 * addresses of one MAC that take turns. Each decision is kept with its reason, and a person's stays (pinned).
 */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "sightings/sightings_private.h"

#define TURNS_US  (INT64_C(3600) * US_PER_S)     /* DHCP gives no address back and forth within an hour */
#define RANDOM_US (4 * INT64_C(3600) * US_PER_S) /* nor soon to another machine */

#define REASON_FIRST  "first seen"
#define REASON_MAC    "the same on-link MAC"
#define REASON_RANDOM "random MACs with the same address, within four hours"
#define REASON_HOP    "told by address: its MAC is shared"

struct key {
	char mac[MAC_TEXT], address[64];
	bool by_address; /* the record does not tell it by its MAC */
	bool v4, random;
};

static bool is_random(const char *mac)
{
	uint8_t b[6];

	return mac_parse(mac, b) == 0 && (b[0] & 2);
}

/* 2001:db8:1:2::/64 */
static void network_of(const struct addr *a, char *out, size_t room)
{
	struct addr net = *a;
	char        text[ADDR_TEXT];

	memset(net.b + 8, 0, 8);
	addr_text(&net, text);
	snprintf(out, room, "%s/64", text);
}

static bool is_hop(struct sightings *s, const char *sensor, const char *mac)
{
	return *mac && sql_number(s, 0, "SELECT 1 FROM hop WHERE sensor = ? AND mac = ?", "tt", sensor, mac);
}

static struct key key_of(struct sightings *s, const struct sighting *one)
{
	struct key  k = { .by_address = strncmp(one->client, "mac:", 4) != 0 };
	struct addr a;

	if (strncmp(one->client, "hash:", 5) == 0) {
		snprintf(k.address, sizeof(k.address), "%s", one->client);
		return k;
	}
	if (!*one->mac && !*one->iface && strcmp(one->source, "queue") == 0) {
		snprintf(k.address, sizeof(k.address), "this-machine");
		return k;
	}
	snprintf(k.mac, sizeof(k.mac), "%s", one->mac);
	k.random = is_random(k.mac);
	k.v4 = addr_parse(one->address, &a) == 0 && a.len == 4;
	if (a.len == 16 && *k.mac && !k.by_address && !is_hop(s, one->sensor, k.mac))
		network_of(&a, k.address, sizeof(k.address));
	else
		snprintf(k.address, sizeof(k.address), "%s", one->address);
	return k;
}

/* ---- joining ------------------------------------------------------------------------------- */

/* Gives the sources of a machine that has lost its founder the lowest number of theirs. */
static void refound(struct sightings *s, int64_t machine)
{
	sql_do(s, "UPDATE source SET machine = (SELECT min(id) FROM source WHERE machine = ?1) WHERE machine = ?1", "i",
	       machine);
}

static void join(struct sightings *s, int64_t source, int64_t machine, const char *reason)
{
	sql_do(s, "UPDATE source SET machine = ?, reason = ? WHERE id = ?", "iti", machine, reason, source);
	refound(s, machine);
}

/* From now on, and for what is there, each address of this MAC is a machine. */
static void make_hop(struct sightings *s, const char *sensor, const char *mac, const char *reason)
{
	if (is_hop(s, sensor, mac))
		return;
	sql_do(s, "INSERT INTO hop VALUES (?, ?, ?)", "ttt", sensor, mac, reason);
	sql_do(s, "UPDATE source SET machine = id, reason = '" REASON_HOP "' WHERE sensor = ? AND mac = ? AND NOT pinned",
	       "tt", sensor, mac);
}

static void place_new(struct sightings *s, int64_t source, const struct sighting *one, const struct key *k)
{
	int64_t other = 0;

	if (is_hop(s, one->sensor, k->mac)) {
		join(s, source, source, REASON_HOP);
		return;
	}
	if (*k->mac)
		other = sql_number(s, 0, "SELECT min(machine) FROM source WHERE sensor = ? AND mac = ? AND id <> ?"
		                         " AND NOT pinned", "tti", one->sensor, k->mac, source);
	if (other) {
		join(s, source, other, REASON_MAC);
		return;
	}
	if (k->random && k->v4)
		other = sql_number(s, 0, "SELECT max(source.machine) FROM source LEFT JOIN hop USING (sensor, mac)"
		                         " WHERE source.sensor = ?1 AND source.address = ?2 AND source.id <> ?3"
		                         " AND substr(source.mac, 2, 1) IN ('2', '3', '6', '7', 'a', 'b', 'e', 'f')"
		                         " AND hop.mac IS NULL AND last >= ?4", "ttii", one->sensor, k->address, source,
		                   one->at - RANDOM_US);
	if (other)
		join(s, source, other, REASON_RANDOM);
}

/* Did another address of this MAC call since this one called last, a moment ago? */
static void look_for_turns(struct sightings *s, int64_t source, const struct sighting *one, const struct key *k)
{
	int64_t before = sql_number(s, 0, "SELECT last FROM source WHERE id = ?", "i", source);

	if (before >= one->at - TURNS_US &&
	    sql_number(s, 0, "SELECT 1 FROM source WHERE sensor = ? AND mac = ? AND id <> ? AND last > ?"
	                     " AND address NOT LIKE '%/64' AND NOT pinned LIMIT 1",
	               "ttii", one->sensor, k->mac, source, before))
		make_hop(s, one->sensor, k->mac, "several addresses at once");
}

static int64_t make(struct sightings *s, const struct sighting *one, const struct key *k)
{
	int64_t id;

	sql_do(s, "INSERT INTO source (sensor, mac, address, machine, reason, pinned, iface, host, latest, first, last)"
	          " VALUES (?, ?, ?, 0, '" REASON_FIRST "', 0, ?, ?, ?, ?, ?)", "ttttttii", one->sensor, k->mac, k->address,
	       one->iface, one->host, one->address, one->at, one->at);
	id = sqlite3_last_insert_rowid(s->db);
	sql_do(s, "UPDATE source SET machine = id WHERE id = ?", "i", id);
	place_new(s, id, one, k);
	return id;
}

int64_t machine_source(struct sightings *s, const struct sighting *one)
{
	struct key k = key_of(s, one);
	int64_t    id;

	if (k.by_address && *k.mac)
		make_hop(s, one->sensor, k.mac, "not on-link, or forwards for others");
	id = sql_number(s, 0, "SELECT id FROM source WHERE sensor = ? AND mac = ? AND address = ?", "ttt", one->sensor, k.mac,
	                k.address);
	if (!id)
		return make(s, one, &k);
	if (k.v4 && *k.mac && !k.by_address)
		look_for_turns(s, id, one, &k);
	sql_do(s, "UPDATE source SET first = min(first, ?1), last = max(last, ?1), latest = ?2 WHERE id = ?3", "iti", one->at,
	       one->address, id);
	return id;
}

/* ---- names --------------------------------------------------------------------------------- */

/* Of machines that were split from one MAC, the first keeps its name. */
void machine_id(struct sightings *s, int64_t machine, char *out, size_t room)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT mac, CASE WHEN address LIKE '%/64' THEN latest ELSE address END,"
	                              " EXISTS (SELECT 1 FROM hop WHERE hop.mac = source.mac AND hop.sensor = source.sensor) OR"
	                              " EXISTS (SELECT 1 FROM source AS o WHERE o.mac = source.mac AND o.machine < source.machine)"
	                              " FROM source WHERE id = ?", "i", machine);

	snprintf(out, room, "-");
	while (sql_row(s, q)) {
		const char *mac = sql_text(q, 0), *address = sql_text(q, 1);

		if (*mac && !sql_int(q, 2))
			snprintf(out, room, "mac:%s", mac);
		else if (strncmp(address, "hash:", 5) == 0 || strcmp(address, "this-machine") == 0)
			snprintf(out, room, "%s", address);
		else
			snprintf(out, room, "ip:%s", address);
	}
}

/* The machines that fit a MAC, an address, or a name, in that order. */
static int64_t find(struct sightings *s, const char *id, int64_t *n)
{
	static const char *const ways[] = {
		"SELECT count(DISTINCT sensor), min(machine) FROM source LEFT JOIN hop USING (sensor, mac)"
		" WHERE source.mac = ? AND hop.mac IS NULL",
		"SELECT count(DISTINCT machine), min(machine) FROM source WHERE address = ?1 OR latest = ?1",
		"SELECT count(DISTINCT machine), min(machine) FROM source JOIN label ON label.key IN (source.mac, source.address,"
		" source.latest) WHERE label.key <> '' AND (name = ?1 COLLATE NOCASE OR name LIKE ?1 || '.%')",
	};
	int64_t machine = 0;

	*n = 0;
	for (unsigned i = 0; *n == 0 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		sqlite3_stmt *q = sql_bind(s, ways[i], "t", id);

		while (sql_row(s, q)) {
			*n = sql_int(q, 0);
			machine = sql_int(q, 1);
		}
	}
	return machine;
}

/* Of the machines that share an address or a MAC, the one whose id this is; 0: none, or several. */
static int64_t by_id(struct sightings *s, const char *id, const char *bare)
{
	sqlite3_stmt *q = sql_bind(s, "SELECT DISTINCT machine FROM source WHERE mac = ?1 OR address = ?1 OR latest = ?1", "t",
	                           bare);
	int64_t       found = 0, n = 0;
	char          text[96];

	while (sql_row(s, q)) {
		int64_t machine = sql_int(q, 0);

		machine_id(s, machine, text, sizeof(text));
		if (strcmp(text, id) == 0) {
			found = machine;
			n++;
		}
	}
	return n == 1 ? found : 0;
}

int64_t machine_find(struct sightings *s, const char *id, struct err *err)
{
	const char *bare = strncmp(id, "mac:", 4) == 0 ? id + 4 : strncmp(id, "ip:", 3) == 0 ? id + 3 : id;
	int64_t     n, machine = find(s, bare, &n);

	if (n > 1 && (machine = by_id(s, id, bare)) > 0)
		n = 1;
	if (n == 1)
		return machine;
	if (s->problem[0])
		err_set(err, "%s", s->problem);
	else if (n)
		err_set(err, "'%s' fits %lld machines: name one by its id (nfqctl hosts)", id, (long long)n);
	else
		err_set(err, "no machine has the id, address, MAC or name '%s' (nfqctl hosts lists them)", id);
	return 0;
}
