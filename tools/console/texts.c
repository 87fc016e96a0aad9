/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "texts.h"

#define TEXT_ROW(id, text) [T_##id] = text,
static const char *const english[TEXTS_N] = { TEXTS(TEXT_ROW) };

const char *t(enum text id)
{
	return english[id];
}
