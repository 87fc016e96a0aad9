/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ClientHellos in TLS records, and bare as QUIC carries them. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span   msg = span_of(data, size);
	enum wire_err err = WIRE_OK;

	tls_guess(wire_of(msg, &err, true));
	fuzz_stream(tls_names, msg);
	fuzz_stream(quic_tls_names, msg);
	return 0;
}
