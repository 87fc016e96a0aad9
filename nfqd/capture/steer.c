/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads the table's text (steer_text.c) through libnftables (steer_away.c), which checks it and explains
 * errors, and checks whether the table is still there.
 */
#include "capture/steer.h"

#include <errno.h>
#include <jansson.h>
#include <linux/membarrier.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/diag.h"
#include "capture/steer_private.h"

/* Patience with other programs' transactions; at the start a slow machine loads a dozen modules, too. */
enum { START_MS = 60000, RUN_MS = 2000, HASTY_MS = 100 };

enum { TC_CLASSES = 0x80000000 }; /* lower priorities are traffic classes of other programs */

/* ---- what the kernel has ---- */

int steer_tokens_new(struct steer_tokens *t, struct err *err)
{
	do {
		if (getrandom(t, sizeof(*t), 0) != (ssize_t)sizeof(*t))
			return err_set(err, "no random bytes: %s", strerror(errno));
		t->forged |= TC_CLASSES;
		t->own |= TC_CLASSES;
		t->verdict |= TC_CLASSES;
	} while (t->forged == t->own || (t->forged ^ t->verdict) >> 20 == 0 ||
	         (t->own ^ t->verdict) >> 20 == 0);
	return 0;
}

int steer_run_job(struct steer *s, const struct away_job *job, const char *doing, struct err *err)
{
	char *why;
	int   r = away_run(&s->away, job, &why);

	if (r == -ETIMEDOUT)
		err_set(err, "nft: %s: no answer within %u ms: another program's transaction is under way", doing,
		        s->away.patience_ms);
	else if (r < 0)
		err_set(err, "nft: %s: %s", doing, why && *why ? why : strerror(-r));
	free(why);
	return r < 0 ? -1 : 0;
}

int steer_run(struct steer *s, const char *commands, const char *doing, struct err *err)
{
	return steer_run_job(s, &(struct away_job){ .commands = commands }, doing, err);
}

/* Does this kernel accept the rule? The probe has no base chain, so that no packet meets it. */
static bool has_rule(const char *rule)
{
	struct away away = { .patience_ms = START_MS };
	char        text[256];

	snprintf(text, sizeof(text), "add table inet nfqd_probe\ntable inet nfqd_probe {\nchain c {\n%s\n}\n}\n"
	                             "delete table inet nfqd_probe\n", rule);
	return away_run(&away, &(struct away_job){ .commands = text }, NULL) == 0;
}

bool steer_told(const char *word)
{
	const char *all = getenv("NFQD_STEER"), *at = all ? strstr(all, word) : NULL;
	size_t      n = strlen(word);

	return at && (at == all || at[-1] == ',') && (at[n] == '\0' || at[n] == ',');
}

int steer_probe(struct steer_means *m, struct err *err)
{
	int r = 0;

	m->nft_queue = !steer_told("compat") && !steer_told("none") && has_rule("queue num 0");
	if (steer_told("none"))
		r = -ENOENT;
	else if (!m->nft_queue)
		r = away_run(&(struct away){ .patience_ms = START_MS }, &(struct away_job){ .probe = true }, NULL);
	if (r == -EPERM)
		return err_set(err, "nft: no permission (CAP_NET_ADMIN is needed: run as root)");
	if (r < 0)
		return err_set(err, "this kernel cannot queue packets: it has neither nft's `queue` "
		                    "(nft_queue) nor NFQUEUE by nft_compat (xt_NFQUEUE): %s",
		               strerror(-r));
	m->labels = !steer_told("sets") && has_rule("ct label 120");
	m->glue = !steer_told("repeat") && m->labels;
	m->mark_token = steer_told("mark") || !queue_has_priority();
	m->old_sets = steer_told("old");
	m->forget = steer_told("forget");
	m->flowtable = steer_told("flowtable");
	m->hasty = steer_told("hasty");
	return 0;
}

const char *steer_backend_text(const struct steer *s)
{
	return s->conf.means.nft_queue ? "nft queue" : "xt NFQUEUE in nft";
}

const char *steer_storage_text(const struct steer *s)
{
	static const char *const words[] = { "labels", "labels and ct id sets", "ct id sets" };

	return words[s->storage];
}

