/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host names as registries see them: public suffixes (libpsl) and internationalised labels (libidn2). */
#include <idn2.h>
#include <libpsl.h>
#include <string.h>
#include <strings.h>

#include "base/span.h"
#include "rules.h"

/* The system's list when it is newer than the one in the library; read once. */
static const psl_ctx_t *psl(void)
{
	static psl_ctx_t *suffixes;

	if (!suffixes)
		suffixes = psl_latest(NULL);
	return suffixes;
}

bool hostname_is_public_suffix(const char *name)
{
	return psl() && psl_is_public_suffix2(psl(), name, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

bool hostname_is_registry(const char *name)
{
	return psl() && psl_is_public_suffix2(psl(), name, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

const char *hostname_registered(const char *name)
{
	return psl() ? psl_registrable_domain(psl(), name) : NULL;
}

static bool label_ok(const char *label, size_t n)
{
	char     text[64];
	uint8_t *out = NULL;
	int      r;

	if (n >= sizeof(text))
		return false;
	memcpy(text, label, n);
	text[n] = '\0';
	r = idn2_lookup_u8((const uint8_t *)text, &out, IDN2_ALABEL_ROUNDTRIP | IDN2_NFC_INPUT);
	idn2_free(out);
	return r == IDN2_OK;
}

bool hostname_idna_ok(const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		if (strncasecmp(name, "xn--", 4) == 0 && !label_ok(name, n))
			return false;
		name += n + (name[n] == '.');
	}
	return true;
}

int hostname_to_ascii(const char *name, char out[static HOST_TEXT])
{
	uint8_t *ascii = NULL;
	size_t   n = HOST_TEXT;

	if (idn2_lookup_u8((const uint8_t *)name, &ascii,
	                   IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_ALLOW_UNASSIGNED) == IDN2_OK)
		n = strlen((char *)ascii);
	if (n < HOST_TEXT)
		memcpy(out, ascii, n + 1);
	idn2_free(ascii);
	return n < HOST_TEXT ? 0 : -1;
}

const char *hostname_typed(const char *text, char out[static HOST_TEXT + 1])
{
	bool below = text[0] == '.', ascii = true;

	for (const char *c = text; *c; c++)
		ascii &= (unsigned char)*c < 0x80;
	if (ascii || hostname_to_ascii(text + below, out + below) < 0)
		return text;
	if (below)
		out[0] = '.';
	return out;
}
