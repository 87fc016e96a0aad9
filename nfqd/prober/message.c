/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages in which a client would name the canary. The TLS hello and the QUIC Initial are fixed bytes, made
 * by tools/prober-messages. An Initial can be fixed, too: its keys follow from the connection ID that it carries
 * (RFC 9001 5.2).
 */
#include <string.h>

#include "base/heartbeat.h"
#include "prober/prober.h"

/* nfqd/prober/messages.S */
extern const uint8_t probe_hello[], probe_hello_end[], probe_initial[], probe_initial_end[];

static const char http[] = "GET / HTTP/1.1\r\nHost: " HEARTBEAT_NAME "\r\nUser-Agent: nfqd-heartbeat\r\n\r\n";

/* RFC 1035 4.1: recursion desired, one question, type A, class IN. */
static const uint8_t question[] = "\0\0\1\0\0\1\0\0\0\0\0\0\7blocked\4nfqd\7invalid\0\0\1\0\1";

static size_t put(uint8_t *out, const void *bytes, size_t n)
{
	memcpy(out, bytes, n);
	return n;
}

static size_t put_question(uint8_t *out, uint16_t id)
{
	size_t n = put(out, question, sizeof(question) - 1);

	out[0] = (uint8_t)(id >> 8);
	out[1] = (uint8_t)id;
	return n;
}

size_t probe_message(enum probe_channel channel, uint16_t id, uint8_t out[static PROBE_MESSAGE])
{
	size_t n;

	switch (channel) {
	case PROBE_DNS_TCP:
		n = put_question(out + 2, id);
		out[0] = 0;
		out[1] = (uint8_t)n;
		return n + 2;
	case PROBE_TLS:
		return put(out, probe_hello, (size_t)(probe_hello_end - probe_hello));
	case PROBE_HTTP:
		return put(out, http, sizeof(http) - 1);
	case PROBE_QUIC:
		return put(out, probe_initial, (size_t)(probe_initial_end - probe_initial));
	default:
		return put_question(out, id);
	}
}
