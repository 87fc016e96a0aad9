/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text before TLS in mail protocols. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span   msg = span_of(data, size);
	enum wire_err err = WIRE_OK;
	struct names  names;

	starttls_guess(wire_of(msg, &err, true));
	fuzz_stream(starttls_names, msg);
	FUZZ_CHECK(fuzz_parse(starttls_names, msg, true, &names) != WIRE_OK || names.n == 0);
	return 0;
}
