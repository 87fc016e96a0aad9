/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a configuration file to rules in force: parent_reload() at the end of this file has every step in
 * order. A change of mode or exceptions takes the shorter way of parent_rebuild(): the packs in force,
 * compiled again.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "parent/notify.h"
#include "parent/parent_private.h"
#include "shared/kept_rules.h"

/* ---- compile ------------------------------------------------------------------------------- */

/* What the running daemon adds to its configuration. */
static struct overlay overlay_of(struct parent *p, const struct conf *conf)
{
	return (struct overlay){ .mode = p->mode >= 0 ? p->mode : conf->mode, .state = &p->state };
}

int parent_build_rules(struct parent *p, const struct conf *conf, const struct image *from,
                       const struct image **img, struct err *err)
{
	struct overlay over = overlay_of(p, conf);
	struct err     why = { .text = "" };
	struct image *built;
	int           fd;

	if (p->tap) /* a watcher blocks nothing, and the records say so */
		over.mode = MODE_LOG;
	if (conf_compile_running(conf, &over, from, &built, err) < 0)
		return -1;
	if (p->sensor_kept && kept_rules_save(p->boot->state, built, &why) < 0)
		diag_warn("rules", "%s; nfqctl replay cannot judge by them later", why.text);
	fd = image_seal(built, "nfqd-rules");
	free(built);
	malloc_trim(0); /* memory that building took; workers are forked from here */
	if (fd < 0)
		return err_set(err, "ruleset image: %s", strerror(-fd));
	*img = image_map(fd);
	if (*img)
		return fd;
	close(fd);
	return err_set(err, "ruleset image: %s", strerror(errno));
}

/* ---- what a new image changes -------------------------------------------------------------- */

static const char *version_in(const struct ruleset *rs, const char *pack)
{
	for (uint32_t i = 0; i < rs->n_packs; i++)
		if (strcmp(rs_text(rs, rs->packs[i].id), pack) == 0)
			return rs_text(rs, rs->packs[i].version);
	return NULL;
}

/* Appends the packs of a that b lacks or has in another version. */
static void add_packs(json_t *to, const struct ruleset *a, const struct ruleset *b, bool a_is_new)
{
	for (uint32_t i = 0; i < a->n_packs; i++) {
		const char *pack = rs_text(a, a->packs[i].id);
		const char *here = rs_text(a, a->packs[i].version), *there = version_in(b, pack);

		if (there && (a_is_new || strcmp(here, there) == 0))
			continue;
		json_array_append_new(to, json_pack("{s:s, s:s?, s:s?}", "pack", pack, "from",
		                                    a_is_new ? there : here, "to",
		                                    a_is_new ? here : there));
	}
}

/* For the answer to `nfqctl reload`: what the image changes in the rules that are in force. */
static void note_changes(struct parent *p, const struct image *img)
{
	struct ruleset      old, now;
	struct ruleset_diff diff;
	json_t             *packs = json_array();

	ruleset_open(&old, p->img);
	ruleset_open(&now, img);
	add_packs(packs, &old, &now, false);
	add_packs(packs, &now, &old, true);
	json_decref(p->changes);
	p->changes = json_pack("{s:o, s:I, s:I}", "packs", packs, "names_before",
	                       (json_int_t)old.head->names, "names", (json_int_t)now.head->names);
	if (ruleset_diff(&old, &now, &diff) < 0)
		return;
	json_object_set_new(p->changes, "entries_added", json_integer(diff.entries_added));
	json_object_set_new(p->changes, "entries_removed", json_integer(diff.entries_removed));
	json_object_set_new(p->changes, "names_added", json_integer(diff.names_added));
	json_object_set_new(p->changes, "names_removed", json_integer(diff.names_removed));
}

/* ---- what a reload cannot change ----------------------------------------------------------- */

static void adopt_conf(struct parent *p, struct conf *conf)
{
	char keys[512];

	if (conf == p->conf)
		return;
	if (conf_needs_restart(p->boot, conf, keys, sizeof(keys)))
		diag_warn("reload", "changed, but takes effect only at the next start: %s", keys);
	if (p->conf != p->boot)
		conf_free(p->conf);
	p->conf = conf;
}

/* ---- hand over ----------------------------------------------------------------------------- */

/* Keeps the old ruleset until the worker reads the new one. Takes img and fd. */
static int swap_rules(struct parent *p, const struct image *img, int fd, struct err *err)
{
	if (parent_offer_rules(p, fd, p->generation + 1, err) < 0) {
		close(fd);
		image_unmap(img);
		return -1;
	}
	close(p->in.rules);
	p->in.rules = fd;
	image_unmap(p->img);
	p->img = img;
	p->generation++;
	return 0;
}

