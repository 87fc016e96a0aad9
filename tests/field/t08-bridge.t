#!/bin/bash
# Stands for OISF/suricata#15134, capnspacehook/whalewall#253 and moby/moby#48492: a transparent bridge, with
# and without an address of its own, br_netfilter on.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# The client stands in the server's network; the router between them is a switch.
bridge() {
	local if

	in_router ip addr flush dev lan0 && in_router ip addr flush dev wan0 &&
		ip -n "$LAB_ROUTER" link add br0 type bridge || return
	for if in lan0 wan0; do ip -n "$LAB_ROUTER" link set $if master br0 || return; done
	ip -n "$LAB_ROUTER" link set br0 up
	in_router sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1 || return
	in_client ip addr flush dev eth0 &&
		ip -n "$LAB_CLIENT" addr add 10.2.0.9/24 dev eth0 &&
		ip -n "$LAB_CLIENT" -6 addr add fd00:2::9/64 dev eth0 nodad &&
		ip -n "$LAB_CLIENT" route replace default via 10.2.0.2 &&
		ip -n "$LAB_CLIENT" -6 route replace default via fd00:2::2 &&
		lab_wait 5 in_client bash -c ': </dev/tcp/9.9.9.9/53' &&
		lab_wait 5 in_client bash -c ': </dev/tcp/2620:fe::9/53'
}

field_up plain
bridge || bail "no bridge"
field_nfqd
field_refused 4 "a bridge without an address"
field_refused 6 "a bridge without an address"
ip -n "$LAB_ROUTER" addr add 10.2.0.7/24 dev br0
ip -n "$LAB_ROUTER" route replace default via 10.2.0.2
field_refused 4 "a bridge with an address"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
