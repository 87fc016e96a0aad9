/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the sightings: names of machines from the files of DHCP servers and from /etc/hosts. */
#ifndef NFQD_SIGHTINGS_LABELS_H
#define NFQD_SIGHTINGS_LABELS_H

#include "sightings/sightings.h"

enum labels_of {
	LABELS_LEASES, /* dnsmasq's, or Kea's memfile */
	LABELS_HOSTS,  /* as /etc/hosts */
	LABELS_SITE,   /* likewise, a MAC may be in the address's place; they are in place of all that were read before */
	LABELS_N
};

/* Reads a file with names of machines. What has no sense is
 * passed over; only names of machines that are in the database are kept. fd stays the caller's. Returns how many lines
 * were too long (1023 bytes), or had a NUL, and one for what comes after 4 MB. */
unsigned labels_read(struct sightings *s, int fd, enum labels_of of, int64_t now);
/* One line; for tests. */
void labels_line(struct sightings *s, char *line, enum labels_of of, int64_t now);

#endif
