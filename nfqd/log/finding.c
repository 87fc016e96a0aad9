/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an alert says about its rule, in EVE's words and numbers. Without printf(): every record calls it. */
#include "log/finding.h"

uint64_t finding_revision(const struct finding *f)
{
	const char *version = rs_text(f->rs, f->pack->version);
	uint64_t    part[4] = { 0 };
	unsigned    n = 0;

	for (; *version && n < 4; version++)
		if (*version >= '0' && *version <= '9')
			part[n] = (part[n] * 10 + (uint64_t)(*version - '0')) % 10000;
		else
			n++;
	if (part[2] == 0) /* not a date */
		return 1;
	return ((part[0] * 100 + part[1] % 100) * 100 + part[2] % 100) * 100 + part[3] % 100;
}

/* Appends as much of a word as fits, and a NUL. */
static void add_word(char *text, size_t room, const char *word)
{
	size_t have = strlen(text), n = strlen(word);

	if (n >= room - have)
		n = room - have - 1;
	memcpy(text + have, word, n);
	text[have + n] = '\0';
}

void finding_signature(const struct finding *f, char out[FINDING_SIGNATURE])
{
	out[0] = '\0';
	add_word(out, FINDING_SIGNATURE - 32, rs_text(f->rs, f->pack->vendor));
	add_word(out, FINDING_SIGNATURE, " ");
	add_word(out, FINDING_SIGNATURE, category_words[f->rule->category]);
	add_word(out, FINDING_SIGNATURE, " endpoint");
}
