/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to log/: the first members of every record. */
#ifndef NFQD_LOG_EVE_PRIVATE_H
#define NFQD_LOG_EVE_PRIVATE_H

#include "log/json.h"
#include "log/sink.h"

/* `timestamp` and `host`. */
void eve_put_time(struct json *j, uint64_t ts, const struct identity *id);
/* `packet`, `packet_info`, `payload`; and inside `nfqd` their full length when they are cut. */
void eve_put_bytes(struct json *j, const struct event_bytes *b);
void eve_put_cut(struct json *j, const struct event_bytes *b);
/* Inside `nfqd`: (sensor, boot, seq) names the record. */
void eve_put_identity(struct json *j, const struct identity *id, uint64_t seq);

#endif
