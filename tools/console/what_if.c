/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What if: the names that machines called, judged by another pack or at another date. Packs and configuration are
 * compiled at the start, while there are files. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/image.h"
#include "decide/policy.h"
#include "html.h"
#include "nfqctl/preview.h"
#include "pages.h"
#include "shared/conf.h"

#ifndef NFQD_DATADIR
#define NFQD_DATADIR "/usr/share/nfqd/rules"
#endif

enum { RULES_MAX = 64, ROWS = 300 };

struct what_if {
	unsigned n;
	struct {
		char         *name; /* NULL: the configuration */
		struct image *image;
	} v[RULES_MAX];
	const char *words[RULES_MAX + 1]; /* what one may choose; ends with NULL */
};

/* ---- at the start ---- */

static void add(struct what_if *w, const char *name, struct conf *conf, const struct err *why)
{
	struct image *image = NULL;
	struct err    err = *why;

	if (w->n < RULES_MAX && conf && conf_compile(conf, &image, &err) == 0) {
		w->v[w->n].name = name ? strdup(name) : NULL;
		w->v[w->n].image = image;
		w->words[w->n] = w->v[w->n].name ? w->v[w->n].name : t(T_CONFIGURATION);
		w->n++;
	} else {
		diag_warn("what-if", "%s", err.text);
	}
	conf_free(conf);
}

static void add_pack(struct what_if *w, char *path)
{
	const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct err  err = { .text = "" };
	char        name[64];

	if (strcmp(file, "never.yaml") == 0 || strcmp(file, "canary.yaml") == 0 || strcmp(file, "TEMPLATE.yaml") == 0)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(file, "."), file);
	add(w, name, conf_default(&path, 1, &err), &err);
}

struct what_if *what_if_read(const char *conf)
{
	struct what_if *w = calloc(1, sizeof(*w));
	struct err      err = { .text = "" };
	glob_t          found;

	if (!w)
		return NULL;
	if (conf)
		add(w, NULL, conf_load(conf, &err), &err);
	if (glob("rules/*.yaml", 0, NULL, &found) != 0 && glob(NFQD_DATADIR "/*.yaml", 0, NULL, &found) != 0)
		return w;
	for (size_t i = 0; i < found.gl_pathc; i++)
		add_pack(w, found.gl_pathv[i]);
	globfree(&found);
	return w;
}

void what_if_free(struct what_if *w)
{
	for (unsigned i = 0; w && i < w->n; i++) {
		free(w->v[i].name);
		free(w->v[i].image);
	}
	free(w);
}

/* ---- the answer ---- */

static bool choose(const struct page *p, unsigned *which)
{
	const struct what_if *w = p->console->what_if;
	const char           *pack = field(p->fields, "pack");

	for (*which = 0; *which < w->n; ++*which)
		if (!*pack || strcmp(w->words[*which], pack) == 0)
			return true;
	return false;
}

static bool prepare(const struct page *p, unsigned which, struct preview_run *run, struct err *err)
{
	const char *at = field(p->fields, "at");

	ruleset_open(&run->rs, p->console->what_if->v[which].image);
	run->seconds = policy_present(&run->rs, (int64_t)(clock_now() / NS_PER_S));
	run->at = *at ? at : NULL;
	if (!*at || clock_parse(at, &run->seconds) == 0)
		return true;
	err_set(err, "'%s' is not a time (write 2024-09-29 or 2024-09-29T04:00:00Z)", at);
	return false;
}

static int judge(const struct page *p, struct preview_run *run, struct err *err)
{
	json_t *question = machines_question(p, "names", "7d", err);

	return question ? ask_names(p->console, question, preview_machine, run, err) : -1;
}

void api_preview(struct page *p, struct err *err)
{
	struct preview_run run = { .row = preview_json_row, .out = p->f };
	unsigned           which;

	if (!choose(p, &which)) {
		err_set(err, "no such pack");
		return;
	}
	if (!prepare(p, which, &run, err))
		return;
	preview_json_begin(&run);
	if (judge(p, &run, err) == 0)
		preview_json_end(&run);
}

/* ---- the page ---- */

static void row(const struct preview_run *run, const json_t *machine, const json_t *one, const struct why_rule *now, bool first)
{
	FILE       *f = run->out;
	const char *name = json_string_value(json_object_get(machine, "name"));

	(void)first;
	if (run->rows >= ROWS)
		return;
	fputs("<tr><th scope=row><a href=\"/machine?id=", f);
	url_part(f, text_of(machine, "id"));
	fputs("\">", f);
	html_foreign(f, name ? name : text_of(machine, "id"));
	fputs("</a></th>", f);
	html_cell(f, text_of(one, "name"));
	html_number(f, preview_times(one));
	html_cell(f, now->would);
	html_cell(f, now->rule);
	html_cell(f, now->side_effect);
	fputs("</tr>\n", f);
}

/* What a person writes to have it so. */
static void yaml(FILE *f, const char *pack)
{
	html_paragraph(f, T_YAML_TO_WRITE);
	fprintf(f, "<pre id=yaml>rules:\n  - rules/%s.yaml\npolicies:\n  - name: %s\n    match: {packs: [%s]}\n    action: stage\n    dns: nxdomain</pre>\n",
	        pack, pack, pack);
}

static void results(struct page *p, unsigned which)
{
	static const int   heads[] = { T_MACHINE, T_NAME, -T_TIMES, T_WOULD, T_RULE, T_EFFECT, TEXTS_N };
	struct preview_run run = { .row = row, .out = p->f };
	struct err         err = { .text = "" };
	const char        *pack = p->console->what_if->v[which].name;

	if (!prepare(p, which, &run, &err)) {
		p->status = 400;
		page_note(p->f, err.text);
		return;
	}
	html_table(p->f, T_WHAT_IF, heads);
	if (judge(p, &run, &err) < 0)
		p->status = 502;
	html_table_end(p->f);
	if (err.text[0])
		page_note(p->f, err.text);
	fprintf(p->f, "<p>%s <b>%lld</b> %s.", t(T_AT_LEAST), run.machines, t(T_WHAT_IF_SUM));
	if (run.rows > ROWS)
		fprintf(p->f, " %lld %s.", run.rows - ROWS, t(T_MORE));
	fputs("</p>\n", p->f);
	if (pack)
		yaml(p->f, pack);
}

void page_what_if(struct page *p)
{
	static const char *const spans[] = { "24h", "7d", "30d", NULL };
	const struct what_if    *w = p->console->what_if;
	const char              *since = field(p->fields, "since");
	unsigned                 which = 0;
	bool                     known = choose(p, &which);

	page_begin(p, T_WHAT_IF, "/what-if");
	html_paragraph(p->f, w->n ? T_WHAT_IF_WHY : T_NO_RULES);
	fputs("<form class=filter action=\"/what-if\">", p->f);
	form_select(p->f, T_PACK, "pack", w->words, field(p->fields, "pack"));
	form_input(p->f, T_AT_DATE, "at", field(p->fields, "at"), "maxlength=32 placeholder=2027-01-01");
	form_select(p->f, T_PERIOD, "since", spans, *since ? since : "7d");
	form_end(p->f, T_SHOW);
	if (*field(p->fields, "pack") && known)
		results(p, which);
	else if (*field(p->fields, "pack"))
		page_note(p->f, t(T_NOT_FOUND));
	page_end(p);
}
