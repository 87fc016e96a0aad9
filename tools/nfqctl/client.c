/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that --client names. */
#include "base/addr.h"
#include "decide/policy.h"
#include "nfqctl.h"

bool client_ok(const char *command, const char *text)
{
	struct net net;
	uint8_t    mac[6];

	if (net_parse(text, &net) == 0 || mac_parse(text, mac) == 0 || strcmp(text, SELF_WORD) == 0 || iface_ok(text))
		return true;
	wrong_usage(command, "--client: '%s' is not an address, a network such as 10.0.0.0/8 with zero bits after the prefix, "
	            "a MAC, an interface or " SELF_WORD, text);
	return false;
}
