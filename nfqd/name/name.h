/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client says it wants to reach: the names in one DNS message, TLS ClientHello, HTTP request or
 * SOCKS request; and, where a client names no host, what a TLS server says it is. The extractors (one file
 * per protocol, one row in protocols.c) read bytes and know nothing of rules or policy. Whoever includes this
 * header trusts that every struct name went through name_canonical().
 */
#ifndef NFQD_NAME_NAME_H
#define NFQD_NAME_NAME_H

#include "base/addr.h"
#include "base/span.h"
#include "base/wire.h"
#include "base/words.h"

#define NAME_TEXT 256 /* a DNS name has at most 253 characters */
#define NAMES_MAX 8   /* names taken from one message */
#define DNS_ADDRS 16  /* addresses taken from one answer */

/* X(id, record's word, text's word) */
#define SEEN_IN(X)                                                                                 \
	X(SEEN_DNS_QUERY, "dns.query", "DNS")                                                      \
	X(SEEN_DNS_CNAME, "dns.cname", "DNS alias")   /* an answer leads to it: CNAME, DNAME */    \
	X(SEEN_DNS_SVCB, "dns.svcb", "DNS service")   /* likewise: SVCB, HTTPS, SRV, MX */         \
	X(SEEN_TLS_SNI, "tls.sni", "TLS")                                                          \
	X(SEEN_QUIC_SNI, "quic.sni", "QUIC")                                                       \
	X(SEEN_HTTP_HOST, "http.host", "HTTP")                                                     \
	X(SEEN_HTTP_CONNECT, "http.connect", "HTTP CONNECT")                                       \
	X(SEEN_HTTP2_AUTHORITY, "http2.authority", "HTTP/2") /* without TLS */                     \
	X(SEEN_SOCKS, "socks", "SOCKS") /* what a client asks a SOCKS proxy for */                 \
	X(SEEN_TLS_CERT, "tls.cert", "certificate") /* "*.example.com": only rules for all below   \
	                                               a name cover it */                          \
	X(SEEN_ADDRESS, "address", "address")

enum seen_in { SEEN_IN(WORD_ID) SEEN_N };

/* X(id, EVE's app_proto, EVE's event_type of names that no pack lists) */
#define APPS(X)                                                                                    \
	X(APP_NONE, "unknown", "flow")                                                             \
	X(APP_DNS, "dns", "dns")                                                                   \
	X(APP_TLS, "tls", "tls")                                                                   \
	X(APP_HTTP, "http", "http")                                                                \
	X(APP_QUIC, "quic", "quic")                                                                \
	X(APP_HTTP2, "http2", "http")                                                              \
	X(APP_SOCKS, "socks", "socks")

enum app { APPS(WORD_ID) APP_N };

struct name {
	uint16_t len;
	uint8_t  seen_in;         /* enum seen_in */
	char     text[NAME_TEXT]; /* lower case, no trailing dot, odd bytes as \DDD, NUL-terminated */
};

struct dns_address {
	struct addr addr;
	uint32_t    ttl; /* seconds */
};

enum { DNS_TYPE_SEVERAL = 0xffff }; /* reserved (RFC 6895): the name was asked for with more than one type */

struct dns_info {
	uint16_t id, flags;
	uint16_t qtype[NAMES_MAX];
	uint16_t question_len; /* bytes of the question section, from offset 12 */
	bool     edns;         /* the query carried an OPT record */
	bool     edns_do;
	bool     ech;     /* an answer carries keys for Encrypted ClientHello */
	uint8_t  n_targets, n_addrs; /* records of an answer that lead on; addresses in it */
	struct dns_address addrs[DNS_ADDRS]; /* last: not cleared for each message */
};

struct tls_info {
	uint16_t    version; /* the highest that the client offers, or what the server chose */
	uint32_t    quic;    /* the QUIC version, when QUIC carried it */
	bool        ech;     /* the extension is there */
	struct span hello;   /* the whole ClientHello's body, borrowed until the next message is
	                        read; n == 0: not all of it has come */
};

/* What tls_describe() finds in a hello, for its record. */
struct tls_detail {
	uint16_t version;
	uint32_t quic;
	uint8_t  ech;           /* enum tls_ech */
	uint8_t  alpn_len;
	uint8_t  alpn[64];      /* (length, bytes)...: what the client offers, as far as it fits */
	char     ja4[40];       /* "": there was no whole hello */
};

/* A client without an encrypted hello may offer the extension, too (GREASE), and no observer can tell
 * the difference; but the outer name of an encrypted hello is one of its provider's few public names. */
enum tls_ech { ECH_NONE, ECH_GREASE_OR_REAL, ECH_LIKELY };

struct http_info {
	char     method[16];
	uint64_t body; /* bytes between this request's header and the next request */
};

#define HTTP_BODY_CHUNKED UINT64_MAX       /* the body is in chunks, each with its length */
#define HTTP_BODY_UNKNOWN (UINT64_MAX - 1) /* the request contradicts itself */

