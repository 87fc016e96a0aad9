/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads the table's text (steer_text.c) through libnftables, which checks it and explains errors, and
 * looks whether it is still there. Where the kernel lacks the `queue` expression, one iptables rule per hook sends the
 * packets that the table marks (xt NFQUEUE), right behind the steering chain's priority.
 */
#include "capture/steer.h"

#include <errno.h>
#include <jansson.h>
#include <nftables/libnftables.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/diag.h"
#include "capture/steer_private.h"

const char *steer_backend_text(enum steer_backend b)
{
	static const char *const words[] = { "nft queue", "iptables-legacy NFQUEUE",
		                             "iptables-nft NFQUEUE" };

	return words[b];
}

enum steer_backend steer_backend(const struct steer *s)
{
	return s->backend;
}

int steer_run(struct steer *s, const char *commands, const char *doing, struct err *err)
{
	const char *why;

	if (nft_run_cmd_from_buffer(s->nft, commands) == 0)
		return 0;
	why = nft_ctx_get_error_buffer(s->nft);
	return err_set(err, "nft: %s: %s", doing, why && *why ? why : strerror(errno));
}

/* Does this kernel have the queue expression? The probe has no base chain: no packet meets it; and
 * a context of its own: no complaint of the kernel's stays in ours. */
static bool has_nft_queue(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	bool            has;

	if (!nft)
		return false;
	nft_ctx_buffer_error(nft);
	has = nft_run_cmd_from_buffer(nft, "add table inet nfqd_probe\n"
	                                   "table inet nfqd_probe {\nchain c {\nqueue num 0\n}\n}\n"
	                                   "delete table inet nfqd_probe\n") == 0;
	nft_ctx_free(nft);
	return has;
}

/* The words of `inside:` as set elements; interfaces and networks may be mixed. */
static int set_inside(struct steer *s, struct err *err)
{
	const struct steer_conf *c = &s->conf;
	char                     text[256];

	for (unsigned i = 0; i < c->n_inside && !c->inside_auto; i++) {
		struct net net;
		int        is_net = net_parse(c->inside[i], &net) == 0;

		if (is_net)
			snprintf(text, sizeof(text), "add element inet nfqd inside%d { %s }",
			         net.addr.len == 4 ? 4 : 6, c->inside[i]);
		else
			snprintf(text, sizeof(text), "add element inet nfqd inside { \"%s\" }",
			         c->inside[i]);
		if (steer_run(s, text, "inspect.inside", err) < 0)
			return -1;
	}
	return 0;
}

int steer_set_outside(struct steer *s, const char (*names)[16], unsigned n, struct err *err)
{
	char  *text = NULL;
	size_t size;
	FILE  *f = open_memstream(&text, &size);
	int    r;

	if (!f)
		return err_set(err, "out of memory");
	fputs("flush set inet nfqd outside\n", f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "add element inet nfqd outside { \"%s\" }\n", names[i]);
	fclose(f);
	r = steer_run(s, text, "interfaces that are outside", err);
	free(text);
	return r;
}

static int load(struct steer *s, struct err *err)
{
	char *text = steer_table_text(s);
	int   r = text ? steer_run(s, text, "table inet nfqd", err) : err_set(err, "out of memory");

	free(text);
	return r;
}

/* What belongs to a fresh table. */
static int fill(struct steer *s, struct err *err)
{
	if (set_inside(s, err) < 0)
		return -1;
	return s->backend == STEER_NFT ? 0 : xt_install(s->backend, &s->conf, err);
}

static void free_steer(struct steer *s)
{
	if (s->nft)
		nft_ctx_free(s->nft);
	free(s);
}

struct steer *steer_install(const struct steer_conf *conf, struct err *err)
{
	struct steer *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, "out of memory"), NULL;
	s->conf = *conf;
	s->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!s->nft || nft_ctx_buffer_error(s->nft) || nft_ctx_buffer_output(s->nft)) {
		err_set(err, "libnftables does not start");
		free_steer(s);
		return NULL;
	}
	s->backend = has_nft_queue() ? STEER_NFT : xt_flavour();
	xt_remove(); /* a killed run's */
	if (load(s, err) < 0) {
		free_steer(s);
		return NULL;
	}
	conntrack_clear(conf->mark_mask);
	if (fill(s, err) < 0) {
		steer_remove(s);
		return NULL;
	}
	return s;
}

int steer_repair(struct steer *s, struct err *err)
{
	s->gone = s->seen; /* counters of the new table begin at zero */
	if (s->backend != STEER_NFT)
		xt_remove(); /* those that are left */
	return load(s, err) < 0 ? -1 : fill(s, err);
}

/* A table that was emptied keeps its chains. */
static bool table_is_intact(struct steer *s)
{
	const char *text;

	if (nft_run_cmd_from_buffer(s->nft, "list chain inet nfqd to_queue") != 0)
		return false;
	text = nft_ctx_get_output_buffer(s->nft);
	return text && strstr(text, "mark set");
}

bool steer_is_intact(struct steer *s)
{
	struct steer_counts now;

	return steer_counters(s, &now) == 0 && table_is_intact(s) &&
	       (s->backend == STEER_NFT || xt_is_intact(s->backend, &s->conf));
}

/* The rules that mark go first: then nothing new reaches the queue rules behind them. */
void steer_stop_queueing(struct steer *s)
{
	struct err err = { 0 };

	if (steer_run(s, "flush chain inet nfqd to_queue", "stop queueing", &err) < 0)
		diag_warn("steer", "%s", err.text);
	if (s->backend != STEER_NFT)
		xt_remove();
}

void steer_remove(struct steer *s)
{
	struct err err = { 0 };

	if (s->backend != STEER_NFT)
		xt_remove();
	if (steer_run(s, "delete table inet nfqd", "remove the table", &err) < 0)
		diag_warn("steer", "%s", err.text);
	conntrack_clear(s->conf.mark_mask);
	free_steer(s);
}

int steer_counters(struct steer *s, struct steer_counts *out)
{
	struct steer_counts seen = s->gone;
	const struct {
		const char *name;
		uint64_t   *to;
	} counters[] = { { "unmarked", &seen.unmarked },
		         { "marked_output", &seen.marked_output },
		         { "foreign_mark", &seen.foreign_mark },
		         { "no_conntrack", &seen.no_conntrack } };
	json_t *doc, *item;
	size_t  i;
	int     r;

	*out = s->seen;
	nft_ctx_output_set_flags(s->nft, NFT_CTX_OUTPUT_JSON);
	r = nft_run_cmd_from_buffer(s->nft, "list counters table inet nfqd");
	nft_ctx_output_set_flags(s->nft, 0);
	if (r != 0)
		return -1;
	doc = json_loads(nft_ctx_get_output_buffer(s->nft), 0, NULL);
	json_array_foreach(json_object_get(doc, "nftables"), i, item)
	{
		json_t     *c = json_object_get(item, "counter");
		const char *name = json_string_value(json_object_get(c, "name"));

		for (size_t k = 0; name && k < sizeof(counters) / sizeof(counters[0]); k++)
			if (strcmp(name, counters[k].name) == 0)
				*counters[k].to += (uint64_t)json_integer_value(
					json_object_get(c, "packets"));
	}
	json_decref(doc);
	*out = s->seen = seen;
	return 0;
}
