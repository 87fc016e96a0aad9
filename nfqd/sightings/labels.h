/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the sightings: names of machines from the files of DHCP servers and from /etc/hosts. */
#ifndef NFQD_SIGHTINGS_LABELS_H
#define NFQD_SIGHTINGS_LABELS_H

#include "sightings/sightings.h"

/* Reads a file of leases (dnsmasq's, or Kea's memfile) or, with hosts, one like /etc/hosts. What has no sense is
 * passed over; only names of machines that are in the database are kept. fd stays the caller's. Returns how many lines
 * were too long (1023 bytes), or had a NUL, and one for what comes after 4 MB. */
unsigned labels_read(struct sightings *s, int fd, bool hosts, int64_t now);
/* One line; for tests. */
void labels_line(struct sightings *s, char *line, bool hosts, int64_t now);

#endif
