/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state file: reads and checks it, changes it, writes it. */
#include "shared/state.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/regular.h"
#include "shared/conf.h"
#include "shared/file.h"

enum { VERSION = 1, EXCEPTIONS_KEPT_MAX = 4096 };
#define LAST_ID_MAX (INT64_C(1) << 53) /* the largest number that every reader of JSON keeps exactly (RFC
				        * 8259, 6) */

struct kept {
	struct exception_in in;
	char               *name, *client; /* what the lists of in hold */
};

/* ---- exceptions as policies want them ------------------------------------------------------ */

static json_t *exceptions_of(const struct state *s)
{
	return json_object_get(s->doc, "exceptions");
}

/* The state never writes through it; struct exception_in is not const because libcyaml fills it. */
static char *text_of(const json_t *o, const char *key)
{
	return (char *)(uintptr_t)json_string_value(json_object_get(o, key));
}

static void keep(struct kept *k, const json_t *o)
{
	k->name = text_of(o, "name");
	k->client = text_of(o, "client");
	k->in = (struct exception_in){ .name = text_of(o, "id"),
		                       .names = &k->name,
		                       .n_names = 1,
		                       .clients = &k->client,
		                       .n_clients = k->client ? 1 : 0,
		                       .owner = text_of(o, "owner"),
		                       .reason = text_of(o, "reason"),
		                       .expires = text_of(o, "expires") };
}

/* Call it whenever the document has changed. */
static int refresh(struct state *s, struct err *err)
{
	size_t       n = json_array_size(exceptions_of(s));
	struct kept *kept = calloc(n + 1, sizeof(*kept));

	free(s->kept);
	s->kept = kept;
	s->n_kept = kept ? (unsigned)n : 0;
	if (!kept)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < n; i++)
		keep(&kept[i], json_array_get(exceptions_of(s), i));
	return 0;
}

unsigned state_n_exceptions(const struct state *s)
{
	return s->n_kept;
}

const struct exception_in *state_exception(const struct state *s, unsigned i)
{
	return &s->kept[i].in;
}

/* ---- reading ------------------------------------------------------------------------------- */

static json_t *empty(void)
{
	return json_pack("{s:i, s:i, s:[], s:{}}", "version", VERSION, "last_id", 0, "exceptions",
	                 "first_seen");
}

static int check_exception(const json_t *o, struct err *err)
{
	struct err  why = { .text = "" };
	struct kept k;

	keep(&k, o);
	if (!k.in.name || !k.name || (json_object_get(o, "client") && !k.client))
		return err_set(err, "an exception without id or name, or with a client that is not text");
	if (conf_check_exception(&k.in, &why) < 0)
		return err_set(err, "%s", why.text);
	return 0;
}

static int check_date(const char *pack, const json_t *date, struct err *err)
{
	int64_t seconds;

	if (!json_is_string(date) || clock_parse(json_string_value(date), &seconds) < 0)
		return err_set(err, "first_seen of pack '%s' is not a date", pack);
	return 0;
}

/* Members that older files lack may be missing. */
static int check_ended(json_t *ended, struct err *err)
{
	const char *id;
	json_t     *item;

	if (ended && !json_is_object(ended))
		return err_set(err, "ended is not an object");
	json_object_foreach(ended, id, item)
		if (!json_is_string(item))
			return err_set(err, "the end of '%s' is not text", id);
	return 0;
}

static bool is_id(const json_t *last)
{
	return json_is_integer(last) && json_integer_value(last) >= 0 &&
	       json_integer_value(last) <= LAST_ID_MAX;
}

