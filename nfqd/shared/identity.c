/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The identity that every record carries. */
#include "shared/identity.h"

#include <unistd.h>

void identity_of_run(struct identity *id, enum identity_source source)
{
	*id = (struct identity){ .source = (uint8_t)source };
	if (gethostname(id->host, sizeof(id->host) - 1) < 0)
		id->host[0] = '\0';
}
