/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/addr.h"
#include "decide/policy.h"
#include "nfqctl.h"

bool client_is_plain(const char *text)
{
	struct net net;
	uint8_t    mac[6];

	return net_parse(text, &net) == 0 || mac_parse(text, mac) == 0 || strcmp(text, SELF_WORD) == 0;
}
