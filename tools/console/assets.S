/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages' style, script and icon inside the program. Assembled from the top level. */
#ifdef __CET__
#include <cet.h>
#endif
	.section .rodata
	.macro asset name, file
	.global \name
	.type \name, %object
	.balign 16
\name:
	.incbin "\file"
	.byte 0
	.size \name, . - \name
	.endm
	asset asset_style, "tools/console/style.css"
	asset asset_live, "tools/console/live.js"
	asset asset_icon, "tools/console/icon.svg"
	.section .note.GNU-stack,"",%progbits
