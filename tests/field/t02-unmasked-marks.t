#!/bin/bash
# Stands for scripts of OpenWrt, Tomato and countless howtos: MARK --set-mark and CONNMARK without a mask, in any
# chain, before nfqd's start and after; and a QoS save-mark in POSTROUTING (t01, t02, t05, t23, t62).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

rules=("-A FORWARD -j MARK --set-mark 10" "-A PREROUTING -i lan0 -j MARK --set-mark 10"
	"-A FORWARD -j CONNMARK --set-mark 10" "-A PREROUTING -j CONNMARK --set-mark 10"
	"-A POSTROUTING -j CONNMARK --save-mark" "-A POSTROUTING -j MARK --set-mark 0x70000000"
	"-A PREROUTING -j CONNMARK --restore-mark")

# Of an upload of many segments: how many are queued?
upload() {
	local before

	before=$(nfqd_queued)
	in_client bash -c "exec 3<>/dev/tcp/${LAB_WEB[4]}/7000; head -c 3000000 /dev/zero >&3; exec 3>&-"
	echo $(($(nfqd_queued) - before))
}
few() { [ "$1" -le 4 ] || { echo "$1 queued"; return 1; }; }

field_up masquerade
field_nfqd
for rule in "${rules[@]}"; do
	# shellcheck disable=SC2086	# words
	xt mangle $rule
	is "$(field_dns $FIELD_DNS 8.8.8.8) $(field_tls $FIELD_TLS 4) $(field_tls $FIELD_OPEN 4)" "NXDOMAIN reset fine" "after: $rule"
	xt mangle -F
done
xt mangle -A POSTROUTING -j CONNMARK --save-mark
ok "with save-mark an upload is decided once" few "$(upload)"
nfqd_stop
xt mangle -F
for rule in "${rules[@]}"; do
	# shellcheck disable=SC2086
	xt mangle $rule
done
field_nfqd
field_refused 4 "all of them before"
# All words of a packet that a verdict could use are in use.
in_router sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
in_router nft 'table inet theirs { chain f { type filter hook forward priority -152; meta priority set 1:10 meta mark set 0xffffffff; }; }'
for v in 4 6; do field_refused $v "mark and priority in use"; done
in_router nft delete table inet theirs
nfqd_stop
is $? 0 "nfqd stops"
done_testing
