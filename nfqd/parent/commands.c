/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the control socket can change at run time: the mode, exceptions, the rules; and `why`, which only
 * asks. Changes that outlive the daemon go to the state file before they take effect.
 */
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "parent/parent_private.h"
#include "shared/why.h"

enum { RETRY_S = 5, DAY_S = 86400, REASON_MAX = 500 };

/* ---- what is kept beside the configuration ------------------------------------------------- */

void parent_open_state(struct parent *p)
{
	state_open(&p->state, p->conf->state);
	p->mode_timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
}

void parent_live_close(struct parent *p)
{
	if (p->mode_timer >= 0)
		close(p->mode_timer);
	state_fini(&p->state);
	json_decref(p->changes);
}

static struct ruleset rules_of(const struct parent *p)
{
	struct ruleset rs;

	ruleset_open(&rs, p->img);
	return rs;
}

static int64_t present(const struct parent *p)
{
	struct ruleset rs = rules_of(p);

	return policy_present(&rs, (int64_t)(clock_now() / NS_PER_S));
}

/* ---- why ----------------------------------------------------------------------------------- */

static json_t *run_why(void *ctx, const json_t *request, struct err *err)
{
	struct ruleset rs = rules_of(ctx);

	return why(&rs, request, err);
}

/* ---- reload -------------------------------------------------------------------------------- */

static json_t *run_reload(void *ctx, const json_t *request, struct err *err)
{
	struct parent *p = ctx;
	uint64_t       old = p->generation;
	json_t        *answer;

	(void)request;
	if (parent_reload(p, err) < 0)
		return NULL;
	answer = json_pack("{s:I, s:I}", "from", (json_int_t)old, "to", (json_int_t)p->generation);
	json_object_update(answer, p->changes);
	return answer;
}

/* ---- rotate -------------------------------------------------------------------------------- */

/* After a file of records was renamed; the configuration is not read. */
static json_t *run_rotate(void *ctx, const json_t *request, struct err *err)
{
	struct parent *p = ctx;

	(void)request;
	if (parent_reopen_outputs(p, err) < 0)
		return NULL;
	return json_pack("{s:i}", "reopened", (int)p->in.outputs);
}

/* ---- mode ---------------------------------------------------------------------------------- */

static void set_timer(const struct parent *p, int64_t seconds)
{
	struct itimerspec at = { .it_value.tv_sec = (time_t)(seconds < INT32_MAX ? seconds : INT32_MAX) };

	if (timerfd_settime(p->mode_timer, 0, &at, NULL) < 0)
		diag_error("mode", "no timer: %m");
}

/* by NULL: the time that the mode was set for is over. */
static void record_mode(struct parent *p, const char *by)
{
	json_t *all = status_mode(p);

	json_object_set_new(all, "by", by ? json_string(by) : json_null());
	parent_record(p, "mode", all);
}

void parent_mode_ends(struct parent *p)
{
	struct err err = { .text = "" };
	uint64_t   times;

	if (read(p->mode_timer, &times, sizeof(times)) != sizeof(times))
		return;
	p->mode = -1;
	p->mode_until = 0;
	if (parent_rebuild(p, &err) == 0) {
		diag_info("mode", "back to %s", mode_words[p->conf->mode]);
		record_mode(p, NULL);
		return;
	}
	diag_error("mode", "cannot return to %s yet: %s", mode_words[p->conf->mode], err.text);
	set_timer(p, RETRY_S);
}

static int mode_read(const char *word, struct err *err)
{
	int mode = word_find(mode_words, word);

	if (mode >= 0)
		return mode;
	return err_set(err, "mode: '%s' is unknown (allowed: enforce, log, off)", word);
}

static int span_read(const char *text, int64_t *seconds, struct err *err)
{
	if (clock_parse_span(text, seconds) == 0 && *seconds > 0 &&
	    *seconds <= (int64_t)EXCEPTION_DAYS_MAX * DAY_S)
		return 0;
	return err_set(err, "for: '%s' is not a length of time up to a year (write 90s, 10m, 1h or 7d)", text);
}

/* Setting the configuration's own mode without an end revokes what was set before. */
static int set_mode(struct parent *p, int mode, int64_t seconds, struct err *err)
{
	int before = p->mode;

	p->mode = mode == p->conf->mode && seconds == 0 ? -1 : mode;
	if (parent_rebuild(p, err) < 0) {
		p->mode = before;
		return -1;
	}
	p->mode_until = seconds ? (int64_t)(clock_now() / NS_PER_S) + seconds : 0;
	set_timer(p, seconds);
	return 0;
}

static const char *text(const json_t *request, const char *key)
{
	return json_string_value(json_object_get(request, key));
}

