/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to name/: what the readers of both versions of HTTP share. */
#ifndef NFQD_NAME_HTTP_PRIVATE_H
#define NFQD_NAME_HTTP_PRIVATE_H

#include "name/parsers.h"

/* Adds the host of an authority, if there is one. */
void http_add_authority(struct span a, enum seen_in where, struct names *out);
void http_set_method(struct span method, struct names *out);

#endif
