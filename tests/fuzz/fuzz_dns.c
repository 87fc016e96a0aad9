/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS over UDP and TCP, and the answer to whatever could be read. */
#include "fuzz.h"

#include "act/act.h"

static void answer(const struct names *names, struct span query)
{
	static const uint16_t rooms[] = { 0, 12, 64, 512, 1024 };

	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		for (unsigned style = DNS_NXDOMAIN; style <= DNS_SINKHOLE; style++) {
			uint8_t     *out = malloc(rooms[i]);
			size_t       n =
				dns_answer(&names->dns, query, style, "pack/rule", out, rooms[i]);
			struct names again;

			FUZZ_CHECK(n <= rooms[i]);
			if (n) { /* as a query, our own parser reads the same questions in it */
				FUZZ_CHECK(out[2] & 0x80 && !(out[3] & 0x20));
				out[2] &= 0x7f;
				FUZZ_CHECK(fuzz_parse(dns_names, span_of(out, n), false, &again) ==
					   WIRE_OK);
				FUZZ_CHECK(again.n == names->n && fuzz_among(&again, names));
			}
			free(out);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span  msg = span_of(data, size);
	struct names names;

	if (fuzz_parse(dns_names, msg, false, &names) == WIRE_OK && names.n)
		answer(&names, msg);
	if (fuzz_parse(dns_answer_names, msg, false, &names) == WIRE_OK)
		FUZZ_CHECK(dns_is_answer(&names) && names.dns.n_addrs <= DNS_ADDRS);
	fuzz_stream(dns_tcp_names, msg);
	fuzz_stream(dns_tcp_answer_names, msg);
	return 0;
}
