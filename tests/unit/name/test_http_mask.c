/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left of a request as evidence: method, host, version; whatever the bytes are, nothing grows. */
#include "name/name.h"
#include "unit.h"

static void test_masked(void **state)
{
	static const struct {
		const char *what, *request, *left;
	} rows[] = {
		{ "path and query", "GET /a/b?c=d HTTP/1.1\r\nHost: x.test\r\n\r\n", "GET /XXXXXXX HTTP/1.1\r\nHost: x.test\r\n" },
		{ "a cookie before the host", "GET / HTTP/1.1\r\nCookie: a=b\r\nHost: x\r\n", "GET / HTTP/1.1\r\nXXXXXXXXXXX\r\nHost: x\r\n" },
		{ "a cookie and a body after it", "POST / HTTP/1.1\r\nhOST: x\r\nCookie: a\r\n\r\nbody", "POST / HTTP/1.1\r\nhOST: x\r\n" },
		{ "two hosts", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nHost: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nXXXX\r\nHost: y\r\n" },
		{ "a folded host", "GET / HTTP/1.1\r\nHost:\r\n x\r\nA: b\r\n", "GET / HTTP/1.1\r\nHost:\r\n x\r\n" },
		{ "an absolute URI", "GET http://me:pw@x.test:80/a?b HTTP/1.1\n\n", "GET http://XXXXX@x.test:80/XXX HTTP/1.1\n" },
		{ "CONNECT", "CONNECT x.test:443 HTTP/1.1\r\n\r\n", "CONNECT x.test:443 HTTP/1.1\r\n" },
		{ "a path that holds a URI", "GET /go?to=http://x.test/a HTTP/1.0\r\n\r\n", "GET /XXXXXXXXXXXXXXXXXXXXX HTTP/1.0\r\n" },
		{ "blanks in the target", "GET /a b c HTTP/1.1\r\n\r\n", "GET /X X X HTTP/1.1\r\n" },
		{ "an empty line first", "\r\nGET /a HTTP/1.1\r\nHost: x\r\n", "\r\nGET /X HTTP/1.1\r\nHost: x\r\n" },
		{ "a line that is cut", "GET /secret", "" },
		{ "a host that is cut", "GET /a HTTP/1.1\r\nHost: x.te", "GET /X HTTP/1.1\r\n" },
		{ "a field that looks like Host", "GET / HTTP/1.1\r\nHostile: x\r\n", "GET / HTTP/1.1\r\n" },
		{ "nothing", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[128];
		size_t  n = strlen(rows[i].request), left;

		memcpy(bytes, rows[i].request, n);
		left = http_mask(bytes, n);
		if (left != strlen(rows[i].left) || memcmp(bytes, rows[i].left, left) != 0)
			fail_msg("%s: '%.*s'", rows[i].what, (int)left, (const char *)bytes);
	}
}

/* Every beginning of a request with secrets in it. */
static void test_keeps_no_secret(void **state)
{
	static const char request[] = "POST http://SECRET@x.test/SECRET?SECRET HTTP/1.1\r\nX: SECRET\r\n SECRET\r\n"
				      "Host: x.test\r\nCookie: SECRET\r\n\r\nSECRET";

	(void)state;
	for (size_t n = 0; n < sizeof(request); n++) {
		uint8_t bytes[sizeof(request)];
		size_t  left;

		memcpy(bytes, request, n);
		left = http_mask(bytes, n);
		assert_true(left <= n);
		assert_null(memmem(bytes, left, "SECRET", 6));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_keeps_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
