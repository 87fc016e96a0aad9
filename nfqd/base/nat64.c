/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IPv4 address follows the prefix, but for the octet of bits 64 to 71, which is always zero. */
#include "base/nat64.h"

enum { ZERO_OCTET = 8 };

bool nat64_is_prefix(const struct net *net)
{
	static const uint8_t lengths[] = { 32, 40, 48, 56, 64, 96 };

	for (unsigned i = 0; i < sizeof(lengths); i++)
		if (net->addr.len == 16 && net->bits == lengths[i])
			return net->addr.b[ZERO_OCTET] == 0;
	return false;
}

/* The position of octet i of the IPv4 address. */
static unsigned place(const struct net *prefix, unsigned i)
{
	unsigned at = prefix->bits / 8U + i;

	return prefix->bits <= 64 && at >= ZERO_OCTET ? at + 1 : at;
}

bool nat64_inside(const struct net *prefix, const struct addr *a, struct addr *inside)
{
	if (!net_has(prefix, a) || a->b[ZERO_OCTET])
		return false;
	*inside = (struct addr){ .len = 4 };
	for (unsigned i = 0; i < 4; i++)
		inside->b[i] = a->b[place(prefix, i)];
	return true;
}

struct net nat64_outside(const struct net *prefix, const struct net *v4)
{
	struct net out = *prefix;
	unsigned   last = v4->bits ? (v4->bits - 1U) / 8 : 0;

	for (unsigned i = 0; i < 4; i++)
		out.addr.b[place(prefix, i)] = v4->addr.b[i];
	/* up to the last octet in which the network fixes a bit, the zero octet included */
	if (v4->bits)
		out.bits = (uint8_t)(place(prefix, last) * 8U + (v4->bits - 1U) % 8 + 1);
	return out;
}
