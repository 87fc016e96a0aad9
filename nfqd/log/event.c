/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record says about its message, by protocol. */
#include "log/event.h"

void event_describe(struct event *e, const struct names *names)
{
	e->app = names->app;
	if (names->app == APP_DNS) {
		e->dns.id = names->dns.id;
		e->dns.ech = names->dns.ech;
	} else if (names->app == APP_TLS || names->app == APP_QUIC) {
		tls_describe(names, &e->tls);
	} else if (names->app == APP_HTTP || names->app == APP_HTTP2) {
		e->http = names->http;
	}
}
