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

#include "shared/conf.h"

enum { ROUNDS = 5, NAMES_ALL = 16 << 20 };

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The names, canonical, one behind the other with their NULs: looking one up shall wait for the index, not
 * for the name. */
static char *read_names(const char *path, unsigned *n)
{
	FILE       *f = fopen(path, "r");
	char       *all = malloc(NAMES_ALL), line[NAME_TEXT];
	size_t      used = 0;
	struct name name;

	while (f && all && used + NAME_TEXT < NAMES_ALL && fgets(line, sizeof(line), f)) {
		if (!name_canonical(&name, (struct span){ (uint8_t *)line, strcspn(line, "\n") }))
			continue;
		memcpy(all + used, name.text, name.len + 1U);
		used += name.len + 1U;
		++*n;
	}
	if (f)
		fclose(f);
	return all;
}

static unsigned look_up_all(const struct ruleset *rs, const char *at, unsigned n)
{
	struct name  name;
	struct match m;
	unsigned     hits = 0;

	while (n-- > 0) {
		name.len = (uint16_t)strlen(at);
		memcpy(name.text, at, name.len + 1U);
		at += name.len + 1;
		ruleset_match_name(rs, &name, &m);
		hits += m.n > 0;
	}
	return hits;
}

int main(int argc, char **argv)
{
	struct err    err = { 0 };
	struct conf  *conf = argc == 3 ? conf_load(argv[1], &err) : NULL;
	double        start = seconds(), built;
	struct image *img;
	struct ruleset rs;
	unsigned      n = 0, hits = 0;
	char         *names;

	if (!conf || conf_compile(conf, &img, &err) < 0)
		return fprintf(stderr, "lookup: %s\n", err.text), 1;
	built = seconds() - start;
	ruleset_open(&rs, img);
	names = read_names(argv[2], &n);
	if (n == 0)
		return fprintf(stderr, "lookup: %s: no names\n", argv[2]), 1;
	start = seconds();
	for (unsigned round = 0; round < ROUNDS; round++)
		hits += look_up_all(&rs, names, n);
	printf("{\"ns\": %.1f, \"hits_percent\": %.1f, \"built_s\": %.3f, \"image_mb\": %.2f}\n",
	       (seconds() - start) * 1e9 / ROUNDS / n, 100.0 * hits / ROUNDS / n, built,
	       (double)img->size / 1e6);
	free(names);
	free(img);
	conf_free(conf);
	return 0;
}