struct names {
	uint8_t app;    /* enum app: the protocol that was recognised, also without a name */
	bool    tunnel; /* what follows the message is another protocol's first message */
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
/* The same for the host of a URL's authority (RFC 3986 3.2); user and port are dropped. */
bool name_of_authority(struct name *out, struct span authority);

/* Adds a name to the set; false when the set is full. Duplicates are added once. */
bool names_add(struct names *set, const struct name *name);

/* What an extractor starts with: no names. */
static inline void names_begin(struct names *set, enum app app)
{
	set->n = 0;
	set->app = (uint8_t)app;
	set->tunnel = false;
}

/* Where a protocol's messages travel. */
enum transport {
	TRANSPORT_DATAGRAM,
	TRANSPORT_STREAM, /* what one side of a TCP connection sends */
	TRANSPORT_CRYPTO, /* the handshake bytes in a client's QUIC Initials */
	TRANSPORT_DTLS,   /* the handshake bytes in a client's DTLS datagrams */
	TRANSPORT_SERVER, /* a TCP server's first bytes, which decide for its client */
};

/* What may follow a message on its connection. */
enum name_follow {
	FOLLOW_NOTHING, /* the first message decides; with names.tunnel, the one that follows it does */
	FOLLOW_ANY,     /* another request, of the same protocol or another */
	FOLLOW_SAME,    /* the connection keeps to this protocol, and each message decides for itself */
};

/* Bytes around messages that belong to none. NULL: there are none. */
struct name_framing {
	uint8_t prefix; /* bytes of length in front of each message */
	/* how long a message and its prefix are, by the prefix at the front */
	size_t (*length)(struct span front);
	/* bytes between this message and the next; NAME_BODY_PARTS: skip() finds their end */
	uint64_t (*body)(const struct names *names);
	/* Moves w past a body, from the beginning of a part on. WIRE_MORE: the body continues; w stands
	 * where the next part begins, or *beyond bytes before it. */
	enum wire_err (*skip)(struct wire *w, uint64_t *beyond);
};

#define NAME_BODY_PARTS UINT64_MAX

/* What a message begins with somewhere inside other bytes: at the mark, or with the line that holds it. */
struct name_mark {
	const char *bytes;
	uint8_t     len; /* 0: it is not looked for */
	bool        line;
};

/*
 * One protocol: guess() says from the first bytes whether it is this one, names() extracts.
 *
 * WIRE_OK: the message is read; no names: it names no host. The cursor stands after it, where the
 * framing tells what comes before the next.
 * WIRE_MORE: the message goes on. Names that are there already are certain, and the rest may name
 * others: refuse for what is there, but do not allow for it.
 * WIRE_BAD: damaged; the names before the damage are there. WIRE_NONE: another protocol after all.
 */
struct name_proto {
	uint8_t  transport, follow; /* enum transport, enum name_follow */
	uint16_t port;              /* only towards this port; 0: any */
	uint16_t from;              /* only from this port, that of a server; 0: any */
	bool     weak;       /* recognised by few bytes: only at the certain beginning of a connection */
	bool     names_only; /* its packets go to a resolver, whose address says nothing about the names */
	bool     content_follows; /* after a message without names.tunnel, no message follows */
	bool     ask_server; /* where a message has no name, the server's reply decides */
	enum wire_err (*guess)(struct wire w);
	enum wire_err (*names)(struct wire *w, struct names *out);
	struct name_framing framing;
	struct name_mark    mark;
	/* Does a first message begin here, after bytes that may precede one? Then it may restart a
	 * connection. */
	bool (*begins)(struct span bytes);
	/* May these bytes, right after a message, be another first message? */
	bool (*repeats)(struct span bytes);
	/* Writes what names() reads with the rest of the message as it would read the message, in fewer bytes than
	 * those that have come; returns how many, 0: none. NULL: it is not done. */
	size_t (*shrink)(struct span bytes, uint8_t *out, size_t room);
};

/*
 * Finds the protocol of the first bytes that one side sent. WIRE_OK: *row is set; WIRE_MORE: too few
 * bytes to tell; WIRE_NONE: none of ours.
 */
enum wire_err name_proto_find(enum transport transport, uint16_t from, uint16_t port, struct span first,
                              bool open, const struct name_proto **row);

/* The next row after another one (NULL: the first): of a transport; with a mark. */
const struct name_proto *name_proto_of(enum transport transport, const struct name_proto *after);
const struct name_proto *name_proto_marked(const struct name_proto *after);

/* Reads an answer that is known to be one: v[0] is its question, then come the names that it leads to. */
enum wire_err dns_answer_names(struct wire *w, struct names *out);
/* Is this an answer, whose v[0] is its question and whose other names are where it leads? */
bool dns_is_answer(const struct names *names);
/* What the i-th name was asked for; of an answer's names, what its question was; 0: they are not DNS's. */
uint16_t dns_question_type(const struct names *names, unsigned i);
/* Is the i-th name that of a question about a zone's keys (DS, DNSKEY; RFC 4034), which only validating
 * resolvers ask? Its answer leads nowhere. */
bool dns_is_about_keys(const struct names *names, unsigned i);
/* Does a question, v[0], ask for signatures (DO, RFC 3225), as validating resolvers do? */
bool dns_wants_signatures(const struct names *names);
/* What the OPT of a message says about its answer (RFC 8914). False: it says nothing. */
struct dns_error {
	uint16_t    code;
	struct span text; /* borrows the message; any bytes */
};
bool dns_extended_error(struct span message, struct dns_error *out);
/* Overwrites what a request says beside its method, its host and its version; returns how many of the n bytes
 * are left, up to the end of its Host. */
size_t http_mask(uint8_t *bytes, size_t n);
/* Is it a hello that offers Encrypted ClientHello, real or GREASE? */
bool tls_has_ech(const struct names *names);
/* Does a hello with Encrypted ClientHello name one of its providers' few public names? */
bool tls_is_hidden(const struct names *names);
/* Fills in what only records need; a connection without a record does not pay for it. */
void tls_describe(const struct names *names, struct tls_detail *out);

/* Text for records, from one table each: "dns.query", "dns", "A" or "TYPE123". */
const char *seen_in_text(enum seen_in s);  /* in records */
const char *seen_in_title(enum seen_in s); /* for people */
const char *app_text(enum app a);
const char *app_event_type(enum app a);
const char *dns_type_text(uint16_t type, char buf[static 12]);
const char *tls_version_text(uint16_t version);
const char *quic_version_text(uint32_t version, char buf[static 12]);

#endif
