/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our traces in the kernel's conntrack table: cleared before the first packet and after the last. */
#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stdio.h>

#include "base/diag.h"
#include "capture/steer_private.h"

enum { PORT_DNS = 53, PORT_CLIENT = 1024 };

enum traces { LABELS, MARKS, ANSWERS };

struct clear {
	struct nfct_handle *update;
	enum traces         what;
	uint32_t            marks;
};

/* Ours are all labels from the first to the last that the rules set. */
static struct nfct_bitmask *our_labels(bool set)
{
	struct nfct_bitmask *all = nfct_bitmask_new(127);

	for (unsigned bit = LABEL_COUNT; all && set && bit < LABEL_END; bit++)
		if (bit != LABEL_PROBE)
			nfct_bitmask_set_bit(all, bit);
	return all;
}

static bool has_labels(const struct nf_conntrack *ct)
{
	const struct nfct_bitmask *labels = nfct_get_attr(ct, ATTR_CONNLABELS);
	bool                       has = false;

	for (unsigned bit = LABEL_COUNT; labels && bit < LABEL_END; bit++)
		has |= bit != LABEL_PROBE && bit <= nfct_bitmask_maxbit(labels) &&
		       nfct_bitmask_test_bit(labels, bit);
	return has;
}

/* Only the tuple and zone that name it: NAT attributes must not be sent back. */
static struct nf_conntrack *change_of(const struct nf_conntrack *ct)
{
	struct nf_conntrack *change = nfct_new();

	if (change) {
		nfct_copy(change, ct, NFCT_CP_ORIG);
		if (nfct_attr_is_set(ct, ATTR_ZONE) > 0)
			nfct_set_attr_u16(change, ATTR_ZONE, nfct_get_attr_u16(ct, ATTR_ZONE));
	}
	return change;
}

static void clear_labels_of(struct clear *c, const struct nf_conntrack *ct)
{
	struct nf_conntrack *change = has_labels(ct) ? change_of(ct) : NULL;
	struct nfct_bitmask *none = our_labels(false), *ours = our_labels(true);

	if (change && none && ours) {
		nfct_set_attr(change, ATTR_CONNLABELS, none); /* the entry owns them from here */
		nfct_set_attr(change, ATTR_CONNLABELS_MASK, ours);
		none = ours = NULL;
		nfct_query(c->update, NFCT_Q_UPDATE, change); /* an entry that has just ended does not matter */
	}
	if (none)
		nfct_bitmask_destroy(none);
	if (ours)
		nfct_bitmask_destroy(ours);
	if (change)
		nfct_destroy(change);
}

static void clear_marks_of(struct clear *c, const struct nf_conntrack *ct)
{
	uint32_t             mark = nfct_get_attr_u32(ct, ATTR_MARK);
	struct nf_conntrack *change = mark & c->marks ? change_of(ct) : NULL;

	if (change) {
		nfct_set_attr_u32(change, ATTR_MARK, mark & ~c->marks);
		nfct_query(c->update, NFCT_Q_UPDATE, change);
		nfct_destroy(change);
	}
}

/* A client's connection begins with a question: one that begins with an answer is ours. */
static void forget_answer(struct clear *c, const struct nf_conntrack *ct)
{
	struct nf_conntrack *change;

	if (nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO) != IPPROTO_UDP ||
	    ntohs(nfct_get_attr_u16(ct, ATTR_ORIG_PORT_SRC)) != PORT_DNS ||
	    ntohs(nfct_get_attr_u16(ct, ATTR_ORIG_PORT_DST)) < PORT_CLIENT)
		return;
	change = change_of(ct);
	if (change) {
		nfct_query(c->update, NFCT_Q_DESTROY, change);
		nfct_destroy(change);
	}
}

static int clear_one(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct clear *c = data;

	(void)type;
	if (c->what == ANSWERS)
		forget_answer(c, ct);
	else if (c->what == MARKS)
		clear_marks_of(c, ct);
	else
		clear_labels_of(c, ct);
	return NFCT_CB_CONTINUE;
}

static void clear_all(enum traces what, uint32_t marks)
{
	struct nfct_handle *dump = nfct_open(CONNTRACK, 0);
	struct clear        c = { .update = nfct_open(CONNTRACK, 0), .what = what, .marks = marks };
	uint32_t            family = AF_UNSPEC;

	if (dump && c.update) {
		nfct_callback_register(dump, NFCT_T_ALL, clear_one, &c);
		nfct_query(dump, NFCT_Q_DUMP, &family);
	} else {
		diag_warn("steer", "conntrack entries are not cleared: %s", strerror(errno));
	}
	if (dump)
		nfct_close(dump);
	if (c.update)
		nfct_close(c.update);
}

void conntrack_clear_labels(void)
{
	if (conntrack_count())
		clear_all(LABELS, 0);
}

void conntrack_clear_marks(uint32_t mask)
{
	clear_all(MARKS, mask);
}

void steer_forget_answers(void)
{
	clear_all(ANSWERS, 0);
}

unsigned long conntrack_count(void)
{
	FILE         *f = fopen("/proc/sys/net/netfilter/nf_conntrack_count", "re");
	unsigned long n = 0;

	if (f && fscanf(f, "%lu", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}
