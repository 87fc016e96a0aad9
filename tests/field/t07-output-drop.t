#!/bin/bash
# Stands for rfxn/apf#25 and OpenWrt's fw4: a hardened router whose own OUTPUT policy is drop eats made-up
# answers, and its clients time out.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

output() { in_router nft delete table inet theirs 2>/dev/null; in_router nft "table inet theirs { chain o {
	type filter hook output priority filter; policy $1; oif lo accept; meta l4proto ipv6-icmp accept; $2; }; }" || bail "no OUTPUT rules"; }

field_up masquerade
field_nfqd
output drop 'ct state established,related accept; udp dport { 53, 67, 123 } accept; tcp dport { 53, 80, 443 } accept'
field_refused 4 "policy drop, established accepted"
field_refused 6 "policy drop, established accepted"
output drop 'ct state established,related accept; oifname wan0 accept'
field_refused 4 "policy drop as fw4 has it"
output accept 'ct state invalid,untracked drop'
field_refused 4 "untracked dropped"
field_refused 6 "untracked dropped"
is "$(field_counter answers_failed)" 0 "no answer was lost"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
