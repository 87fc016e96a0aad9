/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint against rules/never.yaml: a name that would block what must stay open, with the line of both. */
#include <stdio.h>
#include <stdlib.h>

#include "match/never.h"
#include "rules_lint.h"

static void say_hit(void *ctx, const struct never_hit *hit)
{
	char text[800];

	never_text(hit, text, sizeof(text));
	lint_wrong(ctx, hit->pack->path, never_line(hit), "%s", text);
}

void lint_never(struct lint *l, struct pack *p, bool broken)
{
	struct err           err = { .text = "" };
	struct image_builder b;
	struct image        *img = NULL;
	struct ruleset       rs;

	if (!l->never)
		return;
	image_init(&b);
	if (ruleset_compile(&b, &p, 1, &err) == 0 && ruleset_index(&b, &err) == 0)
		img = image_finish(&b);
	image_fini(&b);
	if (img) {
		ruleset_open(&rs, img);
		if (never_check(l->never, &p, 1, &rs, say_hit, l, &err) < 0)
			lint_wrong(l, NULL, 0, "%s", err.text);
	} else if (!broken) {
		lint_wrong(l, NULL, 0, "%s", err.text[0] ? err.text : "out of memory");
	}
	free(img);
}
