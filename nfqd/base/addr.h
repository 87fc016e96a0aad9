/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 and IPv6 addresses, networks and MAC addresses as values. */
#ifndef NFQD_BASE_ADDR_H
#define NFQD_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct addr {
	uint8_t len;   /* 4 or 16; 0: none */
	uint8_t b[16]; /* network order; the rest zero */
};

struct net {
	struct addr addr;
	uint8_t     bits;
};

#define ADDR_TEXT 46 /* INET6_ADDRSTRLEN */
#define MAC_TEXT  18

static inline struct addr addr_from(const uint8_t *p, uint8_t len)
{
	struct addr a = { .len = len };

	memcpy(a.b, p, len);
	return a;
}

static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	return a->len == b->len && memcmp(a->b, b->b, 16) == 0;
}

static inline bool net_eq(const struct net *a, const struct net *b)
{
	return a->bits == b->bits && addr_eq(&a->addr, &b->addr);
}

bool net_has(const struct net *net, const struct addr *a);
bool addr_is_loopback(const struct addr *a);
bool addr_is_link_local(const struct addr *a);
bool addr_is_multicast(const struct addr *a);

void addr_text(const struct addr *a, char out[ADDR_TEXT]);
void mac_text(const uint8_t mac[6], char out[MAC_TEXT]);

/* All parsers return 0, or -1 when the text is malformed. */
int addr_parse(const char *text, struct addr *a);
int net_parse(const char *text, struct net *net); /* bits beyond the prefix must be zero */
int mac_parse(const char *text, uint8_t mac[6]);

/* Is this an interface's name, where an address may also stand? Digits and dots alone are a mistyped
 * address. */
bool iface_ok(const char *text);

#endif
