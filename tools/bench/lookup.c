/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long one name takes to be looked up in a ruleset image, and what the image weighs.
 *
 *   lookup CONFIGURATION NAMES      NAMES: one a line; every ns printed is per name
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run/conf.h"

enum { ROUNDS = 5, NAMES_ALL = 1 << 20 };

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct name *read_names(const char *path, unsigned *n)
{
	FILE        *f = fopen(path, "r");
	struct name *names = calloc(NAMES_ALL, sizeof(*names));
	char         line[NAME_TEXT];

	while (f && names && *n < NAMES_ALL && fgets(line, sizeof(line), f))
		if (name_canonical(&names[*n], (struct span){ (uint8_t *)line, strcspn(line, "\n") }))
			++*n;
	if (f)
		fclose(f);
	return names;
}

int main(int argc, char **argv)
{
	struct err    err = { 0 };
	struct conf  *conf = argc == 3 ? conf_load(argv[1], &err) : NULL;
	double        start = seconds(), built;
	struct image *img;
	struct ruleset rs;
	struct match  m;
	unsigned      n = 0, hits = 0;
	struct name  *names;

	if (!conf || conf_build(conf, 1, &img, &err) < 0)
		return fprintf(stderr, "lookup: %s\n", err.text), 1;
	built = seconds() - start;
	ruleset_open(&rs, img);
	names = read_names(argv[2], &n);
	start = seconds();
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < n; i++) {
			ruleset_match_name(&rs, &names[i], &m);
			hits += m.n > 0;
		}
	printf("{\"ns\": %.1f, \"hits_percent\": %.1f, \"built_s\": %.3f, \"image_mb\": %.2f}\n",
	       (seconds() - start) * 1e9 / ROUNDS / n, 100.0 * hits / ROUNDS / n, built,
	       (double)img->size / 1e6);
	free(names);
	free(img);
	conf_free(conf);
	return 0;
}