static json_t *run_mode(void *ctx, const json_t *request, struct err *err)
{
	struct parent *p = ctx;
	const char    *word = text(request, "mode"), *length = text(request, "for");
	int64_t        seconds = 0;
	int            mode = word ? mode_read(word, err) : 0;

	if (mode < 0 || (length && span_read(length, &seconds, err) < 0))
		return NULL;
	if (word && set_mode(p, mode, seconds, err) < 0)
		return NULL;
	if (word)
		record_mode(p, text(request, "caller"));
	if (word)
		diag_info("mode", "%s%s%s, set by %s", word, length ? " for " : "",
		          length ? length : "", text(request, "caller"));
	return status_mode(p);
}

/* ---- exceptions ---------------------------------------------------------------------------- */

static void go_back(struct parent *p, json_t *before)
{
	struct err again = { .text = "" };

	state_restore(&p->state, before);
	if (state_save(&p->state, &again) < 0)
		diag_warn("state", "%s", again.text);
}

/* Puts the changed state in force, or else goes back to before (takes it). */
static int put_in_force(struct parent *p, json_t *before, struct err *err)
{
	if (parent_rebuild(p, err) < 0) {
		go_back(p, before);
		return -1;
	}
	json_decref(before);
	return 0;
}

/* The same for changes that must outlive the daemon: they are not in force unless they are saved. */
static int commit(struct parent *p, json_t *before, struct err *err)
{
	if (state_save(&p->state, err) < 0) {
		go_back(p, before);
		return -1;
	}
	return put_in_force(p, before, err);
}

static json_t *end_of(const struct parent *p, const json_t *request, struct err *err)
{
	const char *length = text(request, "for"), *until = text(request, "until");
	int64_t     now = present(p), end, seconds;
	char        out[CLOCK_TEXT];

	if (!length == !until) {
		err_set(err, "an exception needs an end: either for (1h) or until (2027-03-01)");
		return NULL;
	}
	if (length && span_read(length, &seconds, err) < 0)
		return NULL;
	if (length)
		end = now + seconds;
	else if (clock_parse(until, &end) < 0 || end <= now ||
	         end > now + (int64_t)EXCEPTION_DAYS_MAX * DAY_S) {
		err_set(err, "until: '%s' is not a date within a year from now (write 2027-03-01 or "
		        "2027-03-01T12:00:00Z)", until);
		return NULL;
	}
	clock_text_iso(end, out);
	return json_string(out);
}

/* What the client may do now. NULL: the name stands for many names. */
static json_t *effect(const struct parent *p, const json_t *request)
{
	struct ruleset rs = rules_of(p);
	struct err     err = { .text = "" };
	const char    *name = text(request, "name");
	json_t        *question, *answer;
	struct net     net;

	if (strpbrk(name, "*[") || (strchr(name, '/') && net_parse(name, &net) == 0))
		return NULL;
	question = json_pack("{s:s, s:O?}", "name", name[0] == '.' ? name + 1 : name, "client",
	                     json_object_get(request, "client"));
	answer = why(&rs, question, &err);
	json_decref(question);
	return answer;
}

/* Deciding considers few exceptions per name: one too many would be a promise that is not kept. */
static bool exceeds_look_up(const json_t *now)
{
	return json_is_true(json_object_get(now, "listed")) &&
	       json_is_null(json_object_get(now, "exception")) &&
	       strcmp(text(now, "would"), "allow") != 0;
}

static void take_back(struct parent *p, json_t *before)
{
	struct err err = { .text = "" };

	state_restore(&p->state, before);
	if (state_save(&p->state, &err) < 0 || parent_rebuild(p, &err) < 0)
		diag_error("exception", "%s", err.text);
}

/* Is it text for a person, and nothing that controls a terminal? */
static bool reason_ok(const char *reason)
{
	size_t n = reason ? strlen(reason) : 0;

	for (size_t i = 0; i < n; i++)
		if (reason[i] == '\t' || control_bytes(reason + i))
			return false;
	return n > 0 && n <= REASON_MAX;
}

/* Who asks; of what a pair's other daemon was told (nfqctl state import) the one who asked there, which root alone may
 * say. The record has the caller in any case. */
static json_t *owner_of_new(const json_t *request, struct err *err)
{
	json_t *there = json_object_get(request, "owner_there");

	if (!there)
		return json_object_get(request, "caller");
	if (json_is_string(there) && strcmp(text(request, "caller"), "root") == 0)
		return there;
	err_set(err, "only root may import the exceptions of others");
	return NULL;
}

