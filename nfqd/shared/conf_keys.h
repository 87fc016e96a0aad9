/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of nfqd.yaml, one row each. From a row come the member of struct conf, the schema that the
 * file is checked and bound by, the default, the range, whether a reload is enough, and the key's line in
 * nfqd.yaml(5). A new key is a row here and its use.
 *
 *	X(P, type, key, member, need, limits, default, effect, text)
 *
 * P is the table's own argument: the section. Types and their limits: BOOL, TEXT (), WORD (words, first,
 * how many), NUMBER (least, most[, a word that stands for 0]), SPAN of time (least, most, as in the
 * file[, a word that stands for 0]), TEXTS (how many at least), ITEMS (structure, schema), and for what
 * has a table of its own MAPPING (structure, fields) and GROUP (fields), whose members are those of the
 * structure around it. The default is written as in the file; NULL: there is none.
 */
#ifndef NFQD_SHARED_CONF_KEYS_H
#define NFQD_SHARED_CONF_KEYS_H

#define CONF_TOP(X, P)                                                                             \
	X(P, WORD, "mode", mode, OPTIONAL, (modes, MODE_ENFORCE, MODE_OFF), "enforce", RELOAD,     \
	  "enforce the policies, or decide and record but block nothing")                          \
	X(P, WORD, "fail", fail, OPTIONAL, (fails, FAIL_OPEN, FAIL_N), "open", RESTART,            \
	  "whether packets pass or are dropped while nfqd cannot answer")                          \
	X(P, TEXTS, "rules", rules, NEEDED, (0), NULL, RELOAD, "packs, or folders of packs")       \
	X(P, TEXTS, "profiles", profiles, OPTIONAL, (0), "[]", RELOAD,                             \
	  "profiles whose stages are in force, too")                                               \
	X(P, MAPPING, "inspect", inspect, OPTIONAL, (struct conf_inspect, inspect_fields), NULL,   \
	  RESTART, "what is judged")                                                               \
	X(P, MAPPING, "resolve", resolve, OPTIONAL, (struct conf_resolve, resolve_fields), NULL,   \
	  RELOAD, "look up listed names in the background")                                        \
	X(P, MAPPING, "update", update, OPTIONAL, (struct conf_update, update_fields), NULL, RELOAD, \
	  "where nfqctl rules update finds releases of the list")                                  \
	X(P, MAPPING, "sightings", sightings, OPTIONAL, (struct conf_sightings, sightings_fields), NULL, \
	  RESTART, "sums over records by machine and product")                                     \
	X(P, ITEMS, "policies", policies, OPTIONAL, (struct policy_in, policy_value),              \
	  "[{name: all-packs, action: stage}]", RELOAD,                                            \
	  "policies in order; the first one that matches decides")                                 \
	X(P, TEXT, "include", include, OPTIONAL, (), "own.yaml", RELOAD,                           \
	  "a file beside this one whose policies come first, if it is there")                      \
	X(P, ITEMS, "exceptions", exceptions, OPTIONAL, (struct exception_in, exception_value),    \
	  "[]", RELOAD, "names that are allowed for a while")                                      \
	X(P, WORD, "default", default_action, OPTIONAL, (actions, ACTION_ALLOW, 2), "allow",       \
	  RELOAD, "the action for listed names that no policy matches")                            \
	X(P, GROUP, "on-fault", on_fault, OPTIONAL, (on_fault_fields), NULL, RELOAD,               \
	  "what happens to packets that cannot be judged")                                         \
	X(P, SPAN, "heartbeat", heartbeat, OPTIONAL, ("1s", "1d", "off"), "5m", RESTART,           \
	  "time between two proofs that listed names are refused")                                 \
	X(P, BOOL, "heartbeat-forward", heartbeat_forward, OPTIONAL, (), "false", RESTART,         \
	  "prove it for routed traffic, too")                                                      \
	X(P, TEXT, "pair-address", pair_address, OPTIONAL, (), NULL, RESTART,                      \
	  "an address that two gateways share: the one that has it is active")                     \
	X(P, TEXT, "control", control, OPTIONAL, (), "/run/nfqd/control.sock", RESTART,            \
	  "the control socket")                                                                    \
	X(P, TEXT, "state", state, OPTIONAL, (), "/var/lib/nfqd/state.json", RESTART,              \
	  "the file of what must survive a restart")                                               \
	X(P, GROUP, "log", log, OPTIONAL, (log_fields), NULL, RELOAD, "records")

