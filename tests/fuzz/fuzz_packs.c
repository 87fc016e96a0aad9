/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rule packs: YAML, what a pack must have, and the ruleset that its own tests are run against. */
#include "file.h"

#include "match/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err   err = {.text = ""};
	struct pack *p = pack_load(fuzz_file(data, size), &err);

	FUZZ_CHECK(p || err.text[0]);
	FUZZ_CHECK(memchr(err.text, '\0', sizeof(err.text)));
	if (p && pack_test(p, &err) < 0)
		FUZZ_CHECK(err.text[0]);
	pack_free(p);
	/* as lint reads it: whatever shape it has */
	p = pack_open(fuzz_file(data, size), NULL, NULL, &err);
	if (p && pack_check(p, &err) < 0)
		FUZZ_CHECK(err.text[0]);
	pack_free(p);
	return 0;
}
