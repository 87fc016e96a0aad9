/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person knows better: machines are split, joined, or forgotten. Such a decision stays (pinned). */
#include <string.h>

#include "base/addr.h"
#include "sightings/answer.h"

#define REASON_SPLIT "split by hand"
#define REASON_MERGE "merged by hand"

/* The source of a machine with this address, MAC, or an address in its network; 0: none. */
static int64_t source_of(struct sightings *s, int64_t machine, const char *address)
{
	struct addr a;
	char        net[64] = "", text[ADDR_TEXT];

	if (addr_parse(address, &a) == 0 && a.len == 16) {
		memset(a.b + 8, 0, 8);
		addr_text(&a, text);
		snprintf(net, sizeof(net), "%s/64", text);
	}
	return sql_number(s, 0, "SELECT id FROM source WHERE machine = ?1 AND (address = ?2 OR latest = ?2 OR address = ?3"
	                        " OR mac = ?2) ORDER BY address = ?2 DESC LIMIT 1", "itt", machine, address, net);
}

static json_t *done(struct sightings *s, const char *what, int64_t machine, struct err *err)
{
	json_t *o = answer_new();

	json_object_set_new(o, "done", json_string(what));
	answer_machine(s, machine, o);
	if (sightings_commit(s) < 0)
		err_set(err, "%s", s->problem);
	return answer_or(s, o, err);
}

json_t *sightings_split(struct sightings *s, const char *id, const char *address, struct err *err)
{
	int64_t machine, source;

	if (sightings_begin(s) < 0)
		return answer_or(s, NULL, err);
	machine = machine_find(s, id, err);
	source = machine ? source_of(s, machine, address) : 0;
	if (machine && !source)
		err_set(err, "'%s' is not an address or MAC of this machine (nfqctl host %s shows them)", address, id);
	if (source && sql_number(s, 0, "SELECT count(*) FROM source WHERE machine = ?", "i", machine) == 1) {
		err_set(err, "'%s' is all that this machine has: there is nothing to split", address);
		source = 0;
	}
	if (!source) {
		sightings_rollback(s);
		return NULL;
	}
	sql_do(s, "UPDATE source SET machine = id, pinned = 1, reason = '" REASON_SPLIT "' WHERE id = ?", "i", source);
	sql_do(s, "UPDATE source SET machine = (SELECT min(id) FROM source WHERE machine = ?1 AND id <> ?2)"
	          " WHERE machine = ?1 AND id <> ?2",
	       "ii", machine, source);
	return done(s, "split", source, err);
}

json_t *sightings_merge(struct sightings *s, const char *id, const char *other, struct err *err)
{
	int64_t machine, second, first;

	if (sightings_begin(s) < 0)
		return answer_or(s, NULL, err);
	machine = machine_find(s, id, err);
	second = machine ? machine_find(s, other, err) : 0;
	if (second && second == machine) {
		err_set(err, "'%s' and '%s' are one machine already", id, other);
		second = 0;
	}
	if (!second) {
		sightings_rollback(s);
		return NULL;
	}
	first = machine < second ? machine : second;
	sql_do(s, "UPDATE source SET pinned = 1, reason = '" REASON_MERGE "' WHERE machine = ?", "i", second);
	sql_do(s, "UPDATE source SET pinned = 1, machine = ?1 WHERE machine IN (?2, ?3)", "iii", first, machine, second);
	return done(s, "merged", first, err);
}

/* ---- forgetting ---------------------------------------------------------------------------- */

#define OF_FORGOTTEN " WHERE source IN (SELECT id FROM source WHERE machine = ?)"
#define SPAN(of) "(SELECT " of " / 86400000000 FROM source WHERE machine = ?1)"
#define ON_ITS_DAYS                                                                                                    \
	" WHERE (day, source) IN (SELECT d.day, source.id FROM (SELECT -1 AS day UNION ALL SELECT day FROM "           \
	DAYS(SPAN("min(first)"), SPAN("max(last)")) ") AS d CROSS JOIN source WHERE machine = ?1)"

void sightings_forget_machine(struct sightings *s, int64_t machine)
{
	sql_do(s, "DELETE FROM seen" ON_ITS_DAYS, "i", machine);
	sql_do(s, "DELETE FROM known" OF_FORGOTTEN, "i", machine);
	sql_do(s, "DELETE FROM called" ON_ITS_DAYS, "i", machine);
	sql_do(s, "DELETE FROM day" ON_ITS_DAYS, "i", machine);
	sql_do(s, "DELETE FROM habit" OF_FORGOTTEN, "i", machine);
	sql_do(s, "DELETE FROM label WHERE key IN (SELECT mac FROM source WHERE machine = ?1 UNION SELECT address FROM source"
	          " WHERE machine = ?1 UNION SELECT latest FROM source WHERE machine = ?1)", "i", machine);
	sql_do(s, "DELETE FROM source WHERE machine = ?", "i", machine);
}

json_t *sightings_forget(struct sightings *s, const char *id, struct err *err)
{
	int64_t machine;
	json_t *o;

	if (sightings_begin(s) < 0)
		return answer_or(s, NULL, err);
	machine = machine_find(s, id, err);
	if (!machine) {
		sightings_rollback(s);
		return NULL;
	}
	o = answer_new();
	json_object_set_new(o, "done", json_string("forgotten"));
	answer_machine(s, machine, o);
	sightings_forget_machine(s, machine);
	if (sightings_commit(s) < 0)
		err_set(err, "%s", s->problem);
	return answer_or(s, o, err);
}
