/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of output that records can go to; each is a file of log/. */
#ifndef NFQD_BASE_OUTPUT_H
#define NFQD_BASE_OUTPUT_H

#include "base/words.h"

/* X(id, word in the configuration, path without the key (NULL: the key is needed), struct sink_ops) */
#define SINKS(X)                                                                                   \
	X(SINK_EVE, "file", NULL, sink_eve)                                                        \
	X(SINK_TEXT, "text", "-", sink_text)                                                       \
	X(SINK_SYSLOG, "syslog", "/dev/log", sink_syslog)                                          \
	X(SINK_UNIX, "unix", NULL, sink_unix)

enum sink_type { SINKS(WORD_ID) SINK_N };

/* What an output's records tell of clients: X(id, word) */
#define PRIVACIES(X)                                                                               \
	X(PRIVACY_FULL, "full")                                                                    \
	X(PRIVACY_HASHED, "hashed-clients") /* the same client is the same pseudonym */            \
	X(PRIVACY_COUNTERS, "counters")     /* which rule, when, and what was done */

enum privacy { PRIVACIES(WORD_ID) PRIVACY_N };

/* Versions of EVE's DNS object: X(id, word) */
#define DNS_VERSIONS(X)                                                                            \
	X(DNS_VERSION_3, "3") /* Suricata 8 */                                                     \
	X(DNS_VERSION_2, "2") /* Suricata before; Elastic's module */

enum dns_version { DNS_VERSIONS(WORD_ID) DNS_VERSION_N };

#endif
