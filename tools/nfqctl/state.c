/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl state: what was told to one daemon of a pair, for the other one: its exceptions and its mode. A line of JSON
 * each, so that a mistake has a file and a line; the first line says what the file is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/policy.h"
#include "nfqctl.h"
#include "shared/conf.h"

#define MAGIC "nfqd-state"

enum { VERSION = 1 };

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl state export\n       nfqctl state import FILE|-\n");
	return result;
}

static json_t *ask_for(const struct nfqctl *ctl, const char *command)
{
	return ask(ctl, json_pack("{s:s}", "command", command));
}

/* Was it made by `nfqctl allow`, and has it not ended? Others are the configuration's. */
static bool is_told(const json_t *e)
{
	return strcmp(text_of(e, "from"), "allow") == 0 && !json_is_true(json_object_get(e, "expired"));
}

/* As the file has it. */
static json_t *line_of(const json_t *e)
{
	return json_pack("{s:O, s:O*, s:O, s:O, s:O}", "name", json_array_get(json_object_get(e, "names"), 0), "client",
	                 json_array_get(json_object_get(e, "clients"), 0), "owner", json_object_get(e, "owner"), "reason",
	                 json_object_get(e, "reason"), "expires", json_object_get(e, "expires"));
}

/* ---- export -------------------------------------------------------------------------------- */