static json_t *run_allow(void *ctx, const json_t *request, struct err *err)
{
	struct parent *p = ctx;
	json_t        *end, *before, *made, *now;
	json_t        *owner = owner_of_new(request, err);

	if (!owner)
		return NULL;
	if (!text(request, "name") || !reason_ok(text(request, "reason"))) {
		err_set(err, "an exception needs a name and a reason of one line, up to %d characters",
		        REASON_MAX);
		return NULL;
	}
	end = end_of(p, request, err);
	if (!end)
		return NULL;
	made = json_pack("{s:O, s:O*, s:O, s:O, s:o}", "name", json_object_get(request, "name"),
	                 "client", json_object_get(request, "client"), "owner", owner, "reason",
	                 json_object_get(request, "reason"), "expires", end);
	before = json_deep_copy(p->state.doc);
	made = state_allow(&p->state, made, present(p), err);
	if (!made) {
		json_decref(before);
		return NULL;
	}
	json_incref(made);
	if (commit(p, json_incref(before), err) < 0) {
		json_decref(before);
		json_decref(made);
		return NULL;
	}
	now = effect(p, request);
	if (now && exceeds_look_up(now)) {
		err_set(err, "more than %d exceptions meet at '%s': revoke some", EXCEPTIONS_MAX,
		        text(made, "name"));
		take_back(p, before);
		json_decref(made);
		json_decref(now);
		return NULL;
	}
	json_decref(before);
	parent_record(p, "exception", json_pack("{s:s, s:s, s:O, s:s?}", "change", "made", "exception",
	                                        text(made, "id"), "made", made, "by",
	                                        text(request, "caller")));
	diag_info("exception", "%s: %s until %s by %s", text(made, "id"), text(made, "name"),
	          text(made, "expires"), text(made, "owner"));
	return json_pack("{s:o, s:o?}", "exception", made, "now", now);
}

/* Protection does not wait for a disk: a revocation that cannot be saved is in force all the same, and
 * the answer says so. */
static json_t *run_revoke(void *ctx, const json_t *request, struct err *err)
{
	struct parent *p = ctx;
	struct err     unsaved = { .text = "" };
	const char    *which = text(request, "which");
	json_t        *before = json_deep_copy(p->state.doc);
	unsigned       n = which ? state_revoke(&p->state, which) : 0;

	for (unsigned i = 0; which && n == 0 && i < p->conf->n_exceptions; i++)
		if (strcmp(p->conf->exceptions[i].name, which) == 0)
			err_set(err, "exception '%s' is in %s: remove it there, then reload", which,
			        p->conf->path);
	if (n == 0) {
		json_decref(before);
		err_set(err, "no exception has the name or id '%s'", which ? which : "");
		return NULL;
	}
	if (state_save(&p->state, &unsaved) < 0)
		diag_warn("state", "%s; what is revoked is back at a restart, unless it can be saved before",
		          unsaved.text);
	if (put_in_force(p, before, err) < 0)
		return NULL;
	parent_record(p, "exception", json_pack("{s:s, s:s, s:s?}", "change", "revoked", "exception", which,
	                                        "by", text(request, "caller")));
	diag_info("exception", "%s revoked by %s", which, text(request, "caller"));
	return json_pack("{s:i, s:s*}", "revoked", (int)n, "unsaved",
	                 unsaved.text[0] ? unsaved.text : NULL);
}

static json_t *texts(char *const v[], unsigned n)
{
	json_t *out = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(out, json_string(v[i]));
	return out;
}

static json_t *exception(const struct state *s, const struct exception_in *e, const char *from,
                         int64_t now)
{
	int64_t end = 0;
	bool    ends = clock_parse(e->expires, &end) == 0;

	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:b, s:s}", "id", e->name, "names",
	                 texts(e->names, e->n_names), "clients", texts(e->clients, e->n_clients),
	                 "owner", e->owner, "reason", e->reason, "expires", e->expires, "expired",
	                 (ends && end <= now) || state_has_ended(s, e), "from", from);
}

static json_t *run_exceptions(void *ctx, const json_t *request, struct err *err)
{
	const struct parent *p = ctx;
	json_t              *all = json_array();
	int64_t              now = present(p);

	(void)request, (void)err;
	for (unsigned i = 0; i < p->conf->n_exceptions; i++)
		json_array_append_new(all, exception(&p->state, &p->conf->exceptions[i],
		                                     "configuration", now));
	for (unsigned i = 0; i < state_n_exceptions(&p->state); i++)
		json_array_append_new(all, exception(&p->state, state_exception(&p->state, i),
		                                     "allow", now));
	return json_pack("{s:o}", "exceptions", all);
}

/* ---- the table ----------------------------------------------------------------------------- */

const struct ctl_command parent_commands[] = {
	{ "status", run_status },
	{ "why", run_why },
	{ "reload", run_reload },
	{ "rotate", run_rotate },
	{ "handover", run_handover },
	{ "mode", run_mode },
	{ "allow", run_allow },
	{ "revoke", run_revoke },
	{ "exceptions", run_exceptions },
	{ "log-key", run_log_key },
	{ "sightings", run_sightings },
	{ "correct", run_correct },
	{ "sign-in", run_sign_in },
};
const unsigned parent_n_commands = sizeof(parent_commands) / sizeof(parent_commands[0]);

const struct ctl_command parent_view_commands[] = {
	{ "status", run_status },
	{ "why", run_why },
	{ "exceptions", run_exceptions },
	{ "sign-in", run_sign_in },
};
const unsigned parent_n_view_commands = sizeof(parent_view_commands) / sizeof(parent_view_commands[0]);
