/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much an output's records tell about clients (base/output.h). */
#ifndef NFQD_LOG_PRIVACY_H
#define NFQD_LOG_PRIVACY_H

#include "base/output.h"
#include "log/event.h"
#include "log/identity.h"

#define PSEUDONYM 25 /* text, with its NUL */

/*
 * Reduces an event to what privacy allows. Hashed: the client's address becomes its pseudonym, an address of
 * fd6e:6671::/32 that is always the same for the same client; MAC address and packet are removed. out: the
 * pseudonym as text; "" when privacy is not hashed.
 */
void privacy_reduce(struct event *e, enum privacy privacy, const struct identity *id, char out[PSEUDONYM]);

#endif
