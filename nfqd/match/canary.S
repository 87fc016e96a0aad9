/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The canary pack inside the program: rules/canary.yaml as it stands. Assembled from the top level. */
#ifdef __CET__
#include <cet.h> /* the note that says: no indirect branch comes here, nothing returns elsewhere */
#endif
	.section .rodata
	.global canary_yaml
	.global canary_yaml_end
	.type canary_yaml, %object
	.balign 16
canary_yaml:
	.incbin "rules/canary.yaml"
canary_yaml_end:
	.byte 0
	.size canary_yaml, canary_yaml_end - canary_yaml
	.section .note.GNU-stack,"",%progbits
