/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a refused client was told. */
#ifndef NFQD_ACT_SENT_H
#define NFQD_ACT_SENT_H

#include "base/words.h"

/* X(id, record's word, text's word) */
#define SENT(X)                                                                                    \
	X(SENT_NOTHING, "", "")                                                                    \
	X(SENT_DNS_NXDOMAIN, "dns-nxdomain", "NXDOMAIN")                                           \
	X(SENT_DNS_REFUSED, "dns-refused", "REFUSED")                                              \
	X(SENT_DNS_NODATA, "dns-nodata", "NODATA")                                                 \
	X(SENT_DNS_SINKHOLE, "dns-sinkhole", "sinkhole")                                           \
	X(SENT_TCP_RESET, "tcp-reset", "RST")                                                      \
	X(SENT_ICMP, "icmp-prohib", "ICMP") /* Suricata's word for any ICMP refusal */

enum sent { SENT(WORD_ID) SENT_N };

#endif
