/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server name in the CHLO of Google's QUIC before it carried TLS (versions up to Q050): a table
 * of tags, each with the offset where its value ends, then the values. Numbers are little-endian.
 */
#include "name/tls_private.h"

static uint32_t read_le(struct wire *w, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint32_t)wire_u8(w) << 8 * i;
	return v;
}

enum wire_err gquic_names(struct wire *w, struct names *out)
{
	struct span kind = wire_span(w, 4);
	uint32_t    n = read_le(w, 2), from = 0, begin = 0, end = 0;
	struct name name = { .seen_in = SEEN_QUIC_SNI };
	struct span host;

	wire_skip(w, 2);
	for (uint32_t i = 0; i < n && *w->err == WIRE_OK; i++) {
		struct span tag = wire_span(w, 4);
		uint32_t    to = read_le(w, 4);

		if (*w->err == WIRE_OK && memcmp(tag.p, "SNI", 4) == 0) {
			begin = from;
			end = to;
		}
		from = to;
	}
	if (*w->err == WIRE_OK && memcmp(kind.p, "CHLO", 4) != 0)
		return WIRE_NONE;
	if (end < begin)
		return WIRE_BAD;
	wire_skip(w, begin);
	host = wire_span(w, end - begin);
	if (*w->err == WIRE_OK && name_canonical(&name, host))
		names_add(out, &name);
	return *w->err;
}
