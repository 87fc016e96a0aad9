/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the table that is about a connection's state: where it is kept, the tokens that verdicts
 * bring back, what becomes of decided packets, and the chains that queue. Text only.
 */
#include "capture/steer_private.h"

#include "capture/nfq_private.h"

const char *const queue_chains[QUEUE_KINDS] = { "q_main", "q_stray", "q_replies", "q_reopen", "q_old",
	                                       "q_udp" };

/* How each state is matched and set, in labels and in sets. `ct label set` only adds; of an element,
 * `update` begins its time anew. */
#define LABEL_TEXTS(number, name)                                                                  \
	{ { "ct label " number, "ct label set " number },                                          \
	  { "ct id @" name, "update @" name " { ct id }" } }

static const struct {
	const char *text[2][2]; /* of labels, of sets: match, statement */
} states[LABEL_END - LABEL_COUNT] = {
	[LABEL_AGED - LABEL_COUNT] = { LABEL_TEXTS("116", "s_aged") },
	[LABEL_RELEASED - LABEL_COUNT] = { LABEL_TEXTS("117", "s_released") },
	[LABEL_HELD - LABEL_COUNT] = { LABEL_TEXTS("118", "s_held") },
	[LABEL_ASKED - LABEL_COUNT] = { LABEL_TEXTS("119", "s_asked") },
	[LABEL_SEEN - LABEL_COUNT] = { LABEL_TEXTS("121", "s_seen") },
	[LABEL_ALLOWED - LABEL_COUNT] = { LABEL_TEXTS("122", "s_allowed") },
	[LABEL_REJECTED - LABEL_COUNT] = { LABEL_TEXTS("123", "s_rejected") },
	[LABEL_DROPPED - LABEL_COUNT] = { LABEL_TEXTS("124", "s_dropped") },
	[LABEL_REPLIES - LABEL_COUNT] = { LABEL_TEXTS("125", "s_replies") },
	[LABEL_REOPENED - LABEL_COUNT] = { LABEL_TEXTS("126", "s_reopened") },
	[LABEL_DECIDED - LABEL_COUNT] = { LABEL_TEXTS("127", "s_decided") },
};

const char *state_is(const struct steer *s, unsigned label)
{
	return states[label - LABEL_COUNT].text[s->storage == STEER_SETS][0];
}

const char *state_set(const struct steer *s, unsigned label)
{
	return states[label - LABEL_COUNT].text[s->storage == STEER_SETS][1];
}

/* ---- sets ---- */

static void write_set(FILE *f, const char *name, const char *time)
{
	fprintf(f, "\tset %s { typeof ct id; size 65536; flags dynamic,timeout; timeout %s; }\n", name,
	        time);
}

void write_state_sets(FILE *f, const struct steer *s)
{
	static const char *const old[] = { "old_allowed", "old_rejected", "old_dropped" };
	static const char *const all[] = { "s_aged",     "s_asked",   "s_seen",    "s_allowed",
		                           "s_rejected", "s_dropped", "s_replies", "s_decided",
		                           "s_held",     "s_released" };

	for (unsigned i = 0; s->storage == STEER_LABELS_AND_SETS && i < 3; i++)
		write_set(f, old[i], "1h");
	for (unsigned i = 0; s->storage == STEER_SETS && i < sizeof(all) / sizeof(all[0]); i++)
		write_set(f, all[i], "1h");
	if (s->storage == STEER_SETS)
		write_set(f, "s_count", "10m");
}

/* ---- tokens ---- */

static const struct {
	const char *name;
	unsigned    code, label[2];
	const char *old, *end; /* the set of entries without labels; what then happens to the packet */
} tokens[] = {
	{ "allow", TOKEN_ALLOW, { LABEL_ALLOWED }, "old_allowed", "accept" },
	{ "reject", TOKEN_REJECT, { LABEL_REJECTED, LABEL_DECIDED }, "old_rejected", "goto refuse" },
	{ "drop", TOKEN_DROP, { LABEL_DROPPED, LABEL_DECIDED }, "old_dropped", "drop" },
	{ "replies", TOKEN_REPLIES, { LABEL_REPLIES, LABEL_DECIDED }, NULL, "accept" },
};
enum { N_TOKENS = sizeof(tokens) / sizeof(tokens[0]) };

