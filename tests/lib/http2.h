/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP/2 as a client begins it (RFC 9113), its headers compressed by nghttp2. */
#ifndef TESTS_LIB_HTTP2_H
#define TESTS_LIB_HTTP2_H

#include <nghttp2/nghttp2.h>

#include "bytes.h"

#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static inline void http2_frame(struct bytes *b, uint8_t type, uint8_t flags, struct span payload)
{
	bytes_num(b, 3, payload.n);
	bytes_num(b, 1, type);
	bytes_num(b, 1, flags);
	bytes_num(b, 4, type == 1 || type == 9);
	bytes_add(b, payload);
}

static inline void http2_block(struct bytes *b, const char *authority, const char *host)
{
	const char *pairs[][2] = { { ":method", "GET" }, { ":scheme", "http" }, { ":path", "/" },
		                   { ":authority", authority }, { "user-agent", "test" },
		                   { "host", host } };
	nghttp2_hd_deflater *deflater;
	nghttp2_nv           fields[6];
	uint8_t              out[8192];
	size_t               n = 0;
	ssize_t              len;

	for (unsigned i = 0; i < 6; i++)
		if (pairs[i][1])
			fields[n++] = (nghttp2_nv){ (uint8_t *)pairs[i][0], (uint8_t *)pairs[i][1],
				                    strlen(pairs[i][0]), strlen(pairs[i][1]), 0 };
	if (nghttp2_hd_deflate_new(&deflater, 4096) != 0)
		abort();
	len = nghttp2_hd_deflate_hd(deflater, out, sizeof(out), fields, n);
	nghttp2_hd_deflate_del(deflater);
	if (len < 0)
		abort();
	bytes_put(b, out, (size_t)len);
}

#endif
