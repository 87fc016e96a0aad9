/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prefilter's programs (prefilter.h) in the table: the xt match `bpf` through nft_compat, in chains that nft's
 * text only names.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_bpf.h>
#include <stdlib.h>

#include "capture/steer_private.h"

enum { REVISION = 1 };

const char *const prefilter_chains[PREFILTER_PROGRAMS] = { "p_question", "p_answer" };
static const char *const counters[PREFILTER_PROGRAMS] = { "passed_questions", "passed_answers" };

void write_prefilter(FILE *f)
{
	for (unsigned i = 0; i < PREFILTER_PROGRAMS; i++)
		fprintf(f, "\tcounter %s { }\n\tchain %s {\n\t}\n", counters[i], prefilter_chains[i]);
}

/* What is in the chain of that program's kind: called, it counts the packet and lets it pass. */
static void put_program(struct batch *b, uint8_t family, const char *table, const char *chain, int program,
                        const char *counter)
{
	struct xt_bpf_info_v1 info = { .mode = program < 0 ? XT_BPF_MODE_BYTECODE : XT_BPF_MODE_FD_ELF, .fd = program };
	struct rule           r = rule_begin(b, family, table, chain, "match");

	if (program < 0) { /* the shortest program there is: to see whether any would do */
		info.bpf_program_num_elem = 1;
		info.bpf_program[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	}
	mnl_attr_put_strz(r.nlh, NFTA_MATCH_NAME, "bpf");
	mnl_attr_put_u32(r.nlh, NFTA_MATCH_REV, htonl(REVISION));
	mnl_attr_put(r.nlh, NFTA_MATCH_INFO, sizeof(info), &info);
	if (counter) {
		rule_expression(&r, "objref");
		rule_counter(&r, counter);
	}
	rule_verdict(&r, NF_ACCEPT);
	rule_end(b, &r);
}

static void put_probe_program(struct batch *b)
{
	put_program(b, NFPROTO_IPV4, "nfqd_probe", "c", -1, NULL);
}

int compat_prefilter(const int programs[static PREFILTER_PROGRAMS])
{
	bool          any = programs[PREFILTER_QUESTION] >= 0 || programs[PREFILTER_ANSWER] >= 0;
	int           r = any ? batch_try(put_probe_program) : 0;
	struct batch *b = batch_new();

	for (unsigned i = 0; b && i < PREFILTER_PROGRAMS; i++) {
		batch_flush(b, prefilter_chains[i]);
		if (programs[i] >= 0)
			put_program(b, NFPROTO_INET, "nfqd", prefilter_chains[i], programs[i], counters[i]);
	}
	if (r == 0)
		r = b ? batch_commit(b) : -ENOMEM;
	free(b);
	return r;
}

void steer_forget_programs(struct steer *s)
{
	for (unsigned i = 0; s->conf.prefilter && i < PREFILTER_PROGRAMS; i++) {
		s->rules -= s->programs[i] >= 0;
		s->programs[i] = -1;
	}
}

int steer_set_prefilter(struct steer *s, const int programs[static PREFILTER_PROGRAMS], struct err *err)
{
	struct away_job job = { .programs = s->programs };
	int             r;

	if (!s->conf.prefilter)
		return 0;
	steer_forget_programs(s);
	for (unsigned i = 0; i < PREFILTER_PROGRAMS; i++) {
		s->programs[i] = programs[i];
		s->rules += programs[i] >= 0;
	}
	r = steer_run_job(s, &job, "the prefilter's rules", err);
	s->stale |= r < 0;
	return r;
}
