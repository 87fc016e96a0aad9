/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing what the log thread has written. The worker reads hostile bytes and never sees the key: it hands over
 * the subtrees of its latest lines, and they are appended here to the tree that was signed last. So nothing that
 * was signed can be signed again in another form, whoever controls the worker.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "parent/parent_private.h"
#include "shared/file.h"
#include "tlog/checkpoint.h"

enum { PAUSE_MS = 900 }; /* a worker cannot make the parent sign faster */

struct signing {
	struct note_key key;
	struct tree_range tree[OUTPUTS_MAX]; /* as signed last */
	char              note[OUTPUTS_MAX][CHECKPOINT_NOTE];
	uint64_t          due[OUTPUTS_MAX]; /* poller_ms() */
	bool              last[OUTPUTS_MAX]; /* the one of the stop is signed */
	bool              unsaved;
	char              path[PATH_MAX]; /* of the latest checkpoints */
};

/* ---- the record ---------------------------------------------------------------------------- */

static json_t *nodes(const struct tree_range *r)
{
	json_t *all = json_array();
	char    text[TREE_HASH_TEXT];

	for (uint32_t i = 0; i < r->n; i++) {
		tree_hash_text(&r->node[i], text);
		json_array_append_new(all, json_string(text));
	}
	return all;
}

/* The record's members, for the worker to write as they are. With the hashes of the tree a reader can begin at
 * this record, without the lines before it. */
static bool put_members(char out[static LEDGER_MEMBERS], unsigned output, const char *note,
                        const struct tree_range *tree)
{
	json_t *all = json_pack("{s:s, s:i, s:I, s:s, s:o}", "kind", "checkpoint", "output", (int)output,
	                        "size", (json_int_t)tree->end, "note", note, "tree", nodes(tree));
	char   *text = json_dumps(all, JSON_COMPACT);
	size_t  n = text ? strlen(text) : 0;
	bool    fits = n > 2 && n - 2 < LEDGER_MEMBERS;

	if (fits) {
		memcpy(out, text + 1, n - 2);
		out[n - 2] = '\0';
	}
	free(text);
	json_decref(all);
	return fits;
}

/* ---- signing ------------------------------------------------------------------------------- */

/* Only a tree that goes on from the last one. */
static bool sign(struct parent *p, unsigned i)
{
	struct signing   *s = p->signing;
	struct ledger    *l = &p->shared->ledger[i];
	struct tree_range tree = s->tree[i], range;
	struct checkpoint c;

	memcpy(&range, &l->range, sizeof(range)); /* once: a worker could change it meanwhile */
	if (range.end != l->ask || !tree_join(&tree, &range))
		return false;
	checkpoint_origin(p->in.identity.sensor, p->in.identity.boot, i, c.origin);
	c.size = tree.end;
	c.root = tree_root(&tree);
	checkpoint_sign(&c, &s->key, s->note[i]);
	if (!put_members(l->members, i, s->note[i], &tree))
		return false;
	s->tree[i] = tree;
	s->unsaved = true;
	return true;
}

static void answer(struct parent *p, unsigned i)
{
	struct ledger *l = &p->shared->ledger[i];
	uint64_t       ask = l->ask;

	if (sign(p, i))
		atomic_store(&l->size, p->signing->tree[i].end);
	else
		diag_error("log", "the worker asks for a signature on lines of output %u that do not follow those "
		                  "that were signed: it gets none", i);
	atomic_store_explicit(&l->answered, ask, memory_order_release);
}

/* The next start tells what is kept here: a log whose end was cut off shows. */
static void save(struct parent *p)
{
	struct signing *s = p->signing;
	json_t         *notes = json_object(), *doc;
	int             r;

	for (unsigned i = 0; i < p->in.outputs; i++) {
		char output[16];

		snprintf(output, sizeof(output), "%u", i);
		if (s->note[i][0])
			json_object_set_new(notes, output, json_string(s->note[i]));
	}
	doc = json_pack("{s:I, s:o}", "boot", (json_int_t)p->in.identity.boot, "checkpoints", notes);
	r = file_replace_json(s->path, doc);
	if (r < 0)
		diag_warn("log", "%s: %s; the next start cannot tell the last checkpoint", s->path,
		          strerror(-r));
	json_decref(doc);
	s->unsaved = false;
}