const char *steer_verdict_text(const struct steer *s)
{
	if (s->conf.means.glue)
		return s->conf.means.mark_token ? "with the verdict (NFQA_CT), mark token"
		                                : "with the verdict (NFQA_CT), priority token";
	return s->conf.means.mark_token ? "mark token" : "priority token";
}

/* ---- the table in the kernel ---- */

/* Sets of many elements are listed without them. */
int steer_list(struct steer *s, const char *what, json_t **doc)
{
	char command[128], *text;
	int  r;

	snprintf(command, sizeof(command), "list %s", what);
	r = away_run(&s->away, &(struct away_job){ .commands = command, .json = true }, &text);
	if (r < 0 && text && strstr(text, "No such file or directory"))
		r = -ENOENT;
	*doc = r == 0 ? json_loads(text, 0, NULL) : NULL;
	free(text);
	return r == 0 && !*doc ? -EPROTO : r;
}

/* The names of the table's chains that the text fills, a line each; the caller frees. NULL with 0: there is no
 * table; -1: that is not known. */
static int chain_names(struct steer *s, char **out, struct err *err)
{
	json_t *doc, *item;
	char   *names = NULL;
	int     r = steer_list(s, "table inet nfqd", &doc);
	size_t  i, size;
	FILE   *f = doc ? open_memstream(&names, &size) : NULL;

	json_array_foreach(json_object_get(doc, "nftables"), i, item)
	{
		const char *name = json_string_value(
			json_object_get(json_object_get(item, "chain"), "name"));

		if (f && name && steer_has_text(s, name))
			fprintf(f, "%s\n", name);
	}
	if (f)
		fclose(f);
	json_decref(doc);
	if (r == -EPROTO) { /* nft 1.0.6 lists a dormant table with random flags, which may be no text */
		names = steer_own_chains(s);
		r = names ? 0 : -ENOMEM;
	}
	*out = names;
	return r < 0 && r != -ENOENT ? err_set(err, "nft: table inet nfqd: %s", strerror(-r)) : 0;
}

/* With queues: also the rules that nft's text cannot write. */
static int run_text(struct steer *s, const char *flush, bool queues, struct err *err)
{
	char           *text = steer_table_text(s, flush);
	struct away_job job = { .commands = text, .queues = queues ? &s->conf : NULL,
		                .programs = s->conf.prefilter ? s->programs : NULL };
	int             r = text ? steer_run_job(s, &job, "table inet nfqd", err) : err_set(err, "out of memory");

	if (text && r == 0) {
		s->rules = steer_rules_in(s, text);
		s->stale = false;
	}
	free(text);
	return r;
}

/* Is the table that is there this instance's? What a dead one or an older version left is replaced as a whole. */
static bool is_ours(const struct steer *s)
{
	char owner[STEER_OWNER];

	steer_owner(owner);
	return strcmp(owner, s->conf.owner) == 0;
}

/* Loads the rules into the table that is there, when it is of this kind; otherwise replaces it. */
static int load(struct steer *s, bool asleep, bool gone, struct err *err)
{
	bool       compat = !s->conf.means.nft_queue;
	struct err why = { 0 };
	char      *names = NULL;
	int        r = -1;

	s->stale = true;
	if (!gone && chain_names(s, &names, err) < 0)
		return -1;
	if (names && strstr(names, "came_back\n") && is_ours(s))
		r = run_text(s, names, compat, &why);
	if (r < 0) {
		steer_counters(s, &s->gone);
		s->asleep = asleep && !names; /* an existing table is replaced at once */
		r = run_text(s, NULL, compat, err);
	}
	if (r == 0)
		s->handle = steer_handle(s);
	free(names);
	return r;
}

int steer_rewrite(struct steer *s, struct err *err)
{
	char *names;
	int   r;

	s->stale = true;
	if (s->asleep) /* steer_wake() does it */
		return 0;
	if (chain_names(s, &names, err) < 0)
		return -1;
	r = names ? run_text(s, names, false, err) : err_set(err, "table inet nfqd is gone");
	free(names);
	return r;
}

