/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be done about one name, and why: plain data. */
#ifndef NFQD_DECIDE_DECISION_H
#define NFQD_DECIDE_DECISION_H

#include "base/action.h"
#include "match/hit.h"

/* How a rejected question is answered: X(id, word, what the client sees) */
#define DNS_STYLES(X)                                                                              \
	X(DNS_NXDOMAIN, "nxdomain", "NXDOMAIN")                                                    \
	X(DNS_REFUSED, "refused", "REFUSED")                                                       \
	X(DNS_NODATA, "nodata", "NODATA")                                                          \
	X(DNS_SINKHOLE, "sinkhole", "0.0.0.0 and ::")

enum dns_style { DNS_STYLES(WORD_ID) DNS_STYLE_N };

struct decision {
	uint8_t      action;    /* enum action: what is done */
	uint8_t      would;     /* what would be done in mode enforce, without an exception */
	uint8_t      dns;       /* enum dns_style: how a rejected question is answered */
	int16_t      hit;       /* the hit of match that decided; -1: none */
	int32_t      policy;    /* index into RS_POLICY; -1: the default */
	int32_t      stage;     /* index into RS_STAGE: in force for the hit; -1: none */
	int16_t      exception; /* index into RS_EXCEPTION: why action is below would; -1: none */
	struct match match;
};

#endif