void parent_sign_checkpoints(struct parent *p)
{
	struct signing *s = p->signing;
	uint64_t        now = poller_ms();

	for (unsigned i = 0; s && i < p->in.outputs; i++) {
		struct ledger *l = &p->shared->ledger[i];

		if (l->ask == l->answered || (now < s->due[i] && (!p->stopping || s->last[i])))
			continue;
		s->due[i] = now + PAUSE_MS;
		s->last[i] = p->stopping;
		answer(p, i);
	}
	if (s && s->unsaved)
		save(p);
}

/* ---- start --------------------------------------------------------------------------------- */

json_t *parent_last_checkpoints(const struct parent *p)
{
	json_t       *doc = p->signing ? json_load_file(p->signing->path, 0, NULL) : NULL;
	const json_t *notes = json_object_get(doc, "checkpoints"), *note;
	const char   *output;
	json_t       *all = json_array();

	if ((uint64_t)json_integer_value(json_object_get(doc, "boot")) == p->last.boot)
		json_object_foreach((json_t *)(uintptr_t)notes, output, note)
			if (json_is_string(note))
				json_array_append(all, (json_t *)(uintptr_t)note);
	json_decref(doc);
	return all;
}

void parent_open_signing(struct parent *p)
{
	struct signing *s = calloc(1, sizeof(*s));
	struct err      err = { 0 };

	if (!s || !p->sensor_kept || file_beside(p->boot->state, "checkpoints.json", s->path) < 0 ||
	    log_key_open(&s->key, p->boot->state, p->in.identity.sensor, &err) < 0) {
		if (err.text[0])
			diag_error("log", "%s; the records of this run are not signed", err.text);
		free(s);
		return;
	}
	p->signing = s;
	for (unsigned i = 0; i < p->in.outputs; i++)
		atomic_store(&p->shared->ledger[i].signs, true);
}

void parent_close_signing(struct parent *p)
{
	if (p->signing)
		explicit_bzero(&p->signing->key, sizeof(p->signing->key));
	free(p->signing);
	p->signing = NULL;
}

/* ---- the key ------------------------------------------------------------------------------- */

const char *parent_log_key(const struct parent *p, char out[static NOTE_KEY_TEXT])
{
	struct note_key verifier;

	if (!p->signing)
		return NULL;
	note_key_public(&p->signing->key, &verifier);
	note_key_text(&verifier, false, out);
	return out;
}

/* A new key, which the old one vouches for. */
static json_t *rotate(struct parent *p, const char *by, struct err *err)
{
	struct signing *s = p->signing;
	struct note_key fresh;
	char            old[NOTE_KEY_TEXT], new[NOTE_KEY_TEXT], text[2 * NOTE_KEY_TEXT], line[NOTE_LINE];
	json_t         *members;
	int             n;

	(void)parent_log_key(p, old);
	if (log_key_make(&fresh, p->boot->state, p->in.identity.sensor, err) < 0)
		return NULL;
	note_key_public(&fresh, &fresh);
	note_key_text(&fresh, false, new);
	n = snprintf(text, sizeof(text), "nfqd log key\n%s\n", new);
	note_sign(&s->key, text, (size_t)n, line);
	members = json_pack("{s:s, s:s, s:s++, s:s}", "old", old, "key", new, "note", text, "\n", line, "by", by);
	parent_record(p, "key", json_deep_copy(members));
	return members;
}

json_t *run_log_key(void *ctx, const json_t *request, struct err *err)
{
	struct parent *p = ctx;
	const char    *by = json_string_value(json_object_get(request, "caller"));
	char           key[NOTE_KEY_TEXT];
	json_t        *done;

	if (!parent_log_key(p, key)) {
		err_set(err, "the records of this run are not signed");
		return NULL;
	}
	if (!json_is_true(json_object_get(request, "rotate")))
		return json_pack("{s:s}", "key", key);
	done = rotate(p, by ? by : "", err);
	if (done && log_key_open(&p->signing->key, p->boot->state, p->in.identity.sensor, err) < 0) {
		json_decref(done);
		return NULL;
	}
	return done;
}
