/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Explains a decision: what would be done about a name or address, by which rule, policy and stage, and
 * what the client would see. It calls the same functions as the packet path, on the same image; the daemon
 * answers with it, and so does `nfqctl why` without a daemon.
 */
#ifndef NFQD_SHARED_WHY_H
#define NFQD_SHARED_WHY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct ruleset;

/*
 * The question is an object: "name" (a host name, an address or a URL), and optional texts "client" (an
 * address, network, MAC or interface), "at" (a time; without it, now), "port" ("443", "udp/443").
 * Returns the answer, a new reference, or NULL with err: the question makes no sense.
 */
MUST_CHECK json_t *why(const struct ruleset *rs, const json_t *question, struct err *err);
/* What why() would say of a question by itself; 0: it makes sense. */
MUST_CHECK int why_check(const json_t *question, struct err *err);

/* What decides about a name, of an answer; borrowed from the rules. */
struct why_rule {
	const char *would, *pack, *rule, *side_effect;
};

/* The same for many questions: would this name of this client (NULL: unknown) be refused at that time (seconds)? Fills
 * *out if so. What is neither a name nor an address is not. */
bool why_refuses(const struct ruleset *rs, const char *name, const char *client, int64_t at, struct why_rule *out);

#endif
