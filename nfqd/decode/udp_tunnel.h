/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NFQD_DECODE_UDP_TUNNEL_H
#define NFQD_DECODE_UDP_TUNNEL_H

#include "base/wire.h"
#include "decode/packet.h"

/* Is this a datagram of a known tunnel? Then ip is the packet inside. */
bool udp_tunnel_open(struct span payload, uint16_t sport, uint16_t dport, struct span *ip);

#endif