static int check(json_t *doc, struct err *err)
{
	json_t     *exceptions = json_object_get(doc, "exceptions"), *item;
	json_t     *first_seen = json_object_get(doc, "first_seen");
	const char *pack;
	size_t      i;

	if (json_integer_value(json_object_get(doc, "version")) != VERSION ||
	    !is_id(json_object_get(doc, "last_id")) || !json_is_array(exceptions) ||
	    !json_is_object(first_seen))
		return err_set(err, "not a state file of version %d", VERSION);
	json_array_foreach(exceptions, i, item)
		if (check_exception(item, err) < 0)
			return -1;
	json_object_foreach(first_seen, pack, item)
		if (check_date(pack, item, err) < 0)
			return -1;
	return check_ended(json_object_get(doc, "ended"), err);
}

static json_t *read_file(const char *path, struct err *err)
{
	struct err   why = { .text = "" };
	FILE        *file = regular_fopen(path);
	json_error_t e;
	json_t      *doc;

	if (!file && (errno == ENOENT || errno == ENOTDIR))
		return empty();
	doc = file ? json_loadf(file, JSON_REJECT_DUPLICATES, &e) : NULL;
	if (!file) {
		err_set(err, "%s: %s", path, regular_error(errno));
	} else if (!doc) {
		err_set(err, "%s:%d: %s", path, e.line, e.text);
	} else if (check(doc, &why) < 0) {
		err_set(err, "%s: %s", path, why.text);
		json_decref(doc);
		doc = NULL;
	}
	if (file)
		fclose(file);
	return doc;
}

int state_read(struct state *s, const char *path, struct err *err)
{
	int r = 0;

	*s = (struct state){ .path = path };
	s->doc = read_file(path, err);
	if (!s->doc) {
		r = -1;
		s->doc = empty();
	}
	return refresh(s, err) < 0 ? -1 : r;
}

/* A file that cannot be moved away is not overwritten, either. */
static void set_aside(struct state *s)
{
	char aside[4096], when[CLOCK_TEXT];

	clock_text_iso((int64_t)(clock_now() / NS_PER_S), when);
	snprintf(aside, sizeof(aside), "%s.damaged-%s", s->path, when);
	if (rename(s->path, aside) == 0) {
		diag_error("state", "%s; it is kept as %s, and its exceptions are not in force",
		           s->problem.text, aside);
		return;
	}
	diag_error("state", "%s; it is left as it is, and nothing new survives a restart",
	           s->problem.text);
	s->path = NULL;
}

void state_open(struct state *s, const char *path)
{
	struct err problem = { .text = "" };

	file_make_folder(path);
	if (state_read(s, path, &problem) == 0)
		return;
	s->problem = problem;
	set_aside(s);
}

void state_fini(struct state *s)
{
	json_decref(s->doc);
	free(s->kept);
	*s = (struct state){ .path = NULL };
}

/* ---- writing ------------------------------------------------------------------------------- */

int state_save(struct state *s, struct err *err)
{
	int r;

	if (!s->changed)
		return 0;
	if (!s->path)
		return err_set(err, "%s", s->problem.text[0] ? s->problem.text : "no state file");
	r = file_replace_json(s->path, s->doc);
	if (r < 0)
		return err_set(err, "%s: %s", s->path, strerror(-r));
	s->changed = false;
	return 0;
}

/* ---- changing ------------------------------------------------------------------------------ */

static bool same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return x == y || json_equal(x, y);
}

static bool has_expired(const json_t *o, int64_t now)
{
	int64_t end;

	return clock_parse(text_of(o, "expires"), &end) < 0 || end <= now;
}

static void forget(struct state *s, const json_t *replaced, int64_t now)
{
	json_t *all = exceptions_of(s);

	for (size_t i = json_array_size(all); i-- > 0;) {
		const json_t *o = json_array_get(all, i);

		if (has_expired(o, now) || (same(o, replaced, "name") && same(o, replaced, "client")))
			json_array_remove(all, i);
	}
}