#define CONF_INSPECT(X, P)                                                                         \
	X(P, BOOL, "forward", forward, OPTIONAL, (), "true", RESTART,                              \
	  "judge traffic that this machine routes")                                                \
	X(P, BOOL, "output", output, OPTIONAL, (), "true", RESTART,                                \
	  "judge traffic of programs on this machine")                                             \
	X(P, BOOL, "answers", answers, OPTIONAL, (), "true", RESTART,                              \
	  "judge the answers of resolvers")                                                        \
	X(P, TEXTS, "inside", inside, OPTIONAL, (1), "[auto]", RESTART,                            \
	  "interfaces or networks of the clients that are judged")                                 \
	X(P, TEXTS, "proxies", proxies, OPTIONAL, (0), "[]", RESTART,                              \
	  "TCP ports of proxies on this machine, where requests of clients are judged")            \
	X(P, NUMBER, "queues", queues, OPTIONAL, (1, QUEUES_MAX, "auto"), "auto", RESTART,         \
	  "kernel queues, each with a thread")                                                     \
	X(P, NUMBER, "queue-num", queue_num, OPTIONAL, (0, UINT16_MAX), "0", RESTART,              \
	  "number of the first queue")                                                             \
	X(P, NUMBER, "mark-mask", mark_mask, OPTIONAL, (0, UINT32_MAX), NULL, RESTART,             \
	  "ignored: bits of marks that nfqd 0.1.0 used")                                           \
	X(P, TEXTS, "nat64", nat64, OPTIONAL, (0), "[]", RELOAD,                                   \
	  "prefixes of NAT64 beside 64:ff9b::/96")                                                 \
	X(P, WORD, "offload", offload, OPTIONAL, (offloads, OFFLOAD_HOLD, 3), "hold", RESTART,     \
	  "what nfqd does about flowtables")                                                       \
	X(P, SPAN, "offload-hold", offload_hold, OPTIONAL, ("1s", "1m"), "3s", RESTART,            \
	  "how long undecided connections are kept from a flowtable")                              \
	X(P, WORD, "marked-output", marked_output, OPTIONAL, (marked, 0, 2), "accept", RESTART,    \
	  "packets of local programs that already carry a mark")                                   \
	X(P, WORD, "prefilter", prefilter, OPTIONAL, (prefilters, 0, 2), "off", RESTART,           \
	  "let plain DNS messages about unlisted names pass in the kernel")                        \
	X(P, BOOL, "checks", checks, OPTIONAL, (), "true", RELOAD,                                 \
	  "check for other rules of this machine that keep packets from nfqd")

#define CONF_RESOLVE(X, P)                                                                         \
	X(P, TEXT, "server", server, NEEDED, (), NULL, RELOAD, "address of the resolver")          \
	X(P, SPAN, "interval", interval, OPTIONAL, ("1m", "30d"), "6h", RELOAD,                    \
	  "time between rounds")                                                                   \
	X(P, SPAN, "jitter", jitter, OPTIONAL, ("0s", "30d"), NULL, RELOAD,                        \
	  "random time added to it (default: a tenth of the interval)")

#define CONF_UPDATE(X, P)                                                                          \
	X(P, TEXT, "from", from, OPTIONAL, (), NULL, RELOAD, "an https URL or a folder")           \
	X(P, TEXTS, "keys", keys, OPTIONAL, (0), "[]", RELOAD, "keys that releases are signed by") \
	X(P, TEXT, "into", into, OPTIONAL, (), "/var/lib/nfqd/rules", RELOAD,                      \
	  "where releases are kept")

#define CONF_SIGHTINGS(X, P)                                                                       \
	X(P, WORD, "storage", storage, OPTIONAL, (storages, 0, STORAGE_N), "disk", RESTART,        \
	  "where the database is kept")                                                            \
	X(P, TEXT, "folder", folder, OPTIONAL, (), NULL, RESTART,                                  \
	  "its folder on the disk (default: sightings, beside the state file)")                                                                \
	X(P, NUMBER, "max-size", max_size, OPTIONAL, (1, 1048576), "64", RESTART,                  \
	  "its largest size in MB; the oldest days go first")                                      \
	X(P, SPAN, "keep", keep, OPTIONAL, ("1d", "3650d"), "400d", RESTART,                       \
	  "how long days, and machines that no longer call, are kept")                             \
	X(P, TEXTS, "leases", leases, OPTIONAL, (0),                                               \
	  "[/var/lib/misc/dnsmasq.leases, /tmp/dhcp.leases, /var/lib/kea/kea-leases4.csv, /var/lib/kea/kea-leases6.csv]", \
	  RESTART, "files of DHCP leases, for the names of machines")                              \
	X(P, TEXTS, "names", names, OPTIONAL, (0), "[]", RESTART,                                  \
	  "the site's own names of machines, each behind an address or a MAC")

#define CONF_POLICY(X, P)                                                                          \
	X(P, TEXT, "name", name, NEEDED, (), NULL, RELOAD, "its name in records")                  \
	X(P, TEXTS, "clients", clients, OPTIONAL, (1), NULL, RELOAD,                               \
	  "networks, MACs, interfaces or this-machine: whom it applies to")                                      \
	X(P, GROUP, "match", match, OPTIONAL, (match_fields), NULL, RELOAD, "what it is about")    \
	X(P, WORD, "action", action, NEEDED, (actions, ACTION_ALLOW, ACTION_N), NULL, RELOAD,      \
	  "what is done")                                                                          \
	X(P, WORD, "dns", dns, OPTIONAL, (dns_styles, DNS_NXDOMAIN, DNS_STYLE_N), NULL, RELOAD,    \
	  "how a rejected question is answered (default: nxdomain)")                               \
	X(P, TEXT, "from", from, OPTIONAL, (), NULL, RELOAD, "when it begins to apply")            \
	X(P, TEXT, "until", until, OPTIONAL, (), NULL, RELOAD, "when it ceases to apply")          \
	X(P, TEXT, "observe-for", observe_for, OPTIONAL, (), NULL, RELOAD,                         \
	  "how long a new pack is only logged")

