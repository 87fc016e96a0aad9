/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the table still as it was loaded? Asked by plain netlink, with a deadline: libnftables would read the
 * elements of every set, too. Where the kernel does not answer, nothing is known, and nothing is repaired.
 * And whose table is it?
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/diag.h"
#include "capture/steer_private.h"

enum { ANSWER_MS = 1000, TRIES = 3, UDATA_COMMENT = 0 /* libnftnl's */ };

/* What the kernel answered. */
struct found {
	unsigned rules;
	uint64_t handle; /* of the table */
	bool     asleep;
	char     owner[STEER_OWNER];
};

/* ---- whose the table is: nft's comment, which the kernel keeps as type, length and value ---- */

static void read_owner(const struct nlattr *attr, char out[static STEER_OWNER])
{
	const uint8_t *tlv = mnl_attr_get_payload(attr);
	unsigned       n = mnl_attr_get_payload_len(attr);

	if (n > 2 && tlv[0] == UDATA_COMMENT && tlv[1] <= n - 2)
		snprintf(out, STEER_OWNER, "%.*s", tlv[1], (const char *)tlv + 2);
}

void steer_put_owner(struct nlmsghdr *nlh, const char *owner)
{
	uint8_t tlv[2 + STEER_OWNER] = { UDATA_COMMENT, (uint8_t)(strlen(owner) + 1) };

	memcpy(tlv + 2, owner, tlv[1]);
	mnl_attr_put(nlh, NFTA_TABLE_USERDATA, 2U + tlv[1], tlv);
}

/* ---- ask, and read what comes ---- */

static int read_table(const struct nlattr *attr, void *data)
{
	struct found *f = data;

	if (mnl_attr_get_type(attr) == NFTA_TABLE_HANDLE && mnl_attr_validate(attr, MNL_TYPE_U64) >= 0)
		f->handle = mnl_attr_get_u64(attr); /* a number whose order does not matter */
	if (mnl_attr_get_type(attr) == NFTA_TABLE_FLAGS && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		f->asleep = ntohl(mnl_attr_get_u32(attr)) & NFT_TABLE_F_DORMANT;
	if (mnl_attr_get_type(attr) == NFTA_TABLE_USERDATA)
		read_owner(attr, f->owner);
	return MNL_CB_OK;
}

static int read_one(const struct nlmsghdr *nlh, void *data)
{
	struct found *f = data;

	f->rules += nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE);
	if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		return mnl_attr_parse(nlh, sizeof(struct nfgenmsg), read_table, f);
	return MNL_CB_OK;
}

/* The first attribute of either message is the table's name. */
static int ask(struct mnl_socket *nl, unsigned message, uint16_t flags)
{
	char             buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	*g = (struct nfgenmsg){ NFPROTO_INET, NFNETLINK_V0, 0 };
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, "nfqd");
	return mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

/* The socket stays open: closing one waits until the kernel has freed what any transaction removed. */
static struct mnl_socket *look_socket(struct steer *s)
{
	struct timeval tv = { .tv_sec = ANSWER_MS / 1000 };

	if (s->look)
		return s->look;
	s->look = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (s->look && mnl_socket_bind(s->look, 0, MNL_SOCKET_AUTOPID) < 0)
		steer_look_close(s);
	if (s->look)
		setsockopt(mnl_socket_get_fd(s->look), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return s->look;
}

void steer_look_close(struct steer *s)
{
	if (s->look)
		mnl_socket_close(s->look);
	s->look = NULL;
}

int steer_look_fd(struct steer *s)
{
	return look_socket(s) ? mnl_socket_get_fd(s->look) : -1;
}

/* Asks and reads to the end. 0 or -errno; -EINTR: the table changed during a dump. */
static int look(struct steer *s, unsigned message, uint16_t flags, struct found *f)
{
	static _Alignas(struct nlmsghdr) char buf[32768];
	struct mnl_socket *nl = look_socket(s);
	int                r;

	*f = (struct found){ 0 };
	if (!nl)
		return -errno;
	r = ask(nl, message, flags);
	for (int more = MNL_CB_OK; r == 0 && more == MNL_CB_OK;) {
		ssize_t got = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		more = got < 0 ? MNL_CB_ERROR : mnl_cb_run(buf, (size_t)got, 0, 0, read_one, f);
		if (more == MNL_CB_ERROR)
			r = -errno;
	}
	if (r < 0 && r != -ENOENT) /* the rest of the answer may still come */
		steer_look_close(s);
	return r;
}

bool steer_is_gone(struct steer *s)
{
	struct found f;

	return look(s, NFT_MSG_GETTABLE, NLM_F_ACK, &f) == -ENOENT;
}

uint64_t steer_handle(struct steer *s)
{
	struct found f;

	return look(s, NFT_MSG_GETTABLE, NLM_F_ACK, &f) == 0 ? f.handle : 0;
}

void steer_owner(char out[static STEER_OWNER])
{
	struct steer s = { .look = NULL };
	struct found f;

	snprintf(out, STEER_OWNER, "%s", look(&s, NFT_MSG_GETTABLE, NLM_F_ACK, &f) == 0 ? f.owner : "");
	steer_look_close(&s);
}

unsigned steer_rules_in(const struct steer *s, const char *text)
{
	const char *at = strchr(text, '\n');
	unsigned    n = s->conf.means.nft_queue ? 0 : 2 * QUEUE_KINDS; /* compat_queue()'s */
	bool        counts = true;

	for (unsigned i = 0; i < PREFILTER_PROGRAMS; i++)
		n += s->programs[i] >= 0;
	for (; at; at = strchr(at + 1, '\n')) {
		if (strncmp(at, "\n\tchain ", 8) == 0)
			counts = steer_has_text(s, at + 8);
		n += counts && strncmp(at, "\n\t\t", 3) == 0 && strncmp(at, "\n\t\ttype ", 8) != 0;
	}
	return n;
}

/* Both, of the table that is there. 0 or -errno. */
static int look_at_table(struct steer *s, struct found *table, struct found *rules)
{
	int r = look(s, NFT_MSG_GETTABLE, NLM_F_ACK, table);

	if (r < 0)
		return r;
	r = -EINTR;
	for (unsigned i = 0; i < TRIES && r == -EINTR; i++)
		r = look(s, NFT_MSG_GETRULE, NLM_F_DUMP, rules);
	return r;
}

bool steer_is_intact(struct steer *s)
{
	struct found table, rules;
	int          r = look_at_table(s, &table, &rules);

	if (r == 0)
		return rules.rules == s->rules && table.asleep == s->asleep &&
		       (!s->handle || table.handle == s->handle);
	if (r != -ENOENT)
		diag_warn("steer", "whether table inet nfqd is still there is not known: %s", strerror(-r));
	return r != -ENOENT;
}