/* Takes o. */
static void put_line(json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* The mode is null where nobody set one: the other daemon has a configuration of its own. */
static void put_head(const json_t *mode)
{
	bool told = json_is_string(json_object_get(mode, "mode_until")) ||
	            strcmp(text_of(mode, "mode"), text_of(mode, "mode_configured")) != 0;

	put_line(json_pack("{s:i, s:o, s:o}", MAGIC, VERSION, "mode",
	                   told ? json_incref(json_object_get(mode, "mode")) : json_null(), "until",
	                   told ? json_incref(json_object_get(mode, "mode_until")) : json_null()));
}

static int run_export(struct nfqctl *ctl, int argc, char **argv)
{
	json_t *mode, *exceptions = NULL, *e;
	size_t  i;

	if (argc != 1) {
		wrong_usage(argv[0], "it takes no arguments");
		return usage(stderr, CTL_USAGE);
	}
	mode = ask_for(ctl, "mode");
	if (mode)
		exceptions = ask_for(ctl, "exceptions");
	if (exceptions) {
		put_head(mode);
		json_array_foreach(json_object_get(exceptions, "exceptions"), i, e)
			if (is_told(e))
				put_line(line_of(e));
	}
	json_decref(mode);
	json_decref(exceptions);
	return exceptions ? CTL_DONE : CTL_FAILED;
}

/* ---- reading ------------------------------------------------------------------------------- */

struct reading {
	const char *path;
	unsigned    line;
	json_t     *head, *exceptions;
	struct err  err;
};

static int wrong(struct reading *r, const char *what)
{
	return err_set(&r->err, "%s:%u: %s", r->path, r->line, what);
}

/* NULL is a date, too, where none is needed. */
static bool is_date(const json_t *o, const char *key)
{
	const char *date = json_string_value(json_object_get(o, key));
	int64_t     seconds;

	return date ? clock_parse(date, &seconds) == 0 : json_is_null(json_object_get(o, key));
}

static int take_head(struct reading *r, json_t *o)
{
	const json_t *mode = json_object_get(o, "mode");

	if (json_integer_value(json_object_get(o, MAGIC)) != VERSION)
		return wrong(r, "not what nfqctl state export writes (of this version)");
	if (!json_is_null(mode) && (!json_is_string(mode) || word_find(mode_words, json_string_value(mode)) < 0))
		return wrong(r, "mode is none of enforce, log, off and null");
	if (!is_date(o, "until"))
		return wrong(r, "until is neither a date nor null");
	r->head = json_incref(o);
	return 0;
}

static int take_exception(struct reading *r, json_t *o)
{
	char               *name = (char *)(uintptr_t)json_string_value(json_object_get(o, "name"));
	char               *client = (char *)(uintptr_t)json_string_value(json_object_get(o, "client"));
	char                id[] = "state";
	struct exception_in in = { .name = id, .names = &name, .n_names = 1, .clients = &client, .n_clients = client ? 1 : 0,
		                   .owner = (char *)(uintptr_t)json_string_value(json_object_get(o, "owner")),
		                   .reason = (char *)(uintptr_t)json_string_value(json_object_get(o, "reason")),
		                   .expires = (char *)(uintptr_t)json_string_value(json_object_get(o, "expires")) };
	struct err          err = { .text = "" };

	if (!name || !in.owner || !in.reason || !in.expires)
		return wrong(r, "an exception has name, owner, reason and expires, all of them text");
	if (json_object_get(o, "client") && !client)
		return wrong(r, "client is not text");
	if (conf_check_exception(&in, &err) < 0)
		return wrong(r, err.text);
	json_array_append(r->exceptions, o);
	return 0;
}

static int take_line(struct reading *r, const char *text)
{
	json_error_t at;
	json_t      *o = json_loads(text, JSON_REJECT_DUPLICATES, &at);
	int          n;

	if (!json_is_object(o))
		n = wrong(r, o ? "not a JSON object" : at.text);
	else
		n = r->head ? take_exception(r, o) : take_head(r, o);
	json_decref(o);
	return n;
}

static int read_all(struct reading *r, FILE *f)
{
	char  *text = NULL;
	size_t room = 0;
	int    n = 0;

	r->exceptions = json_array();
	while (n == 0 && getline(&text, &room, f) > 0) {
		r->line++;
		n = take_line(r, text);
	}
	free(text);
	if (n == 0 && ferror(f))
		n = err_set(&r->err, "%s: %s", r->path, strerror(errno));
	if (n == 0 && !r->head)
		n = err_set(&r->err, "%s: it is empty", r->path);
	return n;
}

/* ---- import -------------------------------------------------------------------------------- */

struct import {
	const struct nfqctl *ctl;
	unsigned             made, revoked, ended;
	json_t              *here; /* as in the file */
};

static bool has(const json_t *all, const json_t *one)
{
	const json_t *e;
	size_t        i;

	json_array_foreach(all, i, e)
		if (json_equal(e, one))
			return true;
	return false;
}

static bool is_over(const json_t *e)
{
	int64_t end;

	return clock_parse(text_of(e, "expires"), &end) == 0 && end <= (int64_t)(clock_now() / NS_PER_S);
}

/* Takes the request. */
static bool tell(const struct import *im, json_t *request)
{
	json_t *answer = ask(im->ctl, request);
	bool    done = answer != NULL;

	json_decref(answer);
	return done;
}

/* What the file does not have was revoked there. */
static bool revoke_others(struct import *im, const json_t *wanted)
{
	json_t *answer = ask_for(im->ctl, "exceptions"), *e;
	bool    done = answer != NULL;
	size_t  i;

	json_array_foreach(json_object_get(answer, "exceptions"), i, e) {
		json_t *one = is_told(e) ? line_of(e) : NULL;

		if (one && has(wanted, one)) {
			json_array_append(im->here, one);
		} else if (one && done) {
			done = tell(im, json_pack("{s:s, s:O}", "command", "revoke", "which", json_object_get(e, "id")));
			im->revoked += done;
		}
		json_decref(one);
	}
	json_decref(answer);
	return done;
}

static bool make_missing(struct import *im, const json_t *wanted)
{
	json_t *e;
	size_t  i;
	bool    done = true;

	json_array_foreach(wanted, i, e) {
		if (is_over(e)) {
			im->ended++;
		} else if (done && !has(im->here, e)) {
			done = tell(im, json_pack("{s:s, s:O, s:O*, s:O, s:O, s:O}", "command", "allow", "name",
			                          json_object_get(e, "name"), "client", json_object_get(e, "client"), "owner_there",
			                          json_object_get(e, "owner"), "reason", json_object_get(e, "reason"), "until",
			                          json_object_get(e, "expires")));
			im->made += done;
		}
	}
	return done;
}

/* A mode that nobody set there, or whose time is over, is the configured one here. */
static bool set_mode(struct import *im, const json_t *head)
{
	json_t     *now = ask_for(im->ctl, "mode");
	const char *until = json_string_value(json_object_get(head, "until"));
	const char *mode = json_string_value(json_object_get(head, "mode"));
	char        length[32];
	int64_t     end = 0, left = 0;
	bool        done;

	if (!now)
		return false;
	if (until && clock_parse(until, &end) == 0)
		left = end - (int64_t)(clock_now() / NS_PER_S);
	if (!mode || (until && left <= 0))
		mode = text_of(now, "mode_configured");
	snprintf(length, sizeof(length), "%llds", (long long)left);
	done = tell(im, json_pack("{s:s, s:s, s:s*}", "command", "mode", "mode", mode, "for", left > 0 ? length : NULL));
	json_decref(now);
	return done;
}

static int import(const struct nfqctl *ctl, const struct reading *r)
{
	struct import im = { .ctl = ctl, .here = json_array() };
	bool          done = revoke_others(&im, r->exceptions) && make_missing(&im, r->exceptions) && set_mode(&im, r->head);

	printf("%u made, %u revoked, %u had ended\n", im.made, im.revoked, im.ended);
	json_decref(im.here);
	return done ? CTL_DONE : CTL_FAILED;
}

static int run_import(struct nfqctl *ctl, int argc, char **argv)
{
	struct reading r = { .path = argc > 1 ? argv[1] : "" };
	bool           is_stdin = strcmp(r.path, "-") == 0;
	FILE          *f;
	int            result = CTL_FAILED;

	if (argc != 2) {
		wrong_usage(argv[0], "one file is wanted");
		return usage(stderr, CTL_USAGE);
	}
	f = is_stdin ? stdin : fopen(r.path, "re");
	if (!f)
		err_set(&r.err, "%s: %s", r.path, strerror(errno));
	else if (read_all(&r, f) == 0)
		result = import(ctl, &r);
	if (r.err.text[0])
		fprintf(stderr, "%s: %s\n", argv[0], r.err.text);
	if (f && !is_stdin)
		fclose(f);
	json_decref(r.head);
	json_decref(r.exceptions);
	return result;
}

const struct nfqctl_command state_commands[] = {
	{ "export", run_export, "", "write exceptions and mode that this daemon was told, for the other one of a pair" },
	{ "import", run_import, "FILE|-", "have these and no others; a mistake is said with file and line, and nothing is changed" },
	{ NULL, NULL, NULL, NULL },
};

int cmd_state(struct nfqctl *ctl, int argc, char **argv)
{
	return nfqctl_run_group(state_commands, "nfqctl state", ctl, argc, argv);
}
