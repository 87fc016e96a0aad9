/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqd -t: reads configuration and packs, and says what is wrong, for people or for programs. */
#include "offline/check.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/diag.h"
#include "base/yaml.h"
#include "shared/conf.h"

/* One at a time: warnings come by a sink that has no context. */
static struct {
	json_t  *mistakes, *warnings; /* NULL: they go to standard error */
	unsigned n;
} found;

static void add(json_t *to, const char *text)
{
	json_array_append_new(to, check_message(text));
}

static void say_mistake(void *ctx, const char *text)
{
	(void)ctx;
	found.n++;
	if (found.mistakes)
		add(found.mistakes, text);
	else
		diag_line("nfqd: %s", text);
}

static void keep_warning(enum diag_level level, const char *token, const char *text)
{
	(void)token;
	if (level == DIAG_WARN || level == DIAG_ERROR)
		add(found.warnings, text);
}

/* Nothing is judged of clients behind an interface that is not there; it may come later. */
static void warn_inside(const struct conf *conf)
{
	const struct conf_inspect *in = &conf->inspect;
	struct net                 net;

	for (unsigned i = 0; i < in->n_inside; i++)
		if (strcmp(in->inside[i], "auto") != 0 && net_parse(in->inside[i], &net) < 0 &&
		    if_nametoindex(in->inside[i]) == 0)
			diag_warn("conf", "%s:%u: inside: interface '%s' does not exist: clients behind it are not judged until it does",
			          conf->path ? conf->path : "-", yaml_doc_line(conf->doc, "inspect.inside[%u]", i),
			          in->inside[i]);
}

/* Packs that are files of their own: each mistake; conf_compile() says the first alone. */
static void read_packs(const struct conf *conf)
{
	struct stat st;

	for (unsigned i = 0; i < conf->n_rules; i++) {
		struct err   first = { .text = "" };
		struct pack *p = NULL;

		if (stat(conf->rules[i], &st) == 0 && S_ISREG(st.st_mode))
			p = pack_open(conf->rules[i], say_mistake, NULL, &first);
		if (p && pack_check(p, &first) < 0)
			diag_debug("pack", "%s", first.text);
		pack_free(p);
	}
}

/* With all, also the configuration in effect, as YAML that loads to the same. */
static int print(const struct conf *conf, const char *what, bool all, struct err *err)
{
	printf(all ? "# %s: configuration OK; in effect, with defaults:\n" : "%s: configuration OK\n", what);
	return all && conf_write(conf, stdout) < 0 ? err_set(err, "the configuration cannot be written") : 0;
}

static int print_json(const char *what, int r, struct err *err)
{
	json_t *all = json_pack("{s:s, s:b, s:o, s:o}", "file", what, "ok", r == 0, "mistakes", found.mistakes, "warnings",
	                        found.warnings);

	if (!all || json_dumpf(all, stdout, JSON_INDENT(2)) < 0)
		err_set(err, "what was found cannot be written");
	else
		putchar('\n');
	json_decref(all);
	diag_register(NULL);
	found.mistakes = found.warnings = NULL;
	return r;
}

/* What stopped the check before all was read is a mistake, too. Those that were said are not said again. */
static int sum_up(const char *path, int r, struct err *err)
{
	if (found.n > 0)
		*err = (struct err){ .text = "" };
	if (found.mistakes && r < 0 && err->text[0])
		add(found.mistakes, err->text);
	else if (!found.mistakes && found.n > 1)
		err_set(err, "%s: %u mistakes", path, found.n);
	if (found.mistakes)
		err->text[0] = '\0';
	return found.n > 0 ? -1 : r;
}

int check_run(const struct check_in *in, struct err *err)
{
	const char   *what = in->path ? in->path : in->rules[0];
	struct image *img = NULL;
	struct conf  *conf;
	int           r = -1;

	if (in->json) {
		found.mistakes = json_array();
		found.warnings = json_array();
		diag_register(keep_warning);
	}
	conf = in->path ? conf_load_to_check(in->path, say_mistake, NULL, err)
	                : conf_default(in->rules, in->n_rules, err);
	if (conf) {
		warn_inside(conf);
		read_packs(conf);
		r = conf_compile(conf, &img, err);
	}
	r = sum_up(what, r, err);
	if (in->json)
		r = print_json(what, r, err);
	else if (r == 0)
		r = print(conf, what, in->all, err);
	free(img);
	conf_free(conf);
	return r;
}
