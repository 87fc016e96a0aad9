/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets from a capture file (pcap, pcapng) through libpcap. Verdicts end here. */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>

#include "base/clock.h"
#include "capture/capture.h"

struct pcap_file {
	struct capture base;
	pcap_t        *pcap;
	uint8_t        link;
};

static int file_recv(struct capture *c, struct raw_packet burst[static CAPTURE_BURST])
{
	struct pcap_file   *f = (struct pcap_file *)c;
	struct pcap_pkthdr *h;
	const u_char       *data;
	int                 r = pcap_next_ex(f->pcap, &h, &data);

	if (r == PCAP_ERROR_BREAK)
		return -EPIPE;
	if (r != 1)
		return -EIO;
	/* the handle is opened for nanoseconds: tv_usec holds them */
	burst[0] = (struct raw_packet){ .data = span_of(data, h->caplen), .link = f->link,
		                        .ts = (uint64_t)h->ts.tv_sec * NS_PER_S +
		                              (uint64_t)h->ts.tv_usec,
		                        .cut = h->caplen < h->len };
	return 1;
}

static void file_verdict(struct capture *c, const struct raw_packet *raw, struct verdict v)
{
	(void)c, (void)raw, (void)v;
}

static int file_flush(struct capture *c)
{
	(void)c;
	return 0;
}

static void file_close(struct capture *c)
{
	struct pcap_file *f = (struct pcap_file *)c;

	pcap_close(f->pcap);
	free(f);
}

static const struct {
	int     dlt;
	uint8_t link;
} links[] = {
	{ DLT_EN10MB, LINK_ETHERNET }, { DLT_RAW, LINK_IP },      { DLT_IPV4, LINK_IP },
	{ DLT_IPV6, LINK_IP },         { DLT_LINUX_SLL, LINK_SLL }, { DLT_LINUX_SLL2, LINK_SLL2 },
	{ DLT_NULL, LINK_LOOPBACK },   { DLT_LOOP, LINK_LOOPBACK }, { DLT_PPP, LINK_PPP },
	{ DLT_PPP_SERIAL, LINK_PPP },  { DLT_PPP_ETHER, LINK_PPPOE }, { DLT_NFLOG, LINK_NFLOG },
};

static int link_of(pcap_t *pcap, const char *path, struct err *err)
{
	int         type = pcap_datalink(pcap);
	const char *name = pcap_datalink_val_to_description(type);

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].dlt == type)
			return links[i].link;
	return err_set(err, "%s: link type %d (%s) is not supported", path, type,
	               name ? name : "unknown");
}

struct capture *pcap_file_open(const char *path, struct err *err)
{
	static const struct capture_ops ops = { "file", file_recv, file_verdict, file_flush,
		                                file_close };
	char              why[PCAP_ERRBUF_SIZE];
	struct pcap_file *f = calloc(1, sizeof(*f));
	int               link;

	if (!f)
		return err_set(err, "%s: out of memory", path), NULL;
	f->base.ops = &ops;
	f->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!f->pcap) {
		err_set(err, "%s: %s", path, why);
		free(f);
		return NULL;
	}
	link = link_of(f->pcap, path, err);
	if (link < 0) {
		file_close(&f->base);
		return NULL;
	}
	f->link = (uint8_t)link;
	return &f->base;
}
