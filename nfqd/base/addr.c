/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing, printing and comparing addresses. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

bool net_has(const struct net *net, const struct addr *a)
{
	uint8_t whole = net->bits / 8, rest = net->bits % 8;

	if (net->addr.len != a->len || memcmp(net->addr.b, a->b, whole) != 0)
		return false;
	return rest == 0 || ((net->addr.b[whole] ^ a->b[whole]) >> (8 - rest)) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->len == 4 ? a->b[0] == 127 : a->len == 16 && memcmp(a->b, one, 16) == 0;
}

bool addr_is_link_local(const struct addr *a)
{
	return a->len == 16 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct addr *a)
{
	return a->len == 4 ? (a->b[0] & 0xf0) == 0xe0 : a->len == 16 && a->b[0] == 0xff;
}

/* Several of these stand in each record; inet_ntop() takes ten times as long for them. */
static void addr4_text(const uint8_t b[4], char *out)
{
	for (unsigned i = 0; i < 4; i++) {
		if (b[i] >= 100)
			*out++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*out++ = (char)('0' + b[i] / 10 % 10);
		*out++ = (char)('0' + b[i] % 10);
		*out++ = i < 3 ? '.' : '\0';
	}
}

void addr_text(const struct addr *a, char out[ADDR_TEXT])
{
	out[0] = '\0';
	if (a->len == 4)
		addr4_text(a->b, out);
	else if (a->len)
		inet_ntop(AF_INET6, a->b, out, ADDR_TEXT);
}

void mac_text(const uint8_t mac[6], char out[MAC_TEXT])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < 6; i++) {
		out[3 * i] = hex[mac[i] >> 4];
		out[3 * i + 1] = hex[mac[i] & 15];
		out[3 * i + 2] = i < 5 ? ':' : '\0';
	}
}

int addr_parse(const char *text, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, a->b) == 1)
		a->len = 4;
	else if (inet_pton(AF_INET6, text, a->b) == 1)
		a->len = 16;
	return a->len ? 0 : -1;
}

int net_parse(const char *text, struct net *net)
{
	char          host[ADDR_TEXT];
	const char   *slash = strchr(text, '/');
	size_t        n = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long bits;
	char         *end;

	if (n >= sizeof(host))
		return -1;
	memcpy(host, text, n);
	host[n] = '\0';
	if (addr_parse(host, &net->addr) < 0)
		return -1;
	bits = net->addr.len * 8UL;
	if (slash) {
		if (slash[1] < '0' || slash[1] > '9')
			return -1;
		bits = strtoul(slash + 1, &end, 10);
		if (*end || bits > net->addr.len * 8UL)
			return -1;
	}
	net->bits = (uint8_t)bits;
	for (unsigned i = net->bits; i < net->addr.len * 8U; i++)
		if (net->addr.b[i / 8] & (0x80 >> i % 8))
			return -1;
	return 0;
}

int mac_parse(const char *text, uint8_t mac[6])
{
	int used = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
	           &mac[4], &mac[5], &used) != 6)
		return -1;
	return used == 17 && text[17] == '\0' ? 0 : -1;
}

bool iface_ok(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n < IFNAMSIZ && !text[strcspn(text, "/: \t")] && text[strspn(text, "0123456789.")];
}
