/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to act/: handing over what forge.c built. A failure is counted in the injector. */
#ifndef NFQD_ACT_INJECT_H
#define NFQD_ACT_INJECT_H

#include "act/act.h"

struct forged {
	size_t  n; /* 0: it did not fit */
	uint8_t data[INJECT_MAX];
};

/* Towards the client: not tracked, never judged. scope: interface index for link-local addresses. */
void inject_client(struct injector *inj, const struct forged *packet, const struct addr *to,
                   uint32_t scope);
/* Towards the server: tracked, so that it leaves with the connection's translated address. */
void inject_server(struct injector *inj, const struct forged *packet, const struct addr *to,
                   uint32_t scope);

#endif
