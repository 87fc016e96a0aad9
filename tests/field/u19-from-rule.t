#!/bin/bash
# Stands for source routing as mwan3 and strongSwan's table 220 do it: the table with the way back is chosen by
# the source of the answer, which is the resolver's and not the router's.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

field_up plain
lab_sysctl "$LAB_ROUTER" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lan0.rp_filter=0
for net in 10.1.0.0/24 fd00:1::/64; do
	v=-4
	[[ $net != *:* ]] || v=-6
	ip -n "$LAB_ROUTER" $v route add $net dev lan0 table 220
	ip -n "$LAB_ROUTER" $v route del $net dev lan0
	ip -n "$LAB_ROUTER" $v route add unreachable $net
done
for from in ${LAB_PUBLIC[4]} "${LAB_WEB[4]}"; do ip -n "$LAB_ROUTER" rule add from "$from" lookup 220; done
for from in ${LAB_PUBLIC[6]} "${LAB_WEB[6]}"; do ip -n "$LAB_ROUTER" -6 rule add from "$from" lookup 220; done
field_nfqd
field_refused 4 "from rules"
field_refused 6 "from rules"
lab_sysctl "$LAB_ROUTER" net.ipv4.conf.all.rp_filter=1 # then only the MAC address leads back
field_refused 4 "from rules that cannot be looked up"
is "$(field_counter answers_failed)" 0 "no answer was lost"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
