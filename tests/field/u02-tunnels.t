#!/bin/bash
# Stands for road warriors (WireGuard by wireguard-go) and LANs over VXLAN whose tunnel ends on the router, and for a tunnel
# that only crosses it: what comes out of a tunnel is judged and its refusal goes back in; the tunnel's own packets pass
# and are soon let go (u02).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# tunnel CLIENT-END ROUTER-END: addresses and routes, once both are there
tunnel() {
	ip -n "$LAB_CLIENT" addr add 10.98.0.2/24 dev "$1" && ip -n "$LAB_CLIENT" -6 addr add fd00:98::2/64 dev "$1" nodad &&
		ip -n "$LAB_ROUTER" addr add 10.98.0.1/24 dev "$2" && ip -n "$LAB_ROUTER" -6 addr add fd00:98::1/64 dev "$2" nodad &&
		ip -n "$LAB_CLIENT" link set "$1" up mtu 1400 && ip -n "$LAB_ROUTER" link set "$2" up mtu 1400 &&
		ip -n "$LAB_CLIENT" route replace 8.8.8.8 via 10.98.0.1 dev "$1" onlink &&
		ip -n "$LAB_CLIENT" route replace "${LAB_WEB[4]}" via 10.98.0.1 dev "$1" onlink &&
		ip -n "$LAB_CLIENT" -6 route replace 2001:4860:4860::8888 via fd00:98::1 dev "$1" onlink &&
		ip -n "$LAB_CLIENT" -6 route replace "${LAB_WEB[6]}" via fd00:98::1 dev "$1" onlink
}
BACK="ip -n $LAB_SERVER route replace 10.98.0.0/24 via 10.2.0.1"
BACK6="ip -n $LAB_SERVER -6 route replace fd00:98::/64 via fd00:2::1"

vxlan() {	# NETNS NAME ID REMOTE
	ip -n "$1" link add "$2" type vxlan id "$3" remote "$4" dstport 4789
}

# Its sockets in /run/wireguard are the machine's: names of our own.
WG=wg$$
wireguard() {
	local a b

	lab_spawn wg-client "$LAB_CLIENT" wireguard-go -f ${WG}c
	lab_spawn wg-router "$LAB_ROUTER" wireguard-go -f ${WG}r
	lab_wait 10 ip -n "$LAB_CLIENT" link show ${WG}c && lab_wait 10 ip -n "$LAB_ROUTER" link show ${WG}r || return
	wg genkey >"$lab_dir/a" && wg genkey >"$lab_dir/b" || return
	a=$(wg pubkey <"$lab_dir/a") b=$(wg pubkey <"$lab_dir/b")
	lab_wait 5 in_router wg set ${WG}r listen-port 51820 private-key "$lab_dir/a" \
		peer "$b" allowed-ips 10.98.0.2/32,fd00:98::2/128 &&
		lab_wait 5 in_client wg set ${WG}c private-key "$lab_dir/b" \
			peer "$a" endpoint 10.1.0.1:51820 allowed-ips 0.0.0.0/0,::/0
}

# Twenty short connections through the tunnel that crosses the router.
crosses() { for _ in {1..20}; do in_client bash -c ': </dev/tcp/10.97.0.2/2222' || return; done; }

field_up plain
$BACK && $BACK6 || bail "no way back"
field_nfqd
if command -v wireguard-go >/dev/null && command -v wg >/dev/null; then
	ok "WireGuard comes up after nfqd" wireguard || diag "$(tail -n 5 "$lab_dir"/wg-router.log)"
	ok "and has addresses" tunnel ${WG}c ${WG}r
	field_refused 4 "through WireGuard"
	field_refused 6 "through WireGuard"
	ok "what leads back is the tunnel" eval 'in_router wg show ${WG}r transfer | awk "{ exit !(\$3 > 5000) }"'
	lab_end wg-client
	lab_end wg-router
	rm -f /run/wireguard/${WG}c.sock /run/wireguard/${WG}r.sock
fi
if vxlan "$LAB_CLIENT" vx0 7 10.1.0.1 && vxlan "$LAB_ROUTER" vx0 7 10.1.0.2; then
	ok "VXLAN comes up" tunnel vx0 vx0
	field_refused 4 "through VXLAN"
	field_refused 6 "through VXLAN"
	is "$(field_counter answers_failed)" 0 "no answer was lost"
	ip -n "$LAB_CLIENT" link del vx0
	# one that only crosses the router: its packets are UDP that nobody names
	vxlan "$LAB_CLIENT" vx1 8 10.2.0.2 && vxlan "$LAB_SERVER" vx1 8 10.1.0.2
	ip -n "$LAB_CLIENT" addr add 10.97.0.1/24 dev vx1
	ip -n "$LAB_SERVER" addr add 10.97.0.2/24 dev vx1
	ip -n "$LAB_CLIENT" link set vx1 up && ip -n "$LAB_SERVER" link set vx1 up
	before=$(nfqd_queued)
	ok "a tunnel that crosses the router works" lab_wait 10 crosses
	ok "and is let go" test $(($(nfqd_queued) - before)) -le 40 || diag "$(($(nfqd_queued) - before))"
fi
nfqd_stop
is $? 0 "nfqd stops"
done_testing
