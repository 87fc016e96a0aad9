/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The site's configuration, as it is in memory. */
#ifndef NFQD_SHARED_CONF_TYPES_H
#define NFQD_SHARED_CONF_TYPES_H

#include "base/output.h"
#include "base/yaml.h"
#include "decide/policy.h"
#include "match/pack.h"
#include "shared/conf_keys.h"

#define EVENTS(X) X(EVENTS_MATCHES, "matches") X(EVENTS_ALL, "all")

enum events { EVENTS(WORD_ID) EVENTS_N };

#define FAILS(X) X(FAIL_OPEN, "open") X(FAIL_CLOSED, "closed")

enum fail { FAILS(WORD_ID) FAIL_N };

struct conf_output {
	CONF_OUTPUT(CONF_MEMBER, OUTPUT)
};

struct conf_inspect {
	CONF_INSPECT(CONF_MEMBER, INSPECT)
};

/* Looking up listed names in the background; server NULL: off. */
struct conf_resolve {
	CONF_RESOLVE(CONF_MEMBER, RESOLVE)
};

/* Releases of the list; only nfqctl reads these keys. */
struct conf_update {
	CONF_UPDATE(CONF_MEMBER, UPDATE)
};

#define STORAGES(X) X(STORAGE_DISK, "disk") X(STORAGE_MEMORY, "memory") X(STORAGE_OFF, "off")

enum storage { STORAGES(WORD_ID) STORAGE_N };

struct conf_sightings {
	CONF_SIGHTINGS(CONF_MEMBER, SIGHTINGS)
};

struct conf {
	CONF_TOP(CONF_MEMBER, TOP)
	CONF_LOG(CONF_MEMBER, LOG)
	int on_fault[FAULT_N]; /* enum fault_action */
	/* not in the file */
	char            *path; /* NULL: there is no file */
	struct yaml_doc *doc;  /* what is in effect, defaults included */
	struct yaml_doc *own;  /* of the included file; NULL: there is none */
	unsigned         n_own; /* policies of that file, which come first */
	bool             lacks_rules; /* read to find every mistake: the key is missing, and that was said */
};

#endif
