/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of its own for tests that read files, and rulesets from packs written as text. */
#ifndef TESTS_UNIT_MATCH_SUPPORT_H
#define TESTS_UNIT_MATCH_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/nat64.h"
#include "match/pack.h"
#include "match/ruleset.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static inline int enter_folder(void **state)
{
	char *folder = strdup("/tmp/nfqd-test-XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static inline int leave_folder(void **state)
{
	char *folder = *state, command[64];
	int   r;

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	r = chdir("/") | system(command);
	free(folder);
	return r;
}

static inline void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Fails with the row's name when two texts differ. */
static inline void same_text(const char *what, const char *got, const char *expected)
{
	if (strcmp(got, expected) != 0)
		fail_msg("%s:\n  got      %s\n  expected %s", what, got, expected);
}

/* The image of packs, with the well-known prefix of NAT64; no policies. The caller frees it. */
static inline struct image *image_of(struct pack *const packs[], unsigned n)
{
	const struct net     well_known = NAT64_WELL_KNOWN;
	struct err           err = { .text = "" };
	struct image_builder b;
	struct image        *img;

	image_init(&b);
	image_add(&b, RS_NAT64, &well_known, 1, sizeof(well_known));
	if (ruleset_compile(&b, packs, n, &err) < 0 || ruleset_index(&b, &err) < 0)
		fail_msg("%s", err.text);
	img = image_finish(&b);
	image_fini(&b);
	assert_non_null(img);
	return img;
}

#endif
