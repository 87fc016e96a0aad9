/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pack's own tests: the names it says must match, must not match, or must come out allowed. */
#include <stdlib.h>

#include "base/yaml.h"
#include "match/pack.h"
#include "match/ruleset.h"

enum outcome { MUST_ALLOW, MUST_MATCH, MUST_NOT_MATCH };

struct tester {
	struct pack   *p;
	struct ruleset rs;
	struct err    *err;
	bool           failed;
};

static void test_names(struct tester *t, const char *list, char *const names[], unsigned n,
                       enum outcome expected)
{
	static const char *const words[] = {
		[MUST_ALLOW] = "comes out allowed by an entry with action allow",
		[MUST_MATCH] = "matches an entry",
		[MUST_NOT_MATCH] = "matches no entry",
	};

	for (unsigned i = 0; i < n; i++) {
		const struct rs_rule *rule;
		struct match          m = { .n = 0 };
		struct name           name;
		enum outcome          got;

		if (name_canonical(&name, span_str(names[i])))
			ruleset_match_name(&t->rs, &name, &m);
		rule = m.n ? &t->rs.rules[m.hits[0].rule] : NULL;
		got = !rule ? MUST_NOT_MATCH : rule->action == ENTRY_ALLOW ? MUST_ALLOW : MUST_MATCH;
		if (got == expected)
			continue;
		t->failed = true;
		yaml_doc_error(t->p->doc, t->err, yaml_doc_line(t->p->doc, "tests.%s[%u]", list, i),
		               "test %s: '%s' %s%s%s%s", list, names[i], words[got],
		               rule ? " ('" : "", rule ? rs_text(&t->rs, rule->id) : "",
		               rule ? "')" : "");
	}
}

static void test_all(struct tester *t)
{
	const struct pack_tests *tests = t->p->tests;

	if (!tests)
		return;
	test_names(t, "allow", tests->allow, tests->n_allow, MUST_ALLOW);
	test_names(t, "match", tests->match, tests->n_match, MUST_MATCH);
	test_names(t, "no_match", tests->no_match, tests->n_no_match, MUST_NOT_MATCH);
}

int pack_test(struct pack *p, struct err *err)
{
	struct tester        t = { .p = p, .err = err };
	struct image_builder b;
	struct image        *img = NULL;

	image_init(&b);
	if (ruleset_compile(&b, &p, 1, err) < 0 || ruleset_index(&b, err) < 0) {
		image_fini(&b);
		return -1;
	}
	img = image_finish(&b);
	image_fini(&b);
	if (!img)
		return err_set(err, "%s: out of memory", p->path);
	ruleset_open(&t.rs, img);
	test_all(&t);
	free(img);
	return t.failed ? -1 : 0;
}
