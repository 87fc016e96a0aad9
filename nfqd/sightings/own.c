/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon's own records say of the time in which it watched: without that, an empty list of machines
 * proves nothing. Counters of a run only grow, so a day gets what they grew by.
 */
#include <string.h>

#include "sightings/sightings_private.h"

/* The counts here are kept in thousandths, so that parts of seconds are whole numbers. */

static void add(struct sightings *s, int64_t at, const char *key, double n)
{
	if (n > 0)
		sql_do(s, "INSERT INTO coverage VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET n = n + ?3", "iti", at / US_PER_DAY,
		       key, (int64_t)(n * THOUSANDTHS + 0.5));
}

static double running(struct sightings *s, const struct sighting *one, const char *key)
{
	return (double)sql_number(s, 0, "SELECT n FROM running WHERE sensor = ? AND boot = ? AND key = ?", "tit", one->sensor,
	                          one->boot, key) / THOUSANDTHS;
}

static void set_running(struct sightings *s, const struct sighting *one, const char *key, double now)
{
	sql_do(s, "INSERT INTO running VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET n = ?4", "titi", one->sensor, one->boot,
	       key, (int64_t)(now * THOUSANDTHS + 0.5));
}

static void grow(struct sightings *s, const struct sighting *one, const char *key, double now)
{
	double before = running(s, one, key);

	if (now <= before)
		return;
	add(s, one->at, key, now - before);
	set_running(s, one, key, now);
}

/* The record as it was, for the report; of a day's many only what is rare is kept. */
static void keep(struct sightings *s, const struct sighting *one, const char *note)
{
	sql_do(s, "INSERT OR IGNORE INTO own VALUES (?, ?, ?, ?, ?, ?)", "itiitt", one->at, one->sensor, one->boot, one->seq,
	       one->own, note);
}

static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value ? value : "";
}

static void take_stats(struct sightings *s, const struct sighting *one, const json_t *own)
{
	const char *reason;
	json_t     *n;
	char        key[64];

	json_object_foreach(json_object_get(own, "uninspected"), reason, n) {
		snprintf(key, sizeof(key), "uninspected.%s", reason);
		grow(s, one, key, json_number_value(n));
	}
	grow(s, one, "fail_open_s", json_number_value(json_object_get(own, "fail_open_s")));
	grow(s, one, "watched_s", json_number_value(json_object_get(own, "uptime_s")));
	grow(s, one, "records_lost", json_number_value(json_object_get(json_object_get(own, "log"), "lost")));
}

static void take_start(struct sightings *s, const struct sighting *one, const json_t *own)
{
	const json_t *last = json_object_get(own, "last"), *pack;
	char          note[128];
	size_t        i;

	json_array_foreach(json_object_get(own, "packs"), i, pack)
		sql_do(s, "INSERT INTO meta VALUES ('pack.' || ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", "tt",
		       text(pack, "pack"), text(pack, "version"));
	add(s, one->at, "uninspected.while_down", json_number_value(json_object_get(own, "uninspected_while_down")));
	snprintf(note, sizeof(note), "nfqd %s, mode %s%s", text(own, "version"), text(own, "mode"),
	         json_is_false(json_object_get(last, "stopped")) ? "; the run before was killed" : "");
	keep(s, one, note);
}

static void take_heartbeat(struct sightings *s, const struct sighting *one, const json_t *own)
{
	const char *state = text(own, "state");

	add(s, one->at, "heartbeats", 1);
	if (strcmp(state, "refused") == 0)
		return;
	add(s, one->at, "heartbeats_missed", 1);
	keep(s, one, state);
}

static void take_gap(struct sightings *s, const struct sighting *one, const json_t *own)
{
	double from = json_number_value(json_object_get(own, "from")), to = json_number_value(json_object_get(own, "to"));

	add(s, one->at, "gaps", 1);
	if (to >= from && from > 0)
		add(s, one->at, "gap_records", to - from + 1);
	keep(s, one, text(own, *text(own, "why") ? "why" : "reason"));
}

static void take_checkpoint(struct sightings *s, const struct sighting *one, const json_t *own)
{
	sql_do(s, "INSERT INTO meta VALUES ('checkpoint', ?) ON CONFLICT DO UPDATE SET value = excluded.value", "t",
	       text(own, "note"));
	sql_do(s, "INSERT INTO meta VALUES ('checkpoint_at', ?) ON CONFLICT DO UPDATE SET value = excluded.value", "i", one->at);
}

static void take_mode(struct sightings *s, const struct sighting *one, const json_t *own)
{
	char note[128];

	snprintf(note, sizeof(note), "%s%s%.64s", text(own, "mode"), *text(own, "by") ? " by " : "", text(own, "by"));
	keep(s, one, note);
}

static void take_exception(struct sightings *s, const struct sighting *one, const json_t *own)
{
	const json_t *made = json_object_get(own, "made");
	char          note[512];

	snprintf(note, sizeof(note), "%s %.64s%s%.255s by %.64s", text(own, "change"), text(own, "exception"), made ? ": " : "",
	         text(made, "name"), text(own, "by"));
	keep(s, one, note);
}

/* A sign-in, a correction: what, of whom, by whom. */
static void take_console(struct sightings *s, const struct sighting *one, const json_t *own)
{
	char note[512];

	snprintf(note, sizeof(note), "%.16s %.96s %.96s %.64s", text(own, "what"), text(own, *text(own, "user") ? "user" : "machine"),
	         text(own, *text(own, "from") ? "from" : "other"), text(own, "by"));
	keep(s, one, note);
}

/* A run that is killed writes no more statistics: what its faults took counts when each ends. */
static void take_fault(struct sightings *s, const struct sighting *one, const json_t *own)
{
	double sum = running(s, one, "faults_s") + json_number_value(json_object_get(own, "seconds"));

	keep(s, one, text(own, "state"));
	set_running(s, one, "faults_s", sum);
	grow(s, one, "fail_open_s", sum);
}

static void take_plain(struct sightings *s, const struct sighting *one, const json_t *own)
{
	(void)own;
	keep(s, one, "");
}

static const struct {
	const char *kind;
	void (*take)(struct sightings *s, const struct sighting *one, const json_t *own);
} kinds[] = {
	{ "stats", take_stats },         { "start", take_start },   { "heartbeat", take_heartbeat },
	{ "gap", take_gap },             { "stop", take_plain },    { "checkpoint", take_checkpoint },
	{ "mode", take_mode },           { "fault-policy", take_fault }, { "repair", take_plain },
	{ "exception", take_exception }, { "sign-in", take_console }, { "correction", take_console },
};

void own_take(struct sightings *s, const struct sighting *one)
{
	const json_t *own = json_object_get(one->json, "nfqd");

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].kind, one->own) == 0)
			kinds[i].take(s, one, own);
}
