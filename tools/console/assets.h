/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are built into the program; each ends with a NUL. */
#ifndef CONSOLE_ASSETS_H
#define CONSOLE_ASSETS_H

extern const char asset_style[], asset_live[], asset_icon[];

#endif
