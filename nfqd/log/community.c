/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Community ID 1: SHA-1 over seed, lower end point, upper end point, protocol and ports, in base64.
 */
#include "log/community.h"

#include <netinet/in.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>

struct end {
	const struct addr *addr;
	uint16_t           port;
};

static bool is_lower(struct end a, struct end b)
{
	int order = memcmp(a.addr->b, b.addr->b, a.addr->len);

	return order < 0 || (order == 0 && a.port <= b.port);
}

void community_id(const struct event *e, char out[COMMUNITY_ID])
{
	struct end src = { &e->src, e->sport }, dst = { &e->dst, e->dport };
	struct end low = is_lower(src, dst) ? src : dst, high = is_lower(src, dst) ? dst : src;
	bool ports = e->proto == IPPROTO_TCP || e->proto == IPPROTO_UDP || e->proto == IPPROTO_SCTP;
	const uint8_t   seed[2] = { 0, 0 }, proto[2] = { e->proto, 0 };
	const uint8_t   both[4] = { (uint8_t)(low.port >> 8), (uint8_t)low.port,
				   (uint8_t)(high.port >> 8), (uint8_t)high.port };
	uint8_t         digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha;

	out[0] = '\0';
	if (e->src.len != e->dst.len || e->src.len == 0)
		return;
	sha1_init(&sha);
	sha1_update(&sha, sizeof(seed), seed);
	sha1_update(&sha, low.addr->len, low.addr->b);
	sha1_update(&sha, high.addr->len, high.addr->b);
	sha1_update(&sha, sizeof(proto), proto);
	if (ports)
		sha1_update(&sha, sizeof(both), both);
	sha1_digest(&sha, sizeof(digest), digest);
	memcpy(out, "1:", 2);
	base64_encode_raw(out + 2, sizeof(digest), digest);
	out[2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE)] = '\0';
}
