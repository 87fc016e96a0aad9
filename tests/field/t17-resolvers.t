#!/bin/bash
# Stands for unbound#98, unbound#1242 (0x20), Technitium#1146 and pi-hole#6045: a resolver on the LAN that asks from the
# root, with mixed case, over TCP, or forwards; unbound, BIND and dnsmasq (t17).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
. tests/lib/resolvers.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl dpkg-deb "$LAB_PYTHON"

run_dnsmasq() {
	lab_spawn resolver "$LAB_CLIENT" dnsmasq -k -C /dev/null -p 5300 --listen-address=127.0.0.1 --bind-interfaces -R \
		-S $LEAF --user=root --pid-file=
}

try() {	# WHAT RUN [ARGUMENT...]
	"${@:2}"
	lab_wait 10 resolves || { diag "$(tail -n 5 "$lab_dir/resolver.log")"; bail "$1: does not resolve"; }
	is "$(look_up $FIELD_DNS) $(look_up s08.upd.kaspersky.com) $(look_up mail.example.org)" "NXDOMAIN NXDOMAIN NOERROR" \
		"$1: two listed names, an unlisted one"
	lab_end resolver
}

field_unpacked || bail "BIND cannot be unpacked"
field_up masquerade
internet_up
field_nfqd
HINTS="root-hints: \"$lab_dir/hints\""
try "unbound from the root" resolver_unbound "$HINTS"
try "unbound, mixed case" resolver_unbound "$HINTS"$'\n use-caps-for-id: yes'
try "unbound, forwarding" resolver_unbound "" $'forward-zone:\n  name: "."\n  forward-addr: 192.0.2.3'
try "BIND from the root" resolver_bind "qname-minimization relaxed;"
try "BIND, forwarding" resolver_bind "forwarders { $LEAF; }; forward only;"
try dnsmasq run_dnsmasq
nfqd_stop
is $? 0 "nfqd stops"
done_testing
