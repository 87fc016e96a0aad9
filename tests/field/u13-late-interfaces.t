#!/bin/bash
# Stands for virbr0, docker0 and usb0: interfaces that are made, removed and made again under the same name after
# nfqd's start, by default and named in `inside` (u13).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

GUEST=nfqd-$$-guest
guest_down() { ip netns del "$GUEST" 2>/dev/null; lab_exit; }
trap guest_down EXIT
make_bridge() {
	ip -n "$LAB_ROUTER" link add virbr0 type bridge && ip -n "$LAB_ROUTER" addr add 10.7.0.1/24 dev virbr0 &&
		ip -n "$LAB_ROUTER" link set virbr0 up &&
		ip link add eth0 netns "$GUEST" type veth peer name vnet0 netns "$LAB_ROUTER" &&
		ip -n "$LAB_ROUTER" link set vnet0 master virbr0 up && ip -n "$GUEST" addr add 10.7.0.2/24 dev eth0 &&
		ip -n "$GUEST" link set eth0 up && ip -n "$GUEST" route add default via 10.7.0.1
}
remove_bridge() { ip -n "$GUEST" link del eth0; ip -n "$LAB_ROUTER" link del virbr0; }
in_guest() { ip netns exec "$GUEST" "$@"; }
refused() { [ "$(FIELD_CLIENT=in_guest field_tls $FIELD_TLS 4)" = reset ]; }

field_up masquerade
lab_netns "$GUEST"
field_nfqd
make_bridge
ok "a bridge that is made later: its clients are judged" lab_wait 10 refused
remove_bridge
make_bridge
ok "removed and made again under the same name: likewise" lab_wait 10 refused
remove_bridge
nfqd_stop
eval "lab_$(declare -f nfqd_conf)"
nfqd_conf() { lab_nfqd_conf "$@" | sed 's/^default:/inspect: {inside: [virbr0]}\n&/'; }
field_nfqd
is "$(field_tls $FIELD_TLS 4)" fine "inside: [virbr0]: the LAN is not judged"
make_bridge
ok "the bridge is, as soon as it is there" lab_wait 10 refused
remove_bridge
make_bridge
ok "and when it is made again" lab_wait 10 refused
nfqd_stop
is $? 0 "nfqd stops"
done_testing
