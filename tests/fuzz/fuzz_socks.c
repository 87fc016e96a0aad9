/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients send to SOCKS proxies. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span   msg = span_of(data, size);
	enum wire_err err = WIRE_OK;

	socks_guess(wire_of(msg, &err, true));
	fuzz_stream(socks_names, msg);
	return 0;
}
