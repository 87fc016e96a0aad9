/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of records that come from elsewhere, plain or gzip, as nfqctl reads them: verify, with the key that
 * the log itself names, and replay by a pack of ours. Whoever wrote them may lie about everything; the
 * commands end, and say what holds by their exit status.
 */
#include "quiet.h"

#include "../../tools/nfqctl/log.h"
#include "../../tools/nfqctl/replay.h"

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

/* Every record by a pack that is read once, as `nfqctl replay --rules` does. */
static bool replay_line(void *ctx, unsigned file, uint32_t at, const char *line, size_t n)
{
	static struct replay replay;
	char                *rules[] = {(char[]){"rules/kaspersky.yaml"}};
	struct err           err = {.text = ""};
	json_t              *record = json_loadb(line, n, 0, NULL);

	(void)ctx, (void)file, (void)at;
	if (!replay.fixed)
		FUZZ_CHECK(replay_open(&replay, "", NULL, rules, 1, &err) == 0);
	if (json_object_get(record, "alert")) {
		struct replay_result r = replay_record(&replay, record);

		FUZZ_CHECK(r.outcome == REPLAY_AGREES || r.why[0]);
	}
	json_decref(record);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char      *file = (char *)(uintptr_t)fuzz_file(data, size);
	char      *verify[] = {(char[]){"verify"}, file, NULL};
	int        r = fuzz_quietly(cmd_log_verify, 2, verify);
	struct err err = {.text = ""};

	FUZZ_CHECK(r == CTL_DONE || r == CTL_FAILED);
	if (size && data[0] != 0x1f)
		check_lines(file, data, size);
	if (log_each_line((const char *const *)&file, 1, replay_line, NULL, &err) < 0)
		FUZZ_CHECK(err.text[0]);
	return 0;
}
