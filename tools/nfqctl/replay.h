/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judging the bytes of a record again. */
#ifndef NFQCTL_REPLAY_H
#define NFQCTL_REPLAY_H

#include <jansson.h>

#include "base/err.h"
#include "base/image.h"

#define DEFAULT_KEPT "/var/lib/nfqd/rules"

enum replay_outcome { REPLAY_AGREES, REPLAY_DIFFERS, REPLAY_NOT };

struct replay_result {
	enum replay_outcome outcome;
	char                why[256]; /* what differs, or why it cannot be judged */
};

struct conns;

struct replay {
	const char   *kept;  /* folder; borrowed */
	struct image *fixed; /* by these rules, whatever a record names; NULL: by the kept ones */
	struct image *last;  /* the kept ones of the last record */
	struct conns *conns;
	uint32_t      packets; /* judged so far */
	char          digest[IMAGE_DIGEST]; /* of last */
};

/* conf NULL and n_rules 0: by what is kept. Returns 0, or -1 with err. */
MUST_CHECK int replay_open(struct replay *r, const char *kept, const char *conf, char *const rules[],
                           unsigned n_rules, struct err *err);
void replay_close(struct replay *r);
/* Judges an alert. */
struct replay_result replay_record(struct replay *r, const json_t *record);

/* The packet of a record, n bytes; 0: there is none. payload: the member of that name instead. */
size_t replay_bytes(const json_t *record, const char *member, uint8_t *out, size_t room);

#endif
