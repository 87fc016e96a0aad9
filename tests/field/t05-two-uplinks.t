#!/bin/bash
# Stands for go-nfqueue#54, firewalla#811, mwan3 (packages#9538) and OpenWrt's pbr: two uplinks by fwmark, by
# CONNMARK restore and save without masks, with masks, and by a mark on all that the LAN sends (t01, t03, t05, t05b).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

second_uplink() {
	ip link add wan1 netns "$LAB_ROUTER" type veth peer name eth1 netns "$LAB_SERVER" &&
		ip -n "$LAB_ROUTER" addr add 10.3.0.1/24 dev wan1 && ip -n "$LAB_ROUTER" link set wan1 up &&
		ip -n "$LAB_SERVER" addr add 10.3.0.2/24 dev eth1 && ip -n "$LAB_SERVER" link set eth1 up &&
		ip -n "$LAB_ROUTER" route add default via 10.3.0.2 table 102 &&
		ip -n "$LAB_ROUTER" route add 10.1.0.0/24 dev lan0 table 102 &&
		lab_sysctl "$LAB_ROUTER" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.wan0.rp_filter=0 net.ipv4.conf.wan1.rp_filter=0 &&
		lab_sysctl "$LAB_SERVER" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0 &&
		xt nat -A POSTROUTING -o wan1 -j MASQUERADE &&
		xt filter -A FORWARD -o wan0 -m comment --comment first && xt filter -A FORWARD -o wan1 -m comment --comment second
}

unmasked() {
	ip -n "$LAB_ROUTER" rule add fwmark 2 table 102 pref 101 &&
		xt mangle -A PREROUTING -j CONNMARK --restore-mark &&
		xt mangle -A PREROUTING -m mark ! --mark 0 -j ACCEPT &&
		xt mangle -A PREROUTING -i lan0 -j MARK --set-mark 2 &&
		xt mangle -A PREROUTING -j CONNMARK --save-mark
}
masked() {
	ip -n "$LAB_ROUTER" rule add fwmark 0x200/0x3f00 table 102 pref 101 &&
		xt mangle -A PREROUTING -j CONNMARK --restore-mark --nfmask 0x3f00 --ctmask 0x3f00 &&
		xt mangle -A PREROUTING -m mark ! --mark 0/0x3f00 -j ACCEPT &&
		xt mangle -A PREROUTING -i lan0 -j MARK --set-xmark 0x200/0x3f00 &&
		xt mangle -A PREROUTING -j CONNMARK --save-mark --nfmask 0x3f00 --ctmask 0x3f00
}
pbr() {
	ip -n "$LAB_ROUTER" rule add fwmark 0x10000/0xff0000 table 102 pref 101 &&
		xt mangle -A PREROUTING -i lan0 -j MARK --set-xmark 0x10000/0xff0000
}
none() { xt mangle -F; ip -n "$LAB_ROUTER" rule del pref 101; in_router conntrack -F 2>/dev/null; }

# Packets of the client that took the main uplink since the last time.
by_main() { xt filter -vnxL FORWARD | awk '/first/ { print $1 }'; xt filter -Z FORWARD; }

try() {	# WHEN
	by_main >/dev/null
	is "$(field_try 4 | sed 's/ quic [a-z]*//g')" "$(sed 's/ quic [a-z]*//g' <<<"$FIELD_REFUSED, $FIELD_PASSED")" "$1: listed refused, unlisted passes"
	is "$(by_main)" 0 "$1: nothing took the other uplink"
	before=$(field_counter answers_failed)
	is "$(field_tls $FIELD_TLS 4)" reset "$1: listed TLS once more"
	is "$(field_counter answers_failed)" "$before" "$1: the server is reset by the connection's uplink"
}

field_up masquerade
second_uplink || bail "no second uplink"
for kind in unmasked masked pbr; do
	$kind || bail "no rules"
	field_nfqd
	try "$kind, before nfqd"
	nfqd_stop
	none
	field_nfqd
	$kind || bail "no rules"
	try "$kind, after nfqd"
	nfqd_stop
	none
done
done_testing