/* Changes since the table was loaded go into the transaction that wakes it. */
int steer_wake(struct steer *s, struct err *err)
{
	unsigned patience = s->conf.means.hasty ? HASTY_MS : RUN_MS; /* a start may wait longer */
	char    *names;
	int      r = -1;

	if (!s->asleep) {
		s->away.patience_ms = patience;
		return 0;
	}
	s->asleep = false;
	if (!s->stale) {
		r = steer_run(s, "add table inet nfqd", "wake the table", err);
	} else {
		names = steer_own_chains(s);
		r = names ? run_text(s, names, false, err) : err_set(err, "out of memory");
		free(names);
	}
	s->asleep = r < 0;
	s->away.patience_ms = patience;
	return r;
}

/* ---- interfaces ---- */

/* The interfaces of `inside` that exist; the words were checked. */
static unsigned inside_indices(const struct steer_conf *c, uint32_t index[INSIDE_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_inside && !c->inside_auto && n < INSIDE_MAX; i++) {
		struct net net;
		unsigned   found = net_parse(c->inside[i], &net) < 0 ? if_nametoindex(c->inside[i]) : 0;

		if (found)
			index[n++] = found;
	}
	return n;
}

static int check_inside(const struct steer_conf *c, struct err *err)
{
	for (unsigned i = 0; i < c->n_inside && !c->inside_auto; i++) {
		struct net net;

		if (net_parse(c->inside[i], &net) < 0 && strlen(c->inside[i]) >= IF_NAMESIZE)
			return err_set(err, "inspect.inside: '%s' is neither a network nor an interface's "
			                    "name (at most %d letters)", c->inside[i], IF_NAMESIZE - 1);
	}
	return 0;
}

int steer_set_outside(struct steer *s, const uint32_t *outside, unsigned n, struct err *err)
{
	uint32_t inside[INSIDE_MAX] = { 0 };
	unsigned n_inside = inside_indices(&s->conf, inside);

	n = n < INSIDE_MAX ? n : INSIDE_MAX;
	if (!s->conf.inside_auto)
		n = 0;
	if (!s->stale && n == s->n_outside && memcmp(outside, s->outside, n * sizeof(*outside)) == 0 &&
	    n_inside == s->n_inside && memcmp(inside, s->inside, sizeof(inside)) == 0)
		return 0;
	memcpy(s->outside, outside, n * sizeof(*outside));
	memcpy(s->inside, inside, sizeof(inside));
	s->n_outside = n;
	s->n_inside = n_inside;
	return steer_rewrite(s, err);
}

/* ---- start and end ---- */

static void free_steer(struct steer *s)
{
	counters_close(&s->counters);
	steer_look_close(s);
	free(s);
}

static bool has_chain(struct steer *s, const char *chain)
{
	json_t *doc;
	int     r = steer_list(s, chain, &doc);

	json_decref(doc);
	return r == 0;
}

/* Has one of iptables-nft's tables an NFQUEUE rule? */
static bool has_nfqueue(struct steer *s, const char *table)
{
	json_t *doc;
	char   *text = steer_list(s, table, &doc) == 0 ? json_dumps(doc, 0) : NULL;
	bool    has = text && strstr(text, "\"NFQUEUE\"");

	free(text);
	json_decref(doc);
	return has;
}

/* Removes what nfqd 0.1.0 left when it was killed: bits in marks, and iptables rules. */
static void remove_old(struct steer *s)
{
	bool     table = has_chain(s, "chain inet nfqd decided") && !has_chain(s, "chain inet nfqd came_back");
	unsigned rules = old_rules_remove((bool[]){ has_nfqueue(s, "table ip mangle"),
		                                    has_nfqueue(s, "table ip6 mangle") });

	if (!table && !rules)
		return;
	conntrack_clear_marks(s->conf.old_marks);
	diag_info("steer", "nfqd 0.1.0 left %s%s%s: removed, and its bits (0x%08x) from the connections' marks",
	          table ? "its table" : "", table && rules ? " and " : "", rules ? "iptables rules" : "",
	          s->conf.old_marks);
}

/* Labels are in use from here on, so entries made later will be able to hold them. */
static enum steer_storage choose_storage(const struct steer_means *m)
{
	if (!m->labels)
		return STEER_SETS;
	return conntrack_count() || m->old_sets ? STEER_LABELS_AND_SETS : STEER_LABELS;
}

