/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One record as the inventory reads it: the facts of a listed name, a repeat of one, or something of the
 * daemon's own. Lines of a log, of a capture's judgement and of the running daemon are the same text, so
 * that the same records make the same inventory.
 */
#ifndef NFQD_SIGHTINGS_SIGHTING_H
#define NFQD_SIGHTINGS_SIGHTING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sighting_kind {
	SIGHTING_NONE,   /* a record that says nothing of a product: a query seen again, the canary */
	SIGHTING_NAME,   /* a machine tried a listed name or address */
	SIGHTING_OTHER,  /* it tried a name that no pack lists, or that one allows */
	SIGHTING_REPEAT, /* the decision of an earlier record came again */
	SIGHTING_CLIENT, /* a machine's name */
	SIGHTING_OWN,    /* the daemon's own record */
	SIGHTING_FOREIGN /* no record of nfqd */
};

/* What became of it, as a bit where several can hold. */
enum { OUTCOME_REFUSED, OUTCOME_LOGGED, OUTCOME_PASSED, OUTCOMES_N };

struct sighting {
	json_t     *json; /* owns every text here; they are "" where the record has none */
	enum sighting_kind kind;
	int64_t     at; /* microseconds since 1970 */
	const char *sensor, *host, *source, *iface;
	int64_t     boot, seq;
	const char *client, *client_name; /* mac:…, ip:… or hash:… */
	const char *address, *mac;
	const char *resolver; /* of a DNS question */
	const char *name, *channel, *vendor, *category, *pack, *pack_version, *stage, *basis, *citation;
	char        channel_text[24], product[160];
	int         outcome; /* OUTCOME_* */
	bool        leaked;  /* it was to be refused and was not */
	const char *own;     /* SIGHTING_OWN: its kind */
	int64_t     of, count, first, last; /* SIGHTING_REPEAT: of record `of`; times in microseconds */
};

/* Reads one line of n bytes. What is no record is SIGHTING_FOREIGN, which is no error. Call sighting_free()
 * after it in any case. */
void sighting_read(struct sighting *s, const char *line, size_t n);
void sighting_free(struct sighting *s);

/* 2026-11-23T16:20:31.482113+0000 as microseconds since 1970; -1: it is not such a time. */
int64_t sighting_time(const char *text);

#endif
