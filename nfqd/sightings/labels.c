/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files with names of machines. A machine chooses the name in its lease, so it is a label and nothing more: it joins
 * no machines, and a name with anything but letters, digits, hyphens, dots and underscores is passed over.
 */
#include "sightings/labels.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"

enum { FIELDS = 16, LINE = 1024, FILE_MAX = 4 << 20 };

static bool name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

	return n > 0 && n < 64 && name[n] == '\0' && strcmp(name, "localhost") != 0;
}

static unsigned split(char *line, const char *by, bool empty, char *v[FIELDS])
{
	unsigned n = 0;

	while (n < FIELDS && line) {
		char *field = strsep(&line, by);

		if (*field || empty)
			v[n++] = field;
	}
	return n;
}

static void take(struct sightings *s, const char *kind, const char *mac, const char *address, const char *name, int64_t now)
{
	uint8_t     b[6];
	struct addr a;
	char        text[ADDR_TEXT];

	if (!name_ok(name))
		return;
	if (mac && mac_parse(mac, b) == 0) {
		mac_text(b, text);
		sightings_label_known(s, kind, text, name, now);
	}
	if (addr_parse(address, &a) == 0) {
		addr_text(&a, text);
		sightings_label_known(s, kind, text, name, now);
	}
}

/* dnsmasq: when it ends, MAC, address, name, client; for DHCPv6 an IAID is in the MAC's place. */
static void take_dnsmasq(struct sightings *s, char *line, int64_t now)
{
	char *v[FIELDS];

	if (split(line, " \t", false, v) >= 4)
		take(s, "lease", v[1], v[2], v[3], now);
}

/* Kea's memfile, kea(8): address,hwaddr,client_id,… with the name in the column `hostname` of version 4, which is the
 * ninth; of version 6 it is the twelfth, and hwaddr the thirteenth. */
static void take_kea(struct sightings *s, char *line, int64_t now)
{
	char       *v[FIELDS];
	unsigned    n = split(line, ",", true, v);
	struct addr a;

	if (n < 9 || addr_parse(v[0], &a) < 0)
		return;
	if (a.len == 4)
		take(s, "lease", v[1], v[0], v[8], now);
	else if (n >= 13)
		take(s, "lease", v[12], v[0], v[11], now);
}

static void take_hosts(struct sightings *s, char *line, int64_t now)
{
	char       *v[FIELDS];
	struct addr a;

	line[strcspn(line, "#")] = '\0';
	if (split(line, " \t", false, v) >= 2 && addr_parse(v[0], &a) == 0 && !addr_is_loopback(&a))
		take(s, "hosts", NULL, v[0], v[1], now);
}

static void take_site(struct sightings *s, char *line, int64_t now)
{
	char *v[FIELDS];

	if (split(line, " \t", false, v) == 2)
		take(s, "site", v[0], v[0], v[1], now);
}

void labels_line(struct sightings *s, char *line, enum labels_of of, int64_t now)
{
	line[strcspn(line, "\r\n")] = '\0';
	if (of == LABELS_HOSTS)
		take_hosts(s, line, now);
	else if (of == LABELS_SITE)
		take_site(s, line, now);
	else if (strchr(line, ','))
		take_kea(s, line, now);
	else
		take_dnsmasq(s, line, now);
}

/* A line that is longer than any that a server writes, or has a NUL in it, is passed over whole: from its middle on it
 * would read as another one. */
static bool next_line(FILE *f, char line[LINE], size_t *all, bool *good)
{
	size_t n = 0;
	int    c;

	*good = true;
	while ((c = getc_unlocked(f)) != EOF && (*all)++ < FILE_MAX && c != '\n') {
		if (n < LINE - 1)
			line[n++] = (char)c;
		else
			*good = false;
		*good &= c != '\0';
	}
	line[n] = '\0';
	return n > 0 || c == '\n';
}

unsigned labels_read(struct sightings *s, int fd, enum labels_of of, int64_t now)
{
	FILE    *f = fdopen(dup(fd), "r");
	char     line[LINE];
	size_t   all = 0;
	unsigned passed_over = 0;
	bool     good;

	if (of == LABELS_SITE)
		sightings_forget_labels(s, "site");
	while (f && all < FILE_MAX && next_line(f, line, &all, &good)) {
		if (good)
			labels_line(s, line, of, now);
		passed_over += !good;
	}
	passed_over += all >= FILE_MAX; /* what comes after so many bytes */
	if (f)
		fclose(f);
	return passed_over;
}
