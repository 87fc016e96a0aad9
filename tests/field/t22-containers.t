#!/bin/bash
# Stands for opensnitch#1079 and hosts of containers: published ports from everywhere, a bridge whose packets pass the rules
# twice, a FORWARD policy that drops, and a resolver in a container that the LAN is sent to (t22).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

BOX=nfqd-$$-box INSIDE=172.17.0.2
xt() { in_router iptables-legacy "$@"; }
in_box() { ip netns exec "$BOX" "$@"; }
trap 'ip netns del $BOX 2>/dev/null; lab_exit' EXIT

container() {
	ip netns add "$BOX" && ip -n "$BOX" link set lo up &&
		ip link add box0 netns "$BOX" type veth peer name box1 netns "$LAB_ROUTER" &&
		ip -n "$LAB_ROUTER" link add docker0 type bridge && ip -n "$LAB_ROUTER" link set docker0 up &&
		ip -n "$LAB_ROUTER" addr add 172.17.0.1/16 dev docker0 &&
		ip -n "$LAB_ROUTER" link set box1 up master docker0 && in_router ip link set box1 type bridge_slave hairpin on &&
		ip -n "$BOX" addr add $INSIDE/16 dev box0 && ip -n "$BOX" link set box0 up && ip -n "$BOX" route add default via 172.17.0.1
}

rules() {
	xt -P FORWARD DROP && xt -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT &&
		xt -A FORWARD -i docker0 ! -o docker0 -j ACCEPT && xt -A FORWARD -i lan0 -o wan0 -j ACCEPT &&
		xt -A FORWARD -d $INSIDE -p tcp --dport 80 -j ACCEPT && xt -A FORWARD -d $INSIDE -p udp --dport 53 -j ACCEPT &&
		xt -t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 8080 -j DNAT --to $INSIDE:80 &&
		xt -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -p tcp --dport 8080 -j DNAT --to $INSIDE:80 &&
		xt -t nat -A PREROUTING -i lan0 -p udp --dport 53 ! -d $INSIDE -j DNAT --to $INSIDE:53 &&
		xt -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE &&
		xt -t nat -A POSTROUTING -s $INSIDE -d $INSIDE -p tcp --dport 80 -j MASQUERADE
}

page() { "$1" curl -s -m 4 -o /dev/null -w '%{http_code}' "http://$2/"; }

field_up masquerade
container && rules || bail "no container"
lab_sysctl "$LAB_ROUTER" net.bridge.bridge-nf-call-iptables=1 2>/dev/null
mkdir "$lab_dir/box" && echo ok >"$lab_dir/box/index.html"
lab_spawn box-web "$BOX" "$LAB_PYTHON" -m http.server 80 --directory "$lab_dir/box"
lab_spawn box-dns "$BOX" dnsmasq -k -C /dev/null --listen-address=$INSIDE --bind-interfaces -R -S 8.8.8.8 --user=root --pid-file=
lab_wait 30 lab_listens "$BOX" t 80 && lab_wait 5 lab_listens "$BOX" u 53 || bail "no services"
field_nfqd
is "$(page in_client 10.1.0.1:8080) $(page in_server 10.2.0.1:8080) $(page in_router 10.2.0.1:8080) $(page in_box 172.17.0.1:8080)" \
	"200 200 200 200" "a published port, from the LAN, outside, the host and the container itself"
FIELD_CLIENT=in_box
is "$(field_tls $FIELD_OPEN 4) $(field_tls $FIELD_TLS 4) $(field_dns $FIELD_OPEN 8.8.8.8) $(field_dns $FIELD_DNS 8.8.8.8)" \
	"fine reset NOERROR NXDOMAIN" "from the container: unlisted and listed names"
FIELD_CLIENT=in_client
is "$(field_dns $FIELD_OPEN 1.1.1.1) $(field_dns $FIELD_DNS 1.1.1.1)" "NOERROR NXDOMAIN" "the LAN's questions, sent to the container"
is "$(field_dns $FIELD_OPEN $INSIDE) $(field_dns $FIELD_DNS $INSIDE)" "NOERROR NXDOMAIN" "and asked there"
is "$(field_tls $FIELD_OPEN 4) $(field_tls $FIELD_TLS 4)" "fine reset" "the LAN's connections"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
