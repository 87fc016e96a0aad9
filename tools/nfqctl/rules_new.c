/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules new: asks for what a pack needs, one question at a time, and writes a pack that lints. Every
 * answer is checked before the next question; rules_new_write.c writes the answers.
 */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "match/pattern.h"
#include "match/ruleset.h"
#include "nfqctl.h"
#include "rules_lint.h"
#include "rules_new.h"

/* ---- one question -------------------------------------------------------------------------- */

/* What is wrong with an answer; NULL: nothing. why has room for a text of its own. */
typedef const char *new_check(const char *answer, struct err *why);

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t");
	for (n = strlen(text); n > 0 && strchr(" \t\r\n", text[n - 1]); n--)
		continue;
	text[n] = '\0';
	return text;
}

/* Asks until the answer is right. Returns false at the end of the input. */
static bool ask_for(const char *question, const char *standard, new_check *check, char out[static NEW_TEXT])
{
	char       *line = NULL, *answer;
	size_t      room = 0;
	bool        ok = false;
	const char *why;

	while (!ok) {
		struct err text = { .text = "" };

		fprintf(stderr, "%s%s%s%s: ", question, standard ? " [" : "", standard ? standard : "",
		        standard ? "]" : "");
		if (getline(&line, &room, stdin) <= 0)
			break;
		answer = trim(line);
		if (!*answer && standard)
			answer = (char *)standard;
		why = strlen(answer) >= NEW_TEXT ? "is too long" : check(answer, &text);
		if (why)
			fprintf(stderr, "'%s' %s\n", answer, why);
		else
			snprintf(out, NEW_TEXT, "%s", answer);
		ok = !why;
	}
	free(line);
	return ok;
}

/* ---- what an answer must be ---------------------------------------------------------------- */

static const char *check_text(const char *text, struct err *why)
{
	(void)why;
	if (!*text)
		return "is empty";
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return "contains a control character";
	return NULL;
}

static const char *check_id(const char *text, struct err *why)
{
	(void)why;
	if (!*text || text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] || strlen(text) > 40)
		return "is not made of up to 40 small letters, digits and '-'";
	return NULL;
}

static const char *check_url(const char *text, struct err *why)
{
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		return "does not begin with https://";
	return check_text(text, why) ? check_text(text, why) : lint_url(text);
}

static const char *check_name(const char *text, struct err *why)
{
	struct pattern p;

	if (pattern_parse(&p, text, why) < 0)
		return why->text;
	if (p.kind != PATTERN_EXACT && hostname_is_public_suffix(p.text))
		return "is a public suffix, under which anyone can have names";
	if (!hostname_idna_ok(p.text))
		return "has an xn-- label that IDNA would not make";
	return NULL;
}

static const char *check_names(const char *text, struct err *why)
{
	char        copy[NEW_TEXT], *save, *name;
	const char *wrong = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	name = strtok_r(copy, NEW_BLANKS, &save);
	if (!name)
		return "is empty";
	for (; name && !wrong; name = wrong ? name : strtok_r(NULL, NEW_BLANKS, &save)) {
		struct err one = { .text = "" };

		wrong = check_name(name, &one);
		if (wrong)
			err_set(why, "has a name that cannot be listed: '%s': %s", name, wrong);
	}
	return wrong ? why->text : NULL;
}

static const char *check_category(const char *text, struct err *why)
{
	size_t used = 0;

	if (word_find(category_words, text) >= 0)
		return NULL;
	for (unsigned i = 0; i < CAT_N && used < sizeof(why->text); i++)
		used += (size_t)snprintf(why->text + used, sizeof(why->text) - used, "%s%s",
		                         i ? ", " : "is not one of ", category_words[i]);
	return why->text;
}

static const char *check_action(const char *text, struct err *why)
{
	(void)why;
	return strcmp(text, "block") == 0 || strcmp(text, "log") == 0 || strcmp(text, "allow") == 0 ?
	               NULL :
	               "is not one of block, log, allow";
}

