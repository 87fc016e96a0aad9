#!/bin/bash
# Stands for VRF-like routers and Tailscale's table 52: the way back to the client is in a table that only
# packets from the uplink look into, so an answer that the router makes itself leaves by the default route.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

field_up plain
ip -n "$LAB_ROUTER" route add 10.1.0.0/24 dev lan0 table 77
ip -n "$LAB_ROUTER" route del 10.1.0.0/24 dev lan0
ip -n "$LAB_ROUTER" -6 route add fd00:1::/64 dev lan0 table 77
ip -n "$LAB_ROUTER" -6 route del fd00:1::/64 dev lan0
for v in -4 -6; do ip -n "$LAB_ROUTER" $v rule add iif wan0 table 77 pref 50; done
lab_sysctl "$LAB_ROUTER" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lan0.rp_filter=0
field_nfqd
lab_spawn leaks "$LAB_ROUTER" tcpdump -i wan0 -Q out -nn -l "udp src port 53 or tcp src port 443"
lab_wait 5 grep -q "listening on" "$lab_dir/leaks.log"
field_refused 4 "the way back by an iif rule"
field_refused 6 "the way back by an iif rule"
is "$(field_counter answers_failed)" 0 "no answer was lost"
is "$(grep -c '10.1.0.2' "$lab_dir/leaks.log")" 0 "and no answer or reset left by the uplink"
ip -n "$LAB_ROUTER" rule del iif wan0 pref 50
ip -n "$LAB_ROUTER" rule add to 10.1.0.0/24 table 77 pref 50
field_refused 4 "the way back by a rule for the destination"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
