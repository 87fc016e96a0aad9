/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the heartbeat's processes share: their network, the drop of privileges and the reports to the parent. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/heartbeat.h"
#include "prober/link.h"
#include "prober/prober_private.h"
#include "shared/privs.h"

const struct probe_row probe_rows[PROBE_CHANNELS_N] = {
#define X(id, word, proto, port) [PROBE_##id] = { word, proto, port },
	PROBE_CHANNELS(X)
#undef X
};

void prober_tell(int parent, const struct prober_report *r)
{
	if (send(parent, r, sizeof(*r), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
		diag_debug("heartbeat", "report: %s", strerror(errno));
}

static int failed(const struct prober_in *in, int error, const char *what)
{
	prober_tell(in->parent, &(struct prober_report){ .kind = PROBER_FAILED, .error = error });
	diag_debug("heartbeat", "%s: %s", what, strerror(error));
	return 1;
}

/* The addresses of a link's far end and of this host's end, the far end's only gateway. */
static const struct {
	const char *address, *gateway;
} networks[PROBER_ROLES] = {
	[PROBER_RESPONDER] = { HEARTBEAT_RESPONDER, HEARTBEAT_HOST },
	[PROBER_FORWARD] = { HEARTBEAT_FORWARD, HEARTBEAT_FORWARD_HOST },
};

/* Returns 0 or -errno. */
static int open_network(const struct prober_in *in)
{
	prober_command linked;
	int            r = privs_own_network(PRIVS_PROBER);

	if (r < 0)
		return r;
	prober_tell(in->parent, &(struct prober_report){ .kind = PROBER_WANTS_LINK });
	if (recv(in->parent, &linked, sizeof(linked), 0) != sizeof(linked))
		return -EPIPE;
	r = link_bring_up(LINK_FAR_END, networks[in->role].address, HEARTBEAT_PREFIX);
	return r < 0 ? r : link_default_route(networks[in->role].gateway);
}

int prober_main(const struct prober_in *in)
{
	struct responder responder;
	struct err       err = { 0 };
	int              r = 0;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	diag_never_wait(in->diag_lost);
	if (in->role != PROBER_OUTPUT)
		r = open_network(in);
	if (r == 0 && in->role == PROBER_RESPONDER)
		r = responder_open(&responder);
	if (r < 0)
		return failed(in, -r, "a network of its own");
	if (privs_drop(in->empty_folder, PRIVS_PROBER, PRIVS_NONE, &err) < 0 ||
	    privs_seccomp(PRIVS_PROBES, &err) < 0) {
		diag_warn("heartbeat", "%s", err.text);
		return failed(in, EPERM, "privileges");
	}
	prober_tell(in->parent, &(struct prober_report){ .kind = PROBER_READY });
	if (in->role == PROBER_RESPONDER)
		responder_loop(&responder, in->parent);
	else
		client_loop(in->parent, in->role == PROBER_OUTPUT);
	return 0;
}
