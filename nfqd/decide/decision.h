/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be done about one name, and why: plain data. */
#ifndef NFQD_DECIDE_DECISION_H
#define NFQD_DECIDE_DECISION_H

#include "match/hit.h"

/* In the order of severity. */
enum action { ACTION_ALLOW, ACTION_LOG, ACTION_REJECT, ACTION_DROP };

enum dns_style { DNS_NXDOMAIN, DNS_REFUSED, DNS_NODATA, DNS_SINKHOLE };

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
