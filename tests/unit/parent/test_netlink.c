/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dump that a change interrupts, with the kernel's own interfaces in a network namespace of this test's own. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>

#include "parent/netlink.h"
#include "unit.h"

enum { PAIRS = 100, LINKS = 2 * PAIRS + 1 }; /* more than two of the kernel's parts (32 KiB) hold */

static void add_pair(void)
{
	char               buf[256];
	struct mnl_socket *nl = netlink_open(NETLINK_ROUTE, 0);
	struct nlmsghdr   *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg  *link = mnl_nlmsg_put_extra_header(nlh, sizeof(*link));
	struct nlattr     *info;
	ssize_t            n;

	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	link->ifi_family = AF_UNSPEC;
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_str(nlh, IFLA_INFO_KIND, "veth");
	mnl_attr_nest_end(nlh, info);
	assert_non_null(nl);
	assert_true(mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) > 0);
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	assert_true(n > 0);
	assert_int_equal(mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL), MNL_CB_STOP);
	mnl_socket_close(nl);
}

struct seen {
	unsigned links;
	bool     change;
};

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	struct seen *seen = data;

	(void)nlh;
	if (seen->links++ == 0 && seen->change)
		add_pair();
	return MNL_CB_OK;
}

static int dump(struct seen *seen)
{
	struct mnl_socket *nl = netlink_open(NETLINK_ROUTE, 0);
	int                r = nl ? netlink_dump(nl, RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC, on_link, seen) : -errno;

	if (nl)
		mnl_socket_close(nl);
	return r;
}

static void test_interrupted(void **state)
{
	struct seen quiet = { .change = false }, changed = { .change = true }, after = { .change = false };

	(void)state;
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return; /* neither root nor user namespaces; prove takes skip() for a failure */
	for (unsigned i = 0; i < PAIRS; i++)
		add_pair();
	assert_int_equal(dump(&quiet), 0);
	assert_true(quiet.links >= LINKS); /* a namespace may have tunnels of its own */
	assert_int_equal(dump(&changed), -EINTR);
	assert_int_equal(dump(&after), 0);
	assert_int_equal(after.links, quiet.links + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_interrupted) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
