/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heartbeat's TLS hello and QUIC Initial inside the program. Assembled from the top level. */
#ifdef __CET__
#include <cet.h> /* marks the object as fit for CET: there is no code in it */
#endif
	.section .rodata
	.global probe_hello
	.global probe_hello_end
	.global probe_initial
	.global probe_initial_end
	.type probe_hello, %object
	.type probe_initial, %object
	.balign 16
probe_hello:
	.incbin "nfqd/prober/hello.bin"
probe_hello_end:
	.byte 0
	.size probe_hello, probe_hello_end - probe_hello
	.balign 16
probe_initial:
	.incbin "nfqd/prober/initial.bin"
probe_initial_end:
	.byte 0
	.size probe_initial, probe_initial_end - probe_initial
	.section .note.GNU-stack,"",%progbits
