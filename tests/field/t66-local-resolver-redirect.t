#!/bin/bash
# Stands for the usual "send all DNS to the router" (a redirect of port 53 to dnsmasq or Pi-hole on it) and
# unbound#1242: the client's question is judged before the redirect, the router's own on its way to its resolver (t66).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy ip6tables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

redirect() {	# nft|legacy
	local program proto

	[ "$1" = nft ] && { lab_port53 redirect; return; }
	for program in iptables-legacy ip6tables-legacy; do
		for proto in udp tcp; do
			in_router $program -t nat -A PREROUTING -i lan0 -p $proto --dport 53 -j REDIRECT || return
		done
	done
}

# Both transports, a listed and an unlisted name.
asked() {	# RESOLVER
	echo "$(field_dns $FIELD_DNS "$1") $(field_dns $FIELD_DNS "$1" +tcp) $(field_dns $FIELD_OPEN "$1") $(field_dns $FIELD_OPEN "$1" +tcp)"
}

field_up masquerade
for how in nft legacy; do
	ok "$how: the redirect" redirect $how
	rm -f "$lab_dir/eve.json"
	in_client dig +tries=1 +time=2 $FIELD_OPEN @198.51.100.77 >"$lab_dir/dig.out" 2>&1
	like "$(cat "$lab_dir/dig.out")" 'status: NOERROR' "$how: it is in force: an address without a resolver answers"
	field_nfqd
	for v in 4 6; do
		is "$(asked "${LAB_PUBLIC[$v]%% *}")" "NXDOMAIN NXDOMAIN NOERROR NOERROR" "$how, IPv$v: a client that asks a public resolver"
		is "$(asked "${LAB_OWN[$v]}")" "NXDOMAIN NXDOMAIN NOERROR NOERROR" "$how, IPv$v: a client that asks the router"
	done
	FIELD_CLIENT=in_router
	is "$(asked 127.0.0.1)" "NXDOMAIN NXDOMAIN NOERROR NOERROR" "$how: the router, which asks its own resolver"
	FIELD_CLIENT=in_client
	lab_wait 2 nfqd_has_records 10
	is "$(nfqd_log | jq -r .src_ip | sort | uniq -c | awk '{ print $2, $1 }' | xargs)" "10.1.0.2 4 127.0.0.1 2 fd00:1::2 4" \
		"$how: one record for each refused question, with who asked it"
	nfqd_stop
	is $? 0 "$how: nfqd stops"
	lab_port53 none
done
done_testing
