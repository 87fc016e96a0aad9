/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ClientHellos in TLS records, and bare as QUIC carries them; what records say of them. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span       msg = span_of(data, size);
	enum wire_err     err = WIRE_OK;
	struct names      names;
	struct tls_detail detail;

	tls_guess(wire_of(msg, &err, true));
	fuzz_parse(quic_tls_names, msg, true, &names);
	tls_describe(&names, &detail);
	FUZZ_CHECK(detail.alpn_len <= sizeof(detail.alpn));
	FUZZ_CHECK(memchr(detail.ja4, '\0', sizeof(detail.ja4)));
	fuzz_stream(tls_names, msg);
	fuzz_stream(quic_tls_names, msg);
	return 0;
}
