#!/bin/bash
# Stands for suricata's async-oneside, PowerDNS#4379, hagezi/files#20 and firewall-controller#223: packets that
# conntrack knows no connection of; what a record calls refused is refused (t11, t13).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

nt() { xt raw -A PREROUTING "$@"; }
honest() {	# WHERE: no record says reject of a connection that got through
	is "$(field_dns $FIELD_DNS 8.8.8.8) $(field_tls $FIELD_TLS 4)" "NXDOMAIN reset" "$1: listed is refused"
	is "$(field_dns $FIELD_OPEN 8.8.8.8) $(field_tls $FIELD_OPEN 4)" "NOERROR fine" "$1: unlisted passes"
	is "$(field_dns $FIELD_DNS 8.8.8.8 +tcp) $(field_dns $FIELD_OPEN 8.8.8.8 +tcp)" "NXDOMAIN NOERROR" "$1: likewise DNS over TCP"
}

field_up plain
field_nfqd
nt -j CT --notrack
xt raw -A OUTPUT -j CT --notrack
honest "nothing tracked"
xt raw -F
for p in tcp udp; do nt -p $p --dport 53 -j CT --notrack; nt -p $p --sport 53 -j CT --notrack; done
honest "DNS untracked"
xt raw -F
nt -i lan0 -p udp --dport 53 -j CT --zone 3
nt -i lan0 -p tcp --dport 443 -j CT --zone 3
honest "a zone on one side"
xt raw -F
nt -i lan0 -j CT --zone 5
nt -i wan0 -j CT --zone 5
honest "a zone on both sides"
xt raw -F
# answers go past the router
ip link add eth1 netns "$LAB_CLIENT" type veth peer name eth1 netns "$LAB_SERVER"
ip -n "$LAB_CLIENT" addr add 10.9.0.1/24 dev eth1
ip -n "$LAB_CLIENT" link set eth1 up
ip -n "$LAB_SERVER" addr add 10.9.0.2/24 dev eth1
ip -n "$LAB_SERVER" link set eth1 up
ip -n "$LAB_SERVER" route replace 10.1.0.0/24 via 10.9.0.1
lab_sysctl "$LAB_CLIENT" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0
honest "answers by another way"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
