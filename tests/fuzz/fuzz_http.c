/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP/1 requests. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span   msg = span_of(data, size);
	enum wire_err err = WIRE_OK;
	struct names  names;
	struct wire   chunks = wire_of(msg, &err, true);
	uint64_t      beyond;

	http_guess(wire_of(msg, &err, true));
	err = WIRE_OK;
	fuzz_stream(http_names, msg);
	fuzz_parse(http_names, msg, true, &names);
	http_skip_chunks(&chunks, &beyond);
	FUZZ_CHECK(beyond == 0 || chunks.pos == chunks.end);
	FUZZ_CHECK(memchr(names.http.method, '\0', sizeof(names.http.method)));
	return 0;
}
