/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clearing our bits from the kernel's conntrack table, before the first packet and after the last. */
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#include "base/diag.h"
#include "capture/steer_private.h"

struct clear {
	struct nfct_handle *update;
	uint32_t            mask;
};

static int clear_one(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct clear *c = data;
	uint32_t      mark = nfct_get_attr_u32(ct, ATTR_MARK);

	(void)type;
	struct nf_conntrack *change = mark & c->mask ? nfct_new() : NULL;

	if (change) { /* only the tuple that names it: NAT attributes must not be sent back */
		nfct_copy(change, ct, NFCT_CP_ORIG);
		nfct_set_attr_u32(change, ATTR_MARK, mark & ~c->mask);
		nfct_query(c->update, NFCT_Q_UPDATE, change); /* one that just ended is no matter */
		nfct_destroy(change);
	}
	return NFCT_CB_CONTINUE;
}

/* The kernel filters the dump by one bit at a time, so a large table costs little. */
static void clear_bit(struct nfct_handle *dump, uint32_t bit)
{
	struct nfct_filter_dump     *filter = nfct_filter_dump_create();
	struct nfct_filter_dump_mark mark = { .val = bit, .mask = bit };

	if (!filter)
		return;
	nfct_filter_dump_set_attr(filter, NFCT_FILTER_DUMP_MARK, &mark);
	nfct_filter_dump_set_attr_u8(filter, NFCT_FILTER_DUMP_L3NUM, AF_UNSPEC);
	nfct_query(dump, NFCT_Q_DUMP_FILTER, filter);
	nfct_filter_dump_destroy(filter);
}

void conntrack_clear(uint32_t mask)
{
	struct nfct_handle *dump = nfct_open(CONNTRACK, 0);
	struct clear        c = { .update = nfct_open(CONNTRACK, 0), .mask = mask };

	if (dump && c.update) {
		nfct_callback_register(dump, NFCT_T_ALL, clear_one, &c);
		for (unsigned i = 0; i < 3; i++)
			clear_bit(dump, steer_mark(mask, 1U << i));
	} else {
		diag_warn("steer", "conntrack marks are not cleared: %s", strerror(errno));
	}
	if (dump)
		nfct_close(dump);
	if (c.update)
		nfct_close(c.update);
}
