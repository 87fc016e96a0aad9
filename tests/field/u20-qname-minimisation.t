#!/bin/bash
# Stands for DNSCrypt/dnscrypt-proxy#1143 and RFC 9156: an exception for one name below a refused zone, asked for by
# a resolver that asks for each name on the way there; a refusal of one of those would hide the excepted one. And for
# unbound#98, Technitium#1146 and pi-hole#6045: resolvers that ask from the root through nfqd.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
. tests/lib/resolvers.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl dpkg-deb "$LAB_PYTHON"

run() {	# unbound|bind relaxed|strict
	if [ "$1" = unbound ]; then
		resolver_unbound "root-hints: \"$lab_dir/hints\"
			qname-minimisation: yes
			qname-minimisation-strict: $([ "$2" = strict ] && echo yes || echo no)"
	else
		resolver_bind "qname-minimization $2;"
	fi
}

field_unpacked || bail "BIND cannot be unpacked"
field_up masquerade
internet_up
nfqd_conf | sed 's/^policies:/exceptions:\
  - {name: lab, names: [s07.upd.kaspersky.com], owner: a@example.org, reason: test, expires: 2027-06-01}\
&/' >"$lab_dir/nfqd.yaml"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(cat "$lab_dir/nfqd.log")"
for resolver in unbound bind; do
	for way in relaxed strict; do
		run $resolver $way
		lab_wait 10 resolves || bail "$resolver does not resolve: $(tail -n 5 "$lab_dir/resolver.log")"
		is "$(look_up s07.upd.kaspersky.com) $(look_up s08.upd.kaspersky.com) $(look_up mail.example.org)" \
			"NOERROR NXDOMAIN NOERROR" "$resolver, $way: the excepted name, its sister, an unlisted one"
		lab_end resolver
	done
done
is "$(jq -r 'select(.alert and .nfqd.name == "kaspersky.com").nfqd | "\(.action) \(.exception)"' "$lab_dir/eve.json" | sort -u)" \
	"allow lab" "the name above it passes by that exception"
is "$(field_dns upd.kaspersky.com $LEAF) $(field_tls upd.kaspersky.com 4)" "NOERROR reset" \
	"for DNS alone: a connection to the name above is refused"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
