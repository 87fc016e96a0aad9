/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP/2 with prior knowledge; the preface is there already, no fuzzer need find it. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	const size_t      n = sizeof(preface) - 1;
	uint8_t          *msg = malloc(n + size);
	enum wire_err     err = WIRE_OK;

	FUZZ_CHECK(msg);
	memcpy(msg, preface, n);
	if (size)
		memcpy(msg + n, data, size);
	http2_guess(wire_of(span_of(data, size), &err, true));
	fuzz_stream(http2_names, span_of(msg, n + size));
	free(msg);
	return 0;
}
