/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who writes the records: (sensor, boot, seq) identifies each record for ever. */
#ifndef NFQD_LOG_IDENTITY_H
#define NFQD_LOG_IDENTITY_H

#include <stdint.h>

#define IDENTITY_UUID 37 /* RFC 9562 4, with its NUL */
#define IDENTITY_KEY  32
#define IDENTITY_HOST 65 /* HOST_NAME_MAX, with its NUL */

#define IDENTITY_SOURCES(X)                                                                        \
	X(QUEUE, "queue")         /* inline: the action in a record was carried out */              \
	X(INTERFACE, "interface") /* a copy of the traffic: nothing is blocked */                  \
	X(CAPTURE, "capture")     /* a file: likewise, and at another time */

enum identity_source {
#define X(id, word) SOURCE_##id,
	IDENTITY_SOURCES(X)
#undef X
		SOURCES
};

/* Zeroed for a run that is not a sensor, such as one over a capture file: nil UUID and boot 0. */
struct identity {
	char     host[IDENTITY_HOST];
	char     sensor[IDENTITY_UUID];
	uint64_t boot;   /* counts the daemon's starts, from 1 */
	uint8_t  source; /* enum identity_source */
	uint8_t  client_key[IDENTITY_KEY]; /* of pseudonyms (log/privacy.h) */
};

#endif