json_t *state_allow(struct state *s, json_t *exception, int64_t now, struct err *err)
{
	json_int_t last = json_integer_value(json_object_get(s->doc, "last_id")) + 1;
	char       when[CLOCK_TEXT], id[32];

	clock_text_iso(now, when);
	snprintf(id, sizeof(id), "allow-%lld", (long long)last);
	if (last > LAST_ID_MAX) {
		err_set(err, "no number is left for another exception");
		goto failed;
	}
	json_object_set_new(exception, "id", json_string(id));
	json_object_set_new(exception, "created", json_string(when));
	if (check_exception(exception, err) < 0)
		goto failed;
	forget(s, exception, now);
	if (json_array_size(exceptions_of(s)) >= EXCEPTIONS_KEPT_MAX) {
		err_set(err, "more than %d exceptions", EXCEPTIONS_KEPT_MAX);
		goto failed;
	}
	json_object_set_new(s->doc, "last_id", json_integer(last));
	json_array_append_new(exceptions_of(s), exception);
	s->changed = true;
	return refresh(s, err) < 0 ? NULL : exception;
failed:
	json_decref(exception);
	return NULL;
}

unsigned state_revoke(struct state *s, const char *id_or_name)
{
	json_t    *all = exceptions_of(s);
	struct err err = { .text = "" };
	unsigned   n = 0;

	for (size_t i = json_array_size(all); i-- > 0;) {
		const json_t *o = json_array_get(all, i);

		if (strcasecmp(text_of(o, "name"), id_or_name) != 0 &&
		    strcmp(text_of(o, "id"), id_or_name) != 0)
			continue;
		json_array_remove(all, i);
		n++;
	}
	if (n == 0 || refresh(s, &err) < 0)
		return 0;
	s->changed = true;
	return n;
}

void state_restore(struct state *s, json_t *doc)
{
	struct err err = { .text = "" };

	json_decref(s->doc);
	s->doc = doc;
	s->changed = true;
	if (refresh(s, &err) < 0)
		diag_error("state", "%s", err.text);
}

int64_t state_first_seen(struct state *s, const char *pack, int64_t now)
{
	json_t *all = json_object_get(s->doc, "first_seen");
	char    when[CLOCK_TEXT];
	int64_t since;

	if (json_object_get(all, pack) && clock_parse(text_of(all, pack), &since) == 0)
		return since;
	if (now == 0)
		return 0;
	clock_text_iso(now, when);
	json_object_set_new(all, pack, json_string(when));
	s->changed = true;
	return now;
}

/* ---- what has ended ------------------------------------------------------------------------ */

bool state_has_ended(const struct state *s, const struct exception_in *e)
{
	const char *noted = json_string_value(json_object_get(json_object_get(s->doc, "ended"), e->name));

	return noted && e->expires && strcmp(noted, e->expires) == 0;
}

static bool ends_by(const struct exception_in *e, int64_t now)
{
	int64_t end;

	return e->expires && clock_parse(e->expires, &end) == 0 && end <= now;
}

static bool ends_anew(const struct state *s, const struct exception_in *e, unsigned n, int64_t now)
{
	for (unsigned i = 0; i < n; i++)
		if (ends_by(&e[i], now) && !state_has_ended(s, &e[i]))
			return true;
	return false;
}

static void add_ended(json_t *ended, const struct state *s, const struct exception_in *e, int64_t now)
{
	if (ends_by(e, now) || state_has_ended(s, e))
		json_object_set_new(ended, e->name, json_string(e->expires));
}

bool state_note_ended(struct state *s, const struct exception_in *of_conf, unsigned n, int64_t now)
{
	bool    anew = ends_anew(s, of_conf, n, now);
	json_t *ended;

	for (unsigned i = 0; i < s->n_kept; i++)
		anew |= ends_anew(s, &s->kept[i].in, 1, now);
	if (!anew)
		return false;
	ended = json_object(); /* exceptions that no longer exist are forgotten */
	for (unsigned i = 0; i < n; i++)
		add_ended(ended, s, &of_conf[i], now);
	for (unsigned i = 0; i < s->n_kept; i++)
		add_ended(ended, s, &s->kept[i].in, now);
	json_object_set_new(s->doc, "ended", ended);
	s->changed = true;
	return true;
}