#define CONF_MATCH(X, P)                                                                           \
	X(P, TEXTS, "packs", packs, OPTIONAL, (1), NULL, RELOAD, "")                               \
	X(P, TEXTS, "names", names, OPTIONAL, (1), NULL, RELOAD, "")                               \
	X(P, TEXT, "names-file", names_file, OPTIONAL, (), NULL, RELOAD, "")                       \
	X(P, TEXTS, "categories", categories, OPTIONAL, (1), NULL, RELOAD, "")                     \
	X(P, TEXTS, "products", products, OPTIONAL, (1), NULL, RELOAD, "")                         \
	X(P, TEXTS, "confidence", confidence, OPTIONAL, (1), NULL, RELOAD, "")                     \
	X(P, TEXTS, "ports", ports, OPTIONAL, (1), NULL, RELOAD, "")

#define CONF_EXCEPTION(X, P)                                                                       \
	X(P, TEXT, "name", name, NEEDED, (), NULL, RELOAD, "its name in records")                  \
	X(P, TEXTS, "names", names, NEEDED, (1), NULL, RELOAD, "names, addresses and networks")    \
	X(P, TEXTS, "clients", clients, OPTIONAL, (1), NULL, RELOAD, "clients that it applies to (default: all)") \
	X(P, TEXT, "owner", owner, NEEDED, (), NULL, RELOAD, "who is responsible for it")          \
	X(P, TEXT, "reason", reason, NEEDED, (), NULL, RELOAD, "why")                              \
	X(P, TEXT, "expires", expires, NEEDED, (), NULL, RELOAD, "its end, at most a year ahead")

#define CONF_OUTPUT(X, P)                                                                          \
	X(P, WORD, "type", type, NEEDED, (output_types, 0, SINK_N), NULL, RESTART,                 \
	  "kind of output")                                                                        \
	X(P, TEXT, "path", path, OPTIONAL, (), NULL, RESTART, "where records go; - is standard output") \
	X(P, WORD, "privacy", privacy, OPTIONAL, (privacies, 0, PRIVACY_N), NULL, RESTART,         \
	  "what is written of clients; full without the key")                                      \
	X(P, WORD, "dns", dns, OPTIONAL, (dns_versions, 0, DNS_VERSION_N), NULL, RESTART,          \
	  "version of the DNS object; 3 without the key")

#define CONF_LOG(X, P)                                                                             \
	X(P, WORD, "events", events, OPTIONAL, (events, EVENTS_MATCHES, EVENTS_N), "matches",      \
	  RELOAD, "record listed names only, or every name")                                       \
	X(P, WORD, "packets", packets, OPTIONAL, (packets, PACKETS_REFUSED, PACKETS_N), "refused", \
	  RELOAD, "whose packets stand in records")                                                \
	X(P, BOOL, "client-names", client_names, OPTIONAL, (), "true", RESTART,                    \
	  "look up the names of clients")                                                          \
	X(P, SPAN, "fold", fold, OPTIONAL, ("1s", "1d", "off"), "off", RESTART,                    \
	  "how long repeats are only counted")                                                     \
	X(P, SPAN, "checkpoint", checkpoint, OPTIONAL, ("1s", "1h"), "1m", RESTART,                \
	  "how often what was recorded is signed")                                                 \
	X(P, ITEMS, "outputs", outputs, OPTIONAL, (struct conf_output, output_value),              \
	  "[{type: file, path: /var/log/nfqd/eve.json}]", RESTART, "where records go")

/* Members of a structure, from its table. */
#define CONF_MEMBER(P, type, key, member, need, limits, ...) CONF_MEMBER_##type(member, limits)
#define CONF_MEMBER_BOOL(m, limits)    bool m;
#define CONF_MEMBER_WORD(m, limits)    int m;
#define CONF_MEMBER_TEXT(m, limits)    char *m;
#define CONF_MEMBER_NUMBER(m, limits)  uint32_t m;
#define CONF_MEMBER_SPAN(m, limits)    uint32_t m; /* seconds */
#define CONF_MEMBER_TEXTS(m, limits)   char **m; unsigned n_##m;
#define CONF_MEMBER_ITEMS(m, limits)   CONF_FIRST limits *m; unsigned n_##m;
#define CONF_MEMBER_MAPPING(m, limits) CONF_FIRST limits m;
#define CONF_MEMBER_GROUP(m, limits)
#define CONF_FIRST(first, ...)         first

#endif
