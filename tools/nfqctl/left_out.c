/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of what this build was made without (WITHOUT in the Makefile): the same functions, which say so. */
#include <stdio.h>
#include <string.h>

#include "nfqctl.h"
#include "rules.h"

/* argv[0]: "nfqctl hosts". */
#define LEFT_OUT(name, option)                                                                                         \
	int cmd_##name(struct nfqctl *ctl, int argc, char **argv)                                                      \
	{                                                                                                              \
		(void)ctl;                                                                                             \
		(void)argc;                                                                                            \
		fprintf(stderr, "%s: this nfqctl was built without " option "\n", argv[0]);                            \
		return CTL_FAILED;                                                                                     \
	}

#ifdef NFQD_WITHOUT_SIGHTINGS
LEFT_OUT(hosts, "sightings (SQLite)")
LEFT_OUT(host, "sightings (SQLite)")
LEFT_OUT(report, "sightings (SQLite)")
LEFT_OUT(preview, "sightings (SQLite)")
LEFT_OUT(sightings, "sightings (SQLite)")
#endif

#ifdef NFQD_WITHOUT_TOP
LEFT_OUT(top, "top (ncurses)")
#endif

#ifdef NFQD_WITHOUT_HOSTNAMES
bool hostname_is_public_suffix(const char *name)
{
	(void)name;
	return false;
}

bool hostname_is_registry(const char *name)
{
	return !strchr(name, '.'); /* a top-level domain, at least */
}

const char *hostname_registered(const char *name)
{
	(void)name;
	return NULL;
}

bool hostname_idna_ok(const char *name)
{
	(void)name;
	return true;
}

int hostname_to_ascii(const char *name, char out[static HOST_TEXT])
{
	(void)name;
	(void)out;
	return -1;
}

const char *hostname_typed(const char *text, char out[static HOST_TEXT + 1])
{
	(void)out;
	return text;
}
#endif
