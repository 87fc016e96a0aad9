/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no pack may block, inside the program: rules/never.yaml as it stands. Assembled from the top level. */
#ifdef __CET__
#include <cet.h>
#endif
	.section .rodata
	.global never_yaml
	.global never_yaml_end
	.type never_yaml, %object
	.balign 16
never_yaml:
	.incbin "rules/never.yaml"
never_yaml_end:
	.byte 0
	.size never_yaml, never_yaml_end - never_yaml
	.section .note.GNU-stack,"",%progbits
