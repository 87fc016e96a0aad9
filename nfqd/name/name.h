/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client said it wants to reach: the names of one DNS message, TLS ClientHello or HTTP
 * request. The extractors (one file per protocol, one row in name.c) read bytes and know nothing of
 * rules or policy. Everything behind this header trusts that a struct name went through
 * name_canonical().
 */
#ifndef NFQD_NAME_NAME_H
#define NFQD_NAME_NAME_H

#include "base/span.h"
#include "base/wire.h"

#define NAME_TEXT 256 /* a DNS name has at most 253 characters */
#define NAMES_MAX 8   /* names taken from one message; more are an exception */

enum seen_in {
	SEEN_DNS_QUERY,
	SEEN_TLS_SNI,
	SEEN_QUIC_SNI,
	SEEN_HTTP_HOST,
	SEEN_HTTP_CONNECT,
	SEEN_ADDRESS,
};

enum app { APP_NONE, APP_DNS, APP_TLS, APP_HTTP, APP_QUIC };

struct name {
	uint16_t len;
	uint8_t  seen_in;         /* enum seen_in */
	char     text[NAME_TEXT]; /* lower case, no trailing dot, odd bytes as \DDD, NUL-terminated */
};

struct dns_info {
	uint16_t id, flags;
	uint16_t qtype[NAMES_MAX];
	uint16_t question_len; /* bytes of the question section, from offset 12 */
	bool     edns;         /* the query carried an OPT record */
	bool     edns_do;
};

struct tls_info {
	uint16_t version; /* the highest that the client offers */
	uint32_t quic;    /* the QUIC version, when it came that way */
};

struct http_info {
	char method[16];
};

struct names {
	uint8_t app; /* enum app: the protocol that was recognised, also without a name */
	union {
		struct dns_info  dns;
		struct tls_info  tls;
		struct http_info http;
	};
	unsigned    n;
	struct name v[NAMES_MAX]; /* last: large, and read only up to n */
};

/*
 * The one gate for names: folds ASCII case, strips one trailing dot, writes bytes outside letters,
 * digits, '-', '_' as \DDD (RFC 1035 5.1), so that a dot in the text is always a label boundary. A name that
 * becomes too long keeps its right-hand end, which is what rules match on. Returns false for an
 * empty name. The label form takes the wire's labels one by one.
 */
bool name_canonical(struct name *out, struct span text);
bool name_push_label(struct name *out, struct span label);
/* The same for the host of a URL's authority (RFC 3986 3.2): what stands around it is dropped. */
bool name_of_authority(struct name *out, struct span authority);

/* Adds a name to the set; false when the set is full. Duplicates are added once. */
bool names_add(struct names *set, const struct name *name);

enum l4 { L4_UDP = 1, L4_TCP = 2 };

/* One protocol: guess() says from the first bytes whether it is this one, names() extracts.
 * WIRE_OK with no names: the protocol, but it names nobody. */
struct name_proto {
	const char *label;
	uint8_t     app, l4;
	bool        one_per_flow; /* the first message decides the whole connection */
	uint16_t    port;         /* only towards this port; 0: any */
	enum wire_err (*guess)(struct wire w);
	enum wire_err (*names)(struct wire *w, struct names *out);
};

/*
 * Finds the protocol of the first bytes a client sent. WIRE_OK: *row is set; WIRE_MORE: too few
 * bytes to tell; WIRE_NONE: none of ours.
 */
enum wire_err name_proto_find(enum l4 l4, uint16_t port, struct span first, bool open,
                              const struct name_proto **row);

enum wire_err dns_guess(struct wire w);
enum wire_err dns_guess_strict(struct wire w); /* on any port */
enum wire_err dns_names(struct wire *w, struct names *out);
enum wire_err dns_tcp_guess(struct wire w);
enum wire_err dns_tcp_guess_strict(struct wire w);
enum wire_err dns_tcp_names(struct wire *w, struct names *out); /* one message with its length */
enum wire_err tls_guess(struct wire w);
enum wire_err tls_names(struct wire *w, struct names *out);
/* The handshake without records, as QUIC carries it. */
enum wire_err quic_tls_names(struct wire *w, struct names *out);
enum wire_err http_guess(struct wire w);
enum wire_err http_names(struct wire *w, struct names *out);

/* Text for records, from one table each: "dns.query", "dns", "A" or "TYPE123". */
const char *seen_in_text(enum seen_in s);
const char *app_text(enum app a);
const char *dns_type_text(uint16_t type, char buf[static 12]);
const char *tls_version_text(uint16_t version);
const char *quic_version_text(uint32_t version, char buf[static 12]);

#endif
