#!/bin/bash
# Stands for OpenSnitch#1462 and "no network after resume": every interface is down at nfqd's start, the default
# route comes later, the uplink is renamed while it is up, flaps, and an unreachable default route comes (t20).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

rt() { ip -n "$LAB_ROUTER" "$@"; }

# Interfaces that lead outside, as the table has them.
outside() {
	in_router nft list table inet nfqd 2>/dev/null | grep -oE '\biif (\{[^}]*\}|"[^"]*")' | grep -oE '"[^"]+"' |
		tr -d '"' | grep -vx lo | sort -u | xargs
}
outside_is() { [ "$(outside)" = "$1" ]; }

wan_up() {	# INTERFACE: with what a DHCP client and router advertisements bring
	rt link set "$1" up && rt -6 addr replace fd00:2::1/64 dev "$1" nodad &&
		rt route replace default via 10.2.0.2 dev "$1" && rt -6 route replace default via fd00:2::2 dev "$1"
}

judged() {	# WHAT INTERFACES
	local v

	ok "$1: leads outside: ${2:-none}" lab_wait 10 outside_is "$2" || diag "outside: $(outside)"
	for v in 4 6; do
		lab_wait 5 in_client timeout 1 bash -c ": </dev/tcp/${LAB_WEB[$v]}/443"
		field_refused $v "$1"
	done
}

field_up plain
rt link set wan0 down
rt link set lan0 down
field_nfqd
is "$(outside)" "" "started with every interface down: none leads outside"
rt link set lan0 up
rt -6 addr replace fd00:1::1/64 dev lan0 nodad
wan_up wan0
judged "the default route comes later" wan0
rt link set wan0 name uplink
judged "renamed while up" uplink
rt link set uplink down
ok "down: none leads outside" lab_wait 10 outside_is "" || diag "outside: $(outside)"
wan_up uplink
judged "up again" uplink
rt route add unreachable default metric 4278198272
judged "an unreachable default route" uplink
nfqd_stop
is $? 0 "nfqd stops"
done_testing
