#!/bin/bash
# Stands for site-to-site IPsec (policies for a subnet): an answer to a question that came through the tunnel
# must not leave past it. Policies alone, without associations: whatever leaves to the client is in clear.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl tcpdump "$LAB_PYTHON"

policy() { ip -n "$LAB_ROUTER" xfrm policy add src "$1" dst 10.1.0.0/24 dir out "${@:2}"; }
tunnel() { policy 0.0.0.0/0 priority "$1" tmpl src 10.1.0.1 dst 10.1.0.2 proto esp mode tunnel; }
seen() { grep -c 'UDP' "$lab_dir/lan.log"; }

field_up plain
# the way back is by the sender's MAC address alone
ip -n "$LAB_ROUTER" route add 10.1.0.0/24 dev lan0 table 77
ip -n "$LAB_ROUTER" route del 10.1.0.0/24 dev lan0
ip -n "$LAB_ROUTER" rule add iif wan0 table 77 pref 50
lab_sysctl "$LAB_ROUTER" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lan0.rp_filter=0
field_nfqd
lab_spawn lan "$LAB_CLIENT" tcpdump -i eth0 -nn -l src host 8.8.8.8 and udp
lab_wait 5 grep -q 'listening on' "$lab_dir/lan.log"
is "$(field_dns $FIELD_DNS 8.8.8.8)" NXDOMAIN "without a policy the answer arrives"
lab_wait 5 grep -q UDP "$lab_dir/lan.log"
was=$(seen)
tunnel 100 || bail "no IPsec policies in this kernel"
is "$(field_dns $FIELD_DNS 8.8.8.8)" TIMEOUT "with a policy for the client none is sent past the tunnel"
is "$(seen)" "$was" "nothing came in clear"
in_router nft 'table inet theirs { chain o { type filter hook output priority filter; udp sport 53 drop; }; }'
is "$(field_dns $FIELD_DNS 8.8.8.8)" TIMEOUT "nor when the kernel does not take it"
is "$(seen)" "$was" "nothing came in clear"
is "$(field_counter answers_failed_ipsec)" 1 "it is counted"
like "$(cat "$lab_dir/nfqd.log")" 'answer.* from 8.8.8.8 to 10.1.0.2 .*IPsec' "and said"
policy 8.8.8.8/32 priority 50 action allow
is "$(field_dns $FIELD_DNS 8.8.8.8)" NXDOMAIN "a policy in front of it that lets the answer pass in clear"
ip -n "$LAB_ROUTER" xfrm policy flush
policy 8.8.4.0/24 priority 100 tmpl src 10.1.0.1 dst 10.1.0.2 proto esp mode tunnel
is "$(field_dns $FIELD_DNS 8.8.8.8)" NXDOMAIN "a policy for other addresses"
ip -n "$LAB_ROUTER" xfrm policy flush
if ip -n "$LAB_ROUTER" xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir out priority 100 if_id 42 tmpl src 10.1.0.1 dst 10.1.0.2 proto esp mode tunnel; then
	is "$(field_dns $FIELD_DNS 8.8.8.8)" NXDOMAIN "an xfrm interface's policy for everything is not this client's"
fi
nfqd_stop
is $? 0 "nfqd stops"
done_testing