/* The packet's words where a token may stand, as token_places[] has them. */
static const char *const words[TOKEN_PLACES] = { "meta priority", "meta mark" };

static bool is_used(const struct steer *s, unsigned place)
{
	/* a verdict that takes the state along needs the second place only where it is the first */
	return place == TOKEN_PRIORITY ? !s->conf.means.mark_token
	                               : s->conf.means.mark_token || !s->conf.means.glue;
}

/* Restores the word, which was zero except for the bits that a token leaves alone. */
static void write_restore(FILE *f, unsigned place)
{
	if (token_places[place].kept)
		RULE(f, "%s set %s & 0x%08x", words[place], words[place], token_places[place].kept);
	else
		RULE(f, "%s set 0", words[place]);
}

/* The sets that say what a connection is; */
static const char *const state_sets[] = { "s_allowed", "s_rejected", "s_dropped", "s_replies", "s_decided" };
enum { N_STATE_SETS = sizeof(state_sets) / sizeof(state_sets[0]) };

/* Only one set may hold a connection. */
static void write_forget(FILE *f, const struct steer *s)
{
	for (unsigned i = 0; s->storage == STEER_SETS && i < N_STATE_SETS; i++)
		RULE(f, "delete @%s { ct id }", state_sets[i]);
}

static void write_token(FILE *f, const struct steer *s, unsigned i)
{
	fprintf(f, "\tchain token_%s {\n", tokens[i].name);
	write_forget(f, s);
	for (unsigned k = 0; k < 2 && tokens[i].label[k]; k++)
		RULE(f, "%s", state_set(s, tokens[i].label[k]));
	if (s->storage == STEER_LABELS_AND_SETS && tokens[i].old) {
		RULE(f, "ct label set %u", LABEL_PROBE);
		RULE(f, "ct label %u %s", LABEL_PROBE, tokens[i].end);
		RULE(f, "update @%s { ct id }", tokens[i].old);
	}
	RULE(f, "%s", tokens[i].end);
	fputs("\t}\n", f);
}

static void write_tokens(FILE *f, const struct steer *s)
{
	for (unsigned i = 0; i < N_TOKENS; i++)
		write_token(f, s, i);
	for (unsigned place = 0; place < TOKEN_PLACES; place++) {
		unsigned shift = token_places[place].shift;

		if (!is_used(s, place))
			continue;
		for (unsigned i = 0; i < N_TOKENS; i++) {
			fprintf(f, "\tchain back%u_%s {\n", place, tokens[i].name);
			write_restore(f, place);
			RULE(f, "goto token_%s", tokens[i].name);
			fputs("\t}\n", f);
		}
		fprintf(f, "\tchain back%u {\n", place);
		for (unsigned i = 0; i < N_TOKENS; i++)
			RULE(f, "%s & 0x%08x == 0x%08x goto back%u_%s", words[place],
			     TOKEN_CODES << shift, tokens[i].code << shift, place, tokens[i].name);
		fputs("\t}\n", f);
	}
}

/* A token that the rules look for in this place. */
static void write_back(FILE *f, const struct steer *s, unsigned place)
{
	if (is_used(s, place) && !s->conf.means.forget)
		RULE(f, "%s & 0x%08x == 0x%08x goto back%u", words[place], token_places[place].mask,
		     s->conf.tokens.verdict & token_places[place].mask, place);
}

void write_classed(FILE *f, const char *chain)
{
	RULE(f, "meta priority & 0x%08x != 0 jump %s", ~token_places[TOKEN_PRIORITY].kept, chain);
}

void write_came_back(FILE *f, const struct steer *s)
{
	if (s->conf.means.mark_token)
		write_back(f, s, TOKEN_MARK);
	else
		write_classed(f, "came_back");
}

