/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a refused client was told; index of sent_words[] in log/. */
#ifndef NFQD_ACT_SENT_H
#define NFQD_ACT_SENT_H

enum sent {
	SENT_NOTHING,
	SENT_DNS_NXDOMAIN,
	SENT_DNS_REFUSED,
	SENT_DNS_NODATA,
	SENT_DNS_SINKHOLE,
	SENT_TCP_RESET,
	SENT_ICMP,
};

#endif
