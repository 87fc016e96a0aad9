/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capture files in the format that we read ourselves: each packet lies wholly in memory of its own.
 */
#include "fuzz.h"

#include "base/diag.h"
#include "capture/pcap_private.h"

static void silent(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token, (void)text;
}

static unsigned add_bytes(struct span data)
{
	unsigned sum = 0;

	for (size_t i = 0; i < data.n; i++)
		sum += data.p[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static volatile unsigned seen;
	static struct raw_packet burst[CAPTURE_BURST];
	FILE                    *f = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
	struct err               err = {.text = ""};
	struct capture          *c;
	int                      n;

	diag_register(silent);
	if (!f)
		return 0;
	c = pcapng_open(f, "input", &err);
	FUZZ_CHECK(c || err.text[0]);
	if (!c)
		return 0;
	while ((n = c->ops->recv(c, burst)) >= 0)
		for (int i = 0; i < n; i++) {
			FUZZ_CHECK(burst[i].data.n <= size);
			seen += add_bytes(burst[i].data);
			c->ops->verdict(c, &burst[i], (struct verdict){0});
		}
	c->ops->close(c);
	return 0;
}
