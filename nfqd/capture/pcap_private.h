/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the readers of capture files. */
#ifndef NFQD_CAPTURE_PCAP_PRIVATE_H
#define NFQD_CAPTURE_PCAP_PRIVATE_H

#include <stdio.h>

#include "capture/capture.h"

#define LINK_UNKNOWN 0xff

/* Which reader of decode/link.c knows the packets of a DLT; LINK_UNKNOWN when none does. */
uint8_t     pcap_link(int dlt);
const char *pcap_link_text(int dlt);

/* Verdicts about copies are discarded. */
void pcap_no_verdict(struct capture *c, const struct raw_packet *raw, struct verdict v);
int  pcap_no_flush(struct capture *c);

/* The file that is packed in file, which it takes: closing it closes that one, too. Returns NULL when memory
 * ran out. What is damaged or cut reads as an error, EBADMSG. */
MUST_CHECK FILE *gzip_open(FILE *file);

/* Reads f from its beginning and takes it. name is borrowed. */
MUST_CHECK struct capture *pcapng_open(FILE *f, const char *name, struct err *err);

#endif
