/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands over the inventory of machines share: where it comes from, and their options. */
#ifndef NFQCTL_INVENTORY_H
#define NFQCTL_INVENTORY_H

#include <getopt.h>

#include "nfqctl.h"
#include "sightings/sightings.h"

struct inventory {
	struct sightings_which which;
	const char        *db;      /* --db; NULL: the daemon's */
	const char       **from;    /* --from and what follows it: record files; NULL: none */
	unsigned           n_from;
	bool               json, all_names; /* of files also names that no pack listed then */
};

/* The options that every such command has; a command's own ones have other letters. */
#define INVENTORY_OPTIONS                                                                                              \
	{ "db", required_argument, NULL, 'D' }, { "from", required_argument, NULL, 'F' },                              \
	{ "vendor", required_argument, NULL, 'V' }, { "since", required_argument, NULL, 'S' },                         \
	{ "until", required_argument, NULL, 'U' }, { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }

/* Takes one of these options. False: it is none of them, or its value is wrong, which was then printed. */
bool inventory_option(struct inventory *v, const char *command, int option, const char *value);
/* The words behind the options are as wanted ("ID" or ""); after --from more files. False: said what is wrong. */
bool inventory_words(struct inventory *v, int argc, char **argv, const char *wanted);

/* The daemon's database, the one that --db names, or one in memory that is made of files of records. NULL: the
 * reason was printed. */
struct sightings *inventory_open(const struct nfqctl *ctl, const struct inventory *v, const char *command, bool change);
/* Puts the records of files in, the oldest file first. -1: err says why. */
MUST_CHECK int inventory_fill(struct sightings *s, const char **files, unsigned n, struct err *err);

/* Where no machine called the vendor of --vendor, says so, with the vendors that there are. */
void inventory_check_vendor(struct sightings *s, const struct inventory *v, const char *command);

/* 2026-11-23 of a record's time; "-" where there is none. */
const char *inventory_date(const json_t *o, const char *key, char out[static 16]);

#endif
