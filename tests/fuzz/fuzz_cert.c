/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS servers' handshakes with their certificates. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_stream(tls_cert_names, span_of(data, size));
	return 0;
}
