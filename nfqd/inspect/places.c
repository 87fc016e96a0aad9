/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rights of each place. Whoever wants to hide a name sends an innocent one where it does not count, or
 * the listed one where nothing is read. So everything is read and can be refused wherever it stands, and
 * only what the server certainly reads lets a connection go.
 */
#include "inspect/message.h"

const struct place_rights place_rights[PLACES] = {
	/*                    may_allow may_refuse only_listed records_unlisted ends */
	[PLACE_IN_ORDER] = {  true,     true,      false,      true,            true  },
	[PLACE_PARTIAL]  = {  false,    true,      false,      false,           true  },
	[PLACE_SYN]      = {  false,    true,      false,      true,            true  },
	[PLACE_DECOY]    = {  false,    true,      false,      true,            true  },
	[PLACE_LATE]     = {  false,    true,      true,       false,           true  },
	[PLACE_AHEAD]    = {  false,    true,      false,      true,            true  },
	[PLACE_AFTER]    = {  false,    true,      false,      true,            true  },
	[PLACE_EMBEDDED] = {  false,    true,      true,       false,           true  },
	[PLACE_DATAGRAM] = {  false,    true,      false,      true,            false },
	[PLACE_SERVER]   = {  true,     true,      false,      true,            true  },
};
