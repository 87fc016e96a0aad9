/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

static char *certificate, *key, *authority; /* for as long as the process runs */

static int read_file(const char *path, char **out, struct err *err)
{
	FILE  *f = fopen(path, "re");
	size_t n = 0;

	*out = f ? malloc(FILE_MAX) : NULL;
	if (*out)
		n = fread(*out, 1, FILE_MAX - 1, f);
	if (n == 0)
		err_set(err, "%s: %s", path, f ? "it is empty" : strerror(errno));
	if (f)
		fclose(f);
	if (n == 0)
		return -1;
	(*out)[n] = '\0';
	return 0;
}

int tls_read(const struct options *o, struct err *err)
{
	if (!o->certificate != !o->key)
		return err_set(err, "--certificate and --key go together");
	if (o->client_ca && !o->certificate)
		return err_set(err, "--client-ca is for TLS: give --certificate and --key");
	if (!o->certificate)
		return 0;
	if (read_file(o->certificate, &certificate, err) < 0 || read_file(o->key, &key, err) < 0)
		return -1;
	return o->client_ca ? read_file(o->client_ca, &authority, err) : 0;
}

void tls_options(bool tls, struct MHD_OptionItem out[static 8])
{
	unsigned n = 0;

	if (tls) {
		out[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, key };
		out[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, certificate };
		out[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" };
	}
	if (tls && authority)
		out[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0, authority };
	out[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}
