/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record's JSON, read with jansson into what the inventory needs of it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sightings/sighting.h"

enum { SECONDS = 19, FRACTION = 6 }; /* 2026-11-23T16:20:31, .482113 */

int64_t sighting_time(const char *text)
{
	char    iso[SECONDS + 2];
	int64_t seconds, us = 0;
	size_t  n = strlen(text);

	if (n < SECONDS)
		return -1;
	memcpy(iso, text, SECONDS);
	memcpy(iso + SECONDS, "Z", 2);
	if (clock_parse(iso, &seconds) < 0 || seconds < 0)
		return -1;
	if (text[SECONDS] == '.')
		for (unsigned i = 0; i < FRACTION; i++) {
			char c = text[SECONDS + 1 + i];

			if (c < '0' || c > '9')
				return -1;
			us = us * 10 + (c - '0');
		}
	return seconds * 1000000 + us;
}

static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value ? value : "";
}

static int64_t number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (int64_t)n : 0;
}

static bool blocks(const char *action)
{
	return strcmp(action, "reject") == 0 || strcmp(action, "drop") == 0;
}

static int outcome_of(const char *action)
{
	if (blocks(action))
		return OUTCOME_REFUSED;
	return strcmp(action, "log") == 0 ? OUTCOME_LOGGED : OUTCOME_PASSED;
}

/* The rule's products as one text, cut where it grows too long. */
static void put_products(struct sighting *s, const json_t *products)
{
	const json_t *one;
	size_t        i, used = 0;

	json_array_foreach(products, i, one) {
		const char *word = json_string_value(one);
		int         n;

		if (!word)
			continue;
		n = snprintf(s->product + used, sizeof(s->product) - used, "%s%s", used ? "; " : "", word);
		if (n < 0 || (size_t)n >= sizeof(s->product) - used) {
			s->product[used] = '\0';
			return;
		}
		used += (size_t)n;
	}
}

/* dns/UDP, tls/TCP; for what only had an address, address/TCP. */
static void put_channel(struct sighting *s, const json_t *json)
{
	const char *app = text(json, "app_proto"), *proto = text(json, "proto");

	snprintf(s->channel_text, sizeof(s->channel_text), "%s%s%s", *app ? app : "address", *proto ? "/" : "", proto);
	s->channel = s->channel_text;
}

static void read_stage(struct sighting *s, const json_t *stage)
{
	s->stage = text(stage, "id");
	s->basis = text(stage, "basis");
	s->citation = text(stage, "citation");
}

/* A name. What a list allows on purpose, the canary and a query seen again are no sign of a product. */
static void read_name(struct sighting *s, const json_t *own)
{
	const json_t *client = json_object_get(own, "client");
	const char   *action = text(own, "action"), *would = text(own, "would");

	s->category = text(own, "category");
	if (strcmp(s->category, "canary") == 0 || json_is_true(json_object_get(own, "relayed")))
		return;
	s->kind = strcmp(would, "allow") == 0 ? SIGHTING_OTHER : SIGHTING_NAME;
	s->client = text(client, "id");
	s->client_name = text(client, "name");
	s->address = text(s->json, "src_ip");
	s->iface = text(s->json, "in_iface");
	s->mac = text(json_object_get(s->json, "ether"), "src_mac");
	s->name = text(own, "name");
	s->vendor = text(own, "vendor");
	s->pack = text(own, "pack");
	s->pack_version = text(own, "pack_version");
	if (strcmp(text(own, "seen_in"), "dns.query") == 0)
		s->resolver = text(s->json, "dest_ip");
	s->outcome = outcome_of(action);
	s->leaked = blocks(would) && s->outcome != OUTCOME_REFUSED;
	put_channel(s, s->json);
	put_products(s, json_object_get(own, "products"));
	read_stage(s, json_object_get(own, "stage"));
}

static void read_own(struct sighting *s, const json_t *own)
{
	const json_t *client = json_object_get(own, "client");

	s->own = text(own, "kind");
	s->kind = SIGHTING_OWN;
	if (strcmp(s->own, "repeat") == 0) {
		s->of = number(own, "of");
		s->count = number(own, "count");
		s->first = sighting_time(text(own, "first"));
		s->last = sighting_time(text(own, "last"));
		s->kind = s->of && s->count && s->first >= 0 && s->last >= s->first ? SIGHTING_REPEAT : SIGHTING_FOREIGN;
	} else if (strcmp(s->own, "client") == 0) {
		s->client = text(client, "id");
		s->client_name = text(client, "name");
		s->address = text(own, "address");
		s->kind = SIGHTING_CLIENT;
	}
}

static void clear(struct sighting *s)
{
	memset(s, 0, sizeof(*s));
	s->sensor = s->host = s->source = s->iface = s->client = s->client_name = s->address = s->mac = "";
	s->resolver = s->name = s->channel = s->vendor = s->category = s->pack = s->pack_version = "";
	s->stage = s->basis = s->citation = s->own = "";
	s->kind = SIGHTING_FOREIGN;
}

void sighting_read(struct sighting *s, const char *line, size_t n)
{
	const json_t *own;

	clear(s);
	s->json = json_loadb(line, n, 0, NULL);
	own = json_object_get(s->json, "nfqd");
	if (!json_is_object(own))
		return;
	s->at = sighting_time(text(s->json, "timestamp"));
	if (s->at < 0)
		return;
	s->sensor = text(own, "sensor");
	s->boot = number(own, "boot");
	s->seq = number(own, "seq");
	s->source = text(own, "source");
	s->host = text(s->json, "host");
	s->kind = SIGHTING_NONE;
	if (strcmp(text(s->json, "event_type"), "nfqd") == 0)
		read_own(s, own);
	else if (json_object_get(own, "rule"))
		read_name(s, own);
}

void sighting_free(struct sighting *s)
{
	json_decref(s->json);
	s->json = NULL;
}
