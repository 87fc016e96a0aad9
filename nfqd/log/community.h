/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Community ID of a flow (version 1): the same text for both directions, from every tool. */
#ifndef NFQD_LOG_COMMUNITY_H
#define NFQD_LOG_COMMUNITY_H

#include "log/event.h"

#define COMMUNITY_ID 32 /* "1:" and 28 characters of base64, with its NUL */

/* Seed 0, the default of other tools. "" for a flow without addresses of one family. */
void community_id(const struct event *e, char out[COMMUNITY_ID]);

#endif
