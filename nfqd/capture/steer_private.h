/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to steering: running nft commands, the iptables rules of the xt backends, and conntrack marks. */
#ifndef NFQD_CAPTURE_STEER_PRIVATE_H
#define NFQD_CAPTURE_STEER_PRIVATE_H

#include "capture/steer.h"

/* Runs nft commands as one transaction; err says what was being done. */
MUST_CHECK int steer_run(struct steer *s, const char *commands, const char *doing, struct err *err);

/* The iptables flavour this machine's other rules use. */
enum steer_backend xt_flavour(void);
/* One rule per hook and address family, with the comment `nfqd`. */
MUST_CHECK int xt_install(enum steer_backend flavour, const struct steer_conf *conf, struct err *err);
/* Removes every rule with that comment, of both flavours; built-in chains stay. */
void xt_remove(void);

/* Clears the bits of mask from every entry of the conntrack table. */
void conntrack_clear(uint32_t mask);

#endif
