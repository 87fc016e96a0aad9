/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to steering: its state, the text of the table, running nft commands, the iptables rules of
 * the xt backends, and conntrack marks. */
#ifndef NFQD_CAPTURE_STEER_PRIVATE_H
#define NFQD_CAPTURE_STEER_PRIVATE_H

#include "capture/steer.h"

struct nft_ctx;

struct steer {
	struct nft_ctx    *nft;
	struct steer_conf  conf;
	enum steer_backend backend;
	struct steer_counts gone, seen; /* of tables that are no more; of all, when last read */
};

/* What loads the whole table, replacing an old one; the caller frees. NULL: out of memory. */
char *steer_table_text(const struct steer *s);

/* Runs nft commands as one transaction; err says what was being done. */
MUST_CHECK int steer_run(struct steer *s, const char *commands, const char *doing, struct err *err);

/* The iptables flavour this machine's other rules use. */
enum steer_backend xt_flavour(void);
/* One rule per hook and address family, with the comment `nfqd`. */
MUST_CHECK int xt_install(enum steer_backend flavour, const struct steer_conf *conf, struct err *err);
/* Are all of them still there? */
bool xt_is_intact(enum steer_backend flavour, const struct steer_conf *conf);
/* Removes every rule with that comment, of both flavours; built-in chains stay. */
void xt_remove(void);

/* Clears the bits of mask from every entry of the conntrack table. */
void conntrack_clear(uint32_t mask);

#endif