/* The mark has a token only where the priority has no room for one. */
static void write_came_back_chain(FILE *f, const struct steer *s)
{
	fputs("\tchain came_back {\n", f);
	if (!s->conf.means.mark_token)
		for (unsigned place = 0; place < TOKEN_PLACES; place++)
			write_back(f, s, place);
	fputs("\t}\n", f);
}

/* ---- decided packets ---- */

/* How a blocked connection ends; used on its first packet and on all that follow. */
static void write_refuse(FILE *f)
{
	fputs("\tchain refuse {\n"
	      "\t\tmeta l4proto 6 reject with tcp reset\n"
	      "\t\treject with icmpx port-unreachable\n"
	      "\t}\n",
	      f);
}

/*
 * Allowed connections: three looks at what nearly no packet has, cheap ones, so that few meet more rules. A SYN begins
 * another connection on the same ports, and so may an Initial of QUIC: clients that keep one socket for all of a
 * server's names (RFC 9000 5.2) send several. In a flow that was let go by its number of datagrams, one that looks like
 * a question is queued once more, too. Only an aligned word is quick to read, so a hello is looked for by the bits that
 * both versions have in common.
 */
static void write_allowed_chain(FILE *f, const struct steer *s)
{
	fputs("\tchain allowed {\n", f);
	RULE(f, "@th,96,32 & 0x%08x == 0x%08x jump allowed_syn", TH_SYN | TH_ACK, TH_SYN);
	RULE(f, "@th,64,32 & 0xe094ccbc == 0xc0000000 jump allowed_hello");
	RULE(f, "@th,96,16 1 jump allowed_question");
	if (s->storage == STEER_SETS)
		RULE(f, "%s", state_set(s, LABEL_ALLOWED)); /* it stays as long as it is used */
	RULE(f, "accept");
	fputs("\t}\n\tchain allowed_syn {\n", f);
	RULE(f, "meta l4proto 6 goto reopen");
	fputs("\t}\n\tchain allowed_hello {\n", f);
	RULE(f, "meta l4proto 17 ct direction original jump initial");
	fputs("\t}\n\tchain allowed_question {\n", f);
	RULE(f, "meta l4proto 17 ct direction original @th,80,1 0 %s goto q_udp", state_is(s, LABEL_AGED));
	fputs("\t}\n", f);
}

/*
 * The kernel's own resets and ICMP errors belong to the connection that they end, and must pass. A SYN begins another
 * connection on the same ports, and so may an Initial of QUIC (RFC 9000 17.2.2, RFC 9369 3.2).
 */
static void write_decided_chain(FILE *f, const struct steer *s)
{
	fputs("\tchain decided {\n", f);
	RULE(f, "tcp flags & rst == rst accept");
	RULE(f, "meta l4proto 1 accept");
	RULE(f, "meta l4proto 58 accept");
	RULE(f, "tcp flags & (syn | ack) == syn goto reopen");
	RULE(f, "meta l4proto 17 ct direction original @th,64,3 6 jump initial");
	RULE(f, "%s goto refuse", state_is(s, LABEL_REJECTED));
	RULE(f, "%s drop", state_is(s, LABEL_DROPPED));
	RULE(f, "goto replies");
	fputs("\t}\n\tchain initial {\n", f);
	RULE(f, "@th,72,32 0x00000001 @th,64,4 12 goto q_udp");
	RULE(f, "@th,72,32 0x6b3343cf @th,64,4 13 goto q_udp");
	fputs("\t}\n", f);
}

/* A connection whose server's answer decides: nothing of the client's is inspected any more. */
static void write_replies(FILE *f)
{
	fputs("\tchain replies {\n"
	      "\t\tmeta l4proto != 6 accept\n"
	      "\t\tct direction original accept\n"
	      "\t\tip length . tcp doff @empty4 accept\n"
	      "\t\tip6 length . tcp doff @empty6 accept\n"
	      "\t\tgoto q_replies\n"
	      "\t}\n",
	      f);
}

/*
 * A SYN on a decided connection. A rule cannot remove labels: the daemon does that, and until then the old
 * state is void. From sets the rule removes it itself.
 */
