/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sightings' process: it takes records from memory that it shares with the log thread and puts them into the
 * database, in batches. It has no network and no root, and of the file system only its own folder; it looks each
 * second by itself, so that nobody has to wake it, and runs when the processor has nothing better to do.
 */
#ifndef NFQD_SIGHTINGS_PROCESS_H
#define NFQD_SIGHTINGS_PROCESS_H

#include <stdatomic.h>
#include <sys/types.h>

#include "log/feed.h"

/* What the parent shows of it. One writer: the process. */
struct sightings_shared {
	struct feed      feed;
	_Atomic uint64_t beats, taken, bytes; /* rounds; records; of the file and its log */
	_Atomic uint64_t forgotten, folded;   /* for want of room: machines; days that are one sum now */
	_Atomic uint64_t lines_passed_over;   /* of files with names of machines, each time */
	_Atomic bool     moved_aside;         /* the database was damaged */
	_Atomic bool     failing;             /* and it cannot be written now */
	char             problem[128];
};

/* Of the parent's messages each is a byte; those of files carry a descriptor, and are not answered. */
enum sightings_message {
	SIGHTINGS_HOLD = 'h',  /* take no more records until ADOPT, or until nobody locks the file SIGHTINGS_LOCK; the
	                        * answer is the same byte */
	SIGHTINGS_ADOPT = 'a', /* go on, with the database SIGHTINGS_NEW where it is there; likewise */
	SIGHTINGS_LEASES = 'l',
	SIGHTINGS_HOSTS = 'e',
	SIGHTINGS_SITE = 's'
};

#define SIGHTINGS_FILE   "sightings.db"
#define SIGHTINGS_NEW    "sightings.db.new"
#define SIGHTINGS_LOCK   "rebuild.lock" /* who has a lock on it (fcntl(2)) holds, no longer than he lives */
#define SIGHTINGS_FOLDER "sightings" /* beside the state file, unless the configuration says otherwise */

struct sightings_in {
	struct sightings_shared *shared;
	int                      parent; /* a SOCK_SEQPACKET socket; the process ends with it */
	const char              *folder;
	int64_t                  max_bytes, keep_us;
	_Atomic uint64_t        *diag_lost;
	int                      listener;  /* for the console's questions; -1: none */
	gid_t                    operators; /* who of it may change something */
};

/* The process; returns its exit code. */
int sightings_main(const struct sightings_in *in);

#endif
