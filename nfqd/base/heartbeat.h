/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the heartbeat's probes go: addresses that RFC 2544 sets aside for tests, on links of our own. */
#ifndef NFQD_BASE_HEARTBEAT_H
#define NFQD_BASE_HEARTBEAT_H

#define HEARTBEAT_NAME "blocked.nfqd.invalid" /* of the canary pack */

/* Two networks of four addresses each: this host's end of the link, and the other one. */
#define HEARTBEAT_PREFIX        30
#define HEARTBEAT_HOST          "198.18.53.1"
#define HEARTBEAT_RESPONDER     "198.18.53.2"
#define HEARTBEAT_FORWARD_HOST  "198.18.53.5"
#define HEARTBEAT_FORWARD       "198.18.53.6"
#define HEARTBEAT_LINK          "nfqd-hb0"
#define HEARTBEAT_FORWARD_LINK  "nfqd-hb1"

/* 198.18.53.n, by its four bytes. */
static inline int heartbeat_is(const unsigned char addr[4], unsigned char n)
{
	return addr[0] == 198 && addr[1] == 18 && addr[2] == 53 && addr[3] == n;
}

/* From one of the probers? Anybody can send to the responder. */
static inline int heartbeat_is_prober(const unsigned char addr[4])
{
	return heartbeat_is(addr, 1) || heartbeat_is(addr, 6);
}

static inline int heartbeat_is_responder(const unsigned char addr[4])
{
	return heartbeat_is(addr, 2);
}

#endif
