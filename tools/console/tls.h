/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS by libmicrohttpd's GnuTLS: the files are read at the start. */
#ifndef CONSOLE_TLS_H
#define CONSOLE_TLS_H

#include <microhttpd.h>

#include "console.h"

/* Reads certificate, key and authority, where they are given. Returns 0, or -1 with err. */
MUST_CHECK int tls_read(const struct options *o, struct err *err);
/* Further options for a listener, at most seven and the end. */
void tls_options(bool tls, struct MHD_OptionItem out[static 8]);

#endif
