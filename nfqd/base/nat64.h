/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 addresses inside IPv6 ones, as NAT64 translates them (RFC 6052 2.2). */
#ifndef NFQD_BASE_NAT64_H
#define NFQD_BASE_NAT64_H

#include "base/addr.h"

/* 64:ff9b::/96, the prefix that every site may use. */
#define NAT64_WELL_KNOWN ((struct net){ { 16, { 0x00, 0x64, 0xff, 0x9b } }, 96 })

/* Is it a prefix for translated addresses: 32, 40, 48, 56, 64 or 96 bits, of which 64 to 71 are zero? */
bool nat64_is_prefix(const struct net *net);

/* The IPv4 address inside; false: the address is not below the prefix, or its bits 64 to 71 are not zero. */
bool nat64_inside(const struct net *prefix, const struct addr *a, struct addr *inside);

/* All translated addresses of an IPv4 network. */
struct net nat64_outside(const struct net *prefix, const struct net *v4);

#endif
