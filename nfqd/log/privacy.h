/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an output's records tell of clients (base/output.h). */
#ifndef NFQD_LOG_PRIVACY_H
#define NFQD_LOG_PRIVACY_H

#include "base/output.h"
#include "log/event.h"
#include "log/identity.h"

#define PSEUDONYM 25 /* text, with its NUL */

/*
 * Makes an event tell no more than privacy allows. Hashed: the client's address becomes one of
 * fd6e:6671::/32 that is its pseudonym, the same for the same client; its MAC and the packet are gone.
 * out: the pseudonym as text; "" when nothing is hashed.
 */
void privacy_reduce(struct event *e, enum privacy privacy, const struct identity *id, char out[PSEUDONYM]);

#endif