static void write_reopen(FILE *f, const struct steer *s)
{
	fputs("\tchain reopen {\n", f);
	write_forget(f, s);
	RULE(f, "%s", state_set(s, LABEL_SEEN));
	if (s->storage == STEER_SETS) {
		RULE(f, "accept");
	} else {
		RULE(f, "%s", state_set(s, LABEL_REOPENED));
		RULE(f, "goto q_reopen");
	}
	fputs("\t}\n", f);
}

/* The kernel gives a new entry the id of one that is gone, when it has the same ports and the same place in memory. */
static void write_by_sets(FILE *f, const struct steer *s)
{
	if (s->storage != STEER_SETS)
		return;
	fputs("\tchain by_sets {\n", f);
	RULE(f, "ct id @s_allowed goto allowed");
	RULE(f, "ct id @s_decided goto decided");
	fputs("\t}\n\tchain fresh {\n", f);
	RULE(f, "ct status confirmed return");
	write_forget(f, s);
	RULE(f, "delete @s_aged { ct id }");
	RULE(f, "delete @s_count { ct id }");
	fputs("\t}\n", f);
}

void write_allowed(FILE *f, const struct steer *s)
{
	if (s->storage == STEER_SETS) {
		RULE(f, "ct status confirmed jump by_sets");
		RULE(f, "ct state new jump fresh");
		return;
	}
	RULE(f, "ct label & (%d | %d) == %d goto allowed", LABEL_ALLOWED, LABEL_REOPENED, LABEL_ALLOWED);
}

void write_decided(FILE *f, const struct steer *s)
{
	if (s->storage != STEER_SETS)
		RULE(f, "ct label & (%d | %d) == %d goto decided", LABEL_REOPENED, LABEL_DECIDED, LABEL_DECIDED);
}

/* ---- the way to the queue ---- */

/* The rules that count and queue, each in a chain of its own. Where nft's text cannot write them (steer_compat.c
 * does), what stands in the chain follows `fail:`. */
static void write_queue(FILE *f, const struct steer *s, unsigned kind)
{
	const struct steer_conf *c = &s->conf;
	unsigned                 num = c->queue_num + kind * QUEUE_STEP;

	fprintf(f, "\tchain %s {\n", queue_chains[kind]);
	if (!c->means.nft_queue)
		RULE(f, "%s", c->fail_open ? "accept" : "drop");
	else if (c->queues > 1)
		RULE(f, "counter name queued queue flags %s%u-%u", c->fail_open ? "bypass to " : "to ", num,
		     num + c->queues - 1U);
	else
		RULE(f, "counter name queued queue%s %u", c->fail_open ? " flags bypass to" : " num", num);
	fputs("\t}\n", f);
}

void write_queue_chains(FILE *f, const struct steer *s)
{
	for (unsigned kind = 0; kind < QUEUE_KINDS; kind++)
		write_queue(f, s, kind);
}

static void write_to_queue(FILE *f, const struct steer *s)
{
	fputs("\tchain to_known {\n", f);
	RULE(f, "meta l4proto 17 goto q_udp");
	RULE(f, "goto q_main");
	fputs("\t}\n\tchain to_queue {\n", f);
	RULE(f, "ct state invalid,untracked goto q_stray");
	if (s->storage == STEER_LABELS_AND_SETS) { /* an older entry cannot hold labels */
		RULE(f, "ct label set %u", LABEL_PROBE);
		RULE(f, "ct label %u goto to_known", LABEL_PROBE);
		RULE(f, "ct id @old_allowed accept");
		RULE(f, "ct id @old_rejected goto refuse");
		RULE(f, "ct id @old_dropped drop");
		RULE(f, "goto q_old");
	} else {
		RULE(f, "goto to_known");
	}
	fputs("\t}\n", f);
}

void write_state_chains(FILE *f, const struct steer *s)
{
	write_refuse(f);
	write_tokens(f, s);
	write_came_back_chain(f, s);
	write_allowed_chain(f, s);
	write_decided_chain(f, s);
	write_replies(f);
	write_reopen(f, s);
	write_by_sets(f, s);
	write_to_queue(f, s);
}
