/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of records that come from elsewhere, plain or gzip, as nfqctl reads them: verify, with the key that
 * the log itself names, and replay by a pack of ours. Whoever wrote them may lie about everything; the
 * commands end, and say what holds by their exit status.
 */
#include "quiet.h"

#include "../../tools/nfqctl/log.h"

struct lines {
	size_t n, bytes;
};

static bool count_line(void *ctx, unsigned file, uint32_t at, const char *line, size_t n)
{
	struct lines *l = ctx;

	(void)file, (void)at, (void)line;
	l->n++;
	l->bytes += n;
	return true;
}

/* A file that is not packed: every line comes once and whole, whatever is in it. */
static void check_lines(const char *file, const uint8_t *data, size_t size)
{
	struct err   err = {.text = ""};
	struct lines there = {0}, got = {0};

	for (size_t i = 0; i < size; i++) {
		there.bytes += data[i] != '\n';
		there.n += data[i] == '\n' || i + 1 == size;
	}
	FUZZ_CHECK(log_each_line(&file, 1, count_line, &got, &err) == 0);
	FUZZ_CHECK(got.n == there.n && got.bytes == there.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *file = (char *)(uintptr_t)fuzz_file(data, size);
	char *verify[] = {(char[]){"verify"}, file, NULL};
	char *replay[] = {(char[]){"replay"}, (char[]){"--rules"}, (char[]){"rules/kaspersky.yaml"}, file,
			  NULL};
	int   r = fuzz_quietly(cmd_log_verify, 2, verify);

	if (size && data[0] != 0x1f)
		check_lines(file, data, size);
	FUZZ_CHECK(r == CTL_DONE || r == CTL_FAILED);
	r = fuzz_quietly(cmd_replay, 4, replay);
	FUZZ_CHECK(r == CTL_DONE || r == CTL_FAILED);
	return 0;
}