static const char *check_yes(const char *text, struct err *why)
{
	(void)why;
	return strcmp(text, "y") == 0 || strcmp(text, "n") == 0 ? NULL : "is not y or n";
}

/* ---- the questions ------------------------------------------------------------------------- */

/* "ACME Cameras" -> acme-cameras */
static void slug(const char *vendor, char *out, size_t room)
{
	size_t n = 0;

	for (; *vendor && n + 1 < room; vendor++)
		if (isalnum((unsigned char)*vendor))
			out[n++] = (char)tolower((unsigned char)*vendor);
		else if (n > 0 && out[n - 1] != '-')
			out[n++] = '-';
	while (n > 0 && out[n - 1] == '-')
		n--;
	out[n] = '\0';
}

static bool ask_entry(struct new_entry *e)
{
	return ask_for("Names, with blanks between them (a.example.com, .example.com, s[00-19].example.com)", NULL,
	               check_names, e->names) &&
	       ask_for("What they are for (telemetry, update, firmware, crash, push, web, ...)", "telemetry",
	               check_category, e->category) &&
	       ask_for("What a user notices when they are blocked", NULL, check_text, e->side_effect) &&
	       ask_for("block, log (only recorded) or allow (kept open)", "block", check_action, e->action);
}

static bool ask_entries(struct new_pack *p)
{
	char more[NEW_TEXT] = "y";

	while (p->n_entries < NEW_ENTRIES && strcmp(more, "y") == 0) {
		if (!ask_entry(&p->entries[p->n_entries]))
			return false;
		p->n_entries++;
		if (!ask_for("Another entry (y, n)", "n", check_yes, more))
			return false;
	}
	return true;
}

static bool ask_pack(struct new_pack *p)
{
	char id[41];

	slug(p->vendor, id, sizeof(id));
	return ask_for("The pack's id", id[0] ? id : NULL, check_id, p->id) &&
	       ask_for("What the pack is about, in a line", p->vendor, check_text, p->title) &&
	       ask_for("Who says so: the address of the page or list", NULL, check_url, p->url) &&
	       ask_for("Its title, with its date", NULL, check_text, p->source_title) &&
	       ask_for("Who publishes it (vendor: the vendor itself)", "vendor", check_text, p->publisher) &&
	       ask_entries(p);
}

/* ---- the command --------------------------------------------------------------------------- */

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl rules new [--out FILE] VENDOR\n");
	return result;
}

static int run(struct new_pack *p, char *out)
{
	struct err why = { .text = "" };
	char       path[NEW_TEXT + 16], *lint[] = { (char[]){ "nfqctl rules lint" }, out ? out : path, NULL };
	int        r;

	if (check_text(p->vendor, &why)) {
		fprintf(stderr, "nfqctl: '%s' %s\n", p->vendor, check_text(p->vendor, &why));
		return CTL_USAGE;
	}
	if (!ask_pack(p)) {
		fprintf(stderr, "\nnfqctl: the answers ended: nothing is written\n");
		return CTL_FAILED;
	}
	snprintf(path, sizeof(path), "%s%s.yaml", access("rules", F_OK) == 0 ? "rules/" : "", p->id);
	if (new_write(p, lint[1]) < 0)
		return CTL_FAILED;
	optind = 1;
	r = cmd_rules_lint(NULL, 2, lint);
	printf("%s: written%s\n", lint[1], r == CTL_DONE ? ", and it lints" : "; mend what lint says");
	return r;
}

int cmd_rules_new(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "out", required_argument, NULL, 'o' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	struct new_pack           *p;
	char                      *out = NULL;
	int                        o, r;

	(void)ctl;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o != 'o')
			return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
		out = optarg;
	}
	if (!words_are(argc, argv, "VENDOR"))
		return usage(stderr, CTL_USAGE);
	p = calloc(1, sizeof(*p));
	if (!p) {
		fprintf(stderr, "nfqctl: out of memory\n");
		return CTL_FAILED;
	}
	p->vendor = argv[optind];
	r = run(p, out);
	free(p);
	return r;
}
