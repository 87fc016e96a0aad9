/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replays a corpus through a fuzz target, without a fuzzer, and says so as TAP. fuzz_dns.t reads
 * tests/fuzz/corpus/dns/, and so does fuzz_diff_dns.t. A target that finds something, or does not come to an
 * end, ends the program, which prove(1) sees.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_S = 300 }; /* for one input, which takes milliseconds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_file(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* In a block of exactly its size. */
static int replay(const char *path)
{
	FILE    *f = fopen(path, "rb");
	uint8_t *data;
	long     n;

	if (!f)
		return -1;
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	data = malloc(n > 0 ? (size_t)n : 0);
	if (n < 0 || (n > 0 && (!data || fread(data, (size_t)n, 1, f) != 1))) {
		free(data);
		fclose(f);
		return -1;
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)n);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	const char     *name = strrchr(argv[0], '/');
	char            target[32] = "", folder[300], path[600];
	struct dirent **files;
	int             n, failed = 0;

	(void)argc;
	sscanf(name ? name + 1 : argv[0], "fuzz_%31[a-z0-9_]", target);
	snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s",
	         strncmp(target, "diff_", 5) == 0 ? target + 5 : target);
	n = scandir(folder, &files, is_file, alphasort);
	if (n <= 0) {
		printf("1..1\nnot ok 1 - %s: %s\n", folder, n < 0 ? strerror(errno) : "is empty");
		return 1;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		int r;

		snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
		alarm(INPUT_S);
		r = replay(path);
		failed |= r;
		printf("%sok %d - %s/%s\n", r ? "not " : "", i + 1, target, files[i]->d_name);
		fflush(stdout); /* before the next one ends the program */
		free(files[i]);
	}
	free(files);
	return failed ? 1 : 0;
}