static int install(struct steer *s, struct err *err)
{
	if (check_inside(&s->conf, err) < 0)
		return -1;
	remove_old(s);
	if (steer_meet_flowtables(s, err) < 0)
		return -1;
	s->n_inside = inside_indices(&s->conf, s->inside);
	s->storage = choose_storage(&s->conf.means);
	s->took_over = has_chain(s, "chain inet nfqd came_back");
	if (s->took_over) /* its sets may have elements; those rules stay until the sets are filled anew */
		memset(&s->filled, true, sizeof(s->filled));
	/* until it is filled a table of `fail: closed` holds, rather than lets pass */
	if (load(s, s->conf.fail_open, steer_is_gone(s), err) < 0)
		return -1;
	if (s->conf.means.labels && !s->conf.goes_on)
		conntrack_clear_labels();
	if (counters_reset(&s->counters) < 0)
		diag_debug("steer", "a former run's counters are left");
	s->gone = s->seen = (struct steer_counts){ 0 };
	return 0;
}

struct steer *steer_install(const struct steer_conf *conf, struct err *err)
{
	struct steer *s = calloc(1, sizeof(*s));
	struct err    why = { .text = "" };

	if (!s)
		return err_set(err, "out of memory"), NULL;
	s->conf = *conf;
	s->programs[PREFILTER_QUESTION] = s->programs[PREFILTER_ANSWER] = -1;
	s->away.patience_ms = START_MS;
	if (install(s, err) == 0)
		return s;
	/* one that stood before holds what it held */
	if ((conf->fail_open || !s->took_over) && steer_run(s, "delete table inet nfqd", "undo the start", &why) < 0)
		diag_debug("steer", "nothing to take back");
	free_steer(s);
	return NULL;
}

int steer_repair(struct steer *s, struct err *err)
{
	bool gone = steer_is_gone(s);
	int  r = s->conf.fail_open ? 0 : steer_hold(s);

	if (r < 0)
		diag_warn("steer", "nothing holds until the table is back: %s", strerror(-r));
	return load(s, false, gone, err);
}

bool steer_is_stale(const struct steer *s)
{
	return s->stale;
}

/* Returns when every processor has left the rules that it was reading (an RCU grace period): a packet that met
 * the old ones is in its queue by then. */
static void wait_for_readers(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

/* The rules that queue go; what `fail:` says stays. An older table has fewer kinds. */
void steer_stop_queueing(struct steer *s)
{
	struct err err = { 0 };
	char       text[1024] = "";
	size_t     used = 0;

	for (unsigned i = 0; i < QUEUE_KINDS; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		                         "add chain inet nfqd %s\nflush chain inet nfqd %s\nadd rule inet nfqd %s %s\n",
		                         queue_chains[i], queue_chains[i], queue_chains[i],
		                         s->conf.fail_open ? "accept" : "drop");
	for (unsigned i = 0; s->conf.prefilter && i < PREFILTER_PROGRAMS; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "flush chain inet nfqd %s\n",
		                         prefilter_chains[i]);
	steer_forget_programs(s);
	if (steer_run(s, text, "stop queueing", &err) < 0)
		diag_warn("steer", "%s", err.text);
	wait_for_readers();
}

void steer_remove(struct steer *s)
{
	struct err err = { 0 };

	s->away.patience_ms = START_MS;
	if (steer_run(s, "delete table inet nfqd", "remove the table", &err) < 0)
		diag_warn("steer", "%s", err.text);
	if (s->conf.means.labels && !s->conf.keep_states)
		conntrack_clear_labels();
	free_steer(s);
}

bool steer_took_over(const struct steer *s)
{
	return s->took_over;
}

void steer_leave(struct steer *s)
{
	free_steer(s);
}

int steer_counters(struct steer *s, struct steer_counts *out)
{
	struct steer_counts seen = s->gone;
	int                 r = counters_read(&s->counters, &seen);

	if (r == 0)
		s->seen = seen;
	*out = s->seen;
	return r;
}

uint64_t steer_own_lost(const struct steer_counts *c)
{
	return c->own_answers > c->own_arrived ? c->own_answers - c->own_arrived : 0;
}

bool steer_left_behind(struct steer_counts *out)
{
	struct counters_socket c = { .nl = NULL };
	int                    r;

	*out = (struct steer_counts){ 0 };
	r = counters_read(&c, out);
	counters_close(&c);
	return r == 0 && out->queued > 0;
}