void parent_rules_are_live(struct parent *p)
{
	struct ruleset rs;
	int64_t        now = (int64_t)(clock_now() / NS_PER_S), judged;
	struct err     err = { .text = "" };
	char           clock[CLOCK_TEXT], packs[CLOCK_TEXT];

	parent_set_prefilter(p);
	ruleset_open(&rs, p->img);
	judged = policy_present(&rs, now);
	if (judged > now) {
		clock_text_iso(now, clock);
		clock_text_iso(judged, packs);
		diag_warn("clock", "the clock says %s, which is before the packs were made: the clock (or "
		          "a pack's version) is wrong. Stages are judged as of %s until the clock is set",
		          clock, packs);
	}
	if (state_save(&p->state, &err) < 0)
		diag_warn("state", "%s: at the next start it will be unknown when packs were first loaded",
		          err.text);
}

/* Fills the table's address sets for the new rules. When another program has just flushed the table, it
 * is put back first. */
static int update_sets(struct parent *p, struct err *err)
{
	struct err flushed = { .text = "" };

	if (parent_steer_nets(p, &flushed) == 0)
		return 0;
	parent_look_at_steering(p);
	return parent_steer_nets(p, err);
}

/* ---- the two ways -------------------------------------------------------------------------- */

/* Until the worker has the new rules, a failure leaves everything as it was. Takes conf. */
static int keep_rules(struct parent *p, struct conf *conf, struct err *err)
{
	size_t n = strlen(err->text);

	if (conf != p->conf)
		conf_free(conf);
	snprintf(err->text + n, sizeof(err->text) - n, "; the running rules stay");
	return -1;
}

struct mistakes {
	unsigned n;
	char     text[sizeof(((struct err *)NULL)->text)];
};

static void take_mistake(void *ctx, const char *text)
{
	struct mistakes *m = ctx;
	size_t           n = strlen(m->text);

	m->n++;
	snprintf(m->text + n, sizeof(m->text) - n, "%s%s", n ? "; " : "", text);
}

/* The first mistake of a configuration was found: names them all, as far as there is room. */
static void name_mistakes(const char *path, struct err *err)
{
	struct mistakes m = { .n = 0 };
	struct err      first = { .text = "" };
	struct conf    *conf = conf_load_to_check(path, take_mistake, &m, &first);
	struct image   *img = NULL;

	if (conf && conf_compile(conf, &img, &first) == 0)
		free(img);
	conf_free(conf);
	if (m.n < 2)
		return;
	err->text[0] = '\0';
	err_set(err, "%u mistakes: %.*s", m.n, (int)sizeof(m.text) - 64, m.text);
}

static int reload(struct parent *p, struct err *err)
{
	struct conf        *conf = p->conf->path ? conf_load(p->conf->path, err) : p->conf;
	struct err          kernel = { .text = "" };
	const struct image *img = NULL;
	int                 fd;

	fd = conf ? parent_build_rules(p, conf, NULL, &img, err) : -1;
	if (fd < 0 && p->conf->path)
		name_mistakes(p->conf->path, err);
	if (fd < 0)
		return keep_rules(p, conf ? conf : p->conf, err);
	note_changes(p, img);
	if (swap_rules(p, img, fd, err) < 0)
		return keep_rules(p, conf, err);
	/* the new rules are live: a failure from here on is reported and stops nothing */
	adopt_conf(p, conf);
	parent_start_resolver(p);
	parent_rules_are_live(p);
	if (update_sets(p, &kernel) < 0)
		return err_set(err, "generation %llu is live, but the kernel does not steer the packs' "
		               "networks: %s; it is tried again", (unsigned long long)p->generation,
		               kernel.text);
	return 0;
}

int parent_reload(struct parent *p, struct err *err)
{
	int r = reload(p, err);

	p->reload.at = (int64_t)(clock_now() / NS_PER_S);
	p->reload.failed = r < 0;
	if (r < 0) {
		p->reload.failed_at = p->reload.at;
		p->reload.error = *err;
	}
	parent_record_reload(p, r < 0 ? err->text : NULL);
	return r;
}

int parent_rebuild(struct parent *p, struct err *err)
{
	const struct image *img = NULL;
	int                 fd = parent_build_rules(p, p->conf, p->img, &img, err);

	return fd < 0 ? -1 : swap_rules(p, img, fd, err);
}

void parent_on_hangup(struct parent *p)
{
	struct err err = { 0 };

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)poller_ms() * 1000);
	if (parent_reopen_outputs(p, &err) < 0)
		err.text[0] = '\0'; /* it was said; the rules are loaded all the same */
	if (parent_reload(p, &err) < 0)
		diag_error("reload", "%s", err.text);
	else
		diag_info("reload", "generation %llu is live", (unsigned long long)p->generation);
	sd_notify(0, "READY=1");
}
