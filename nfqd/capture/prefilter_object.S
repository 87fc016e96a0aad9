/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel half of the prefilter inside the program, as clang made it; PREFILTER_OBJECT is its path. */
#ifdef __CET__
#include <cet.h> /* the note that says: no indirect branch comes here, nothing returns elsewhere */
#endif
	.section .rodata
	.global prefilter_object
	.global prefilter_object_end
	.type prefilter_object, %object
	.balign 16
prefilter_object:
	.incbin PREFILTER_OBJECT
prefilter_object_end:
	.byte 0
	.size prefilter_object, prefilter_object_end - prefilter_object
	.section .note.GNU-stack,"",%progbits
