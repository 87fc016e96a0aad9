#!/bin/bash
# Stands for zapret#1155, nfqws-keenetic#325 and wg-quick (portmaster#1976): sockets of this host with marks that
# nfqd 0.1.0 took for its own, and a tunnel's (t04, t06, t06b).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

marked() {	# MARK NAME: a TLS hello on a socket with that mark
	in_router "$LAB_PYTHON" - "$1" "$2" "${LAB_WEB[4]}" <<-'END'
		import random, socket, sys
		sys.path.insert(0, "tests/lib")
		from hello import client_hello
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, 36, int(sys.argv[1], 0))
		s.settimeout(4)
		try:
		    s.connect((sys.argv[3], 443))
		    s.sendall(client_hello(random.Random(1), sys.argv[2]))
		    print("data" if s.recv(99) else "end")
		except OSError as e:
		    print(type(e).__name__)
	END
}

reported() { [ "$(xt mangle -vnxL POSTROUTING | awk '/report/ { print $1 }')" -gt 0 ]; }

field_up masquerade
for m in 0x20000000 0x40000000 0x60000000 0x10000000 51820; do
	xt mangle -A POSTROUTING -o wan0 -m mark --mark $m
done
xt mangle -A POSTROUTING -o wan0 -p igmp -m mark ! --mark 0 -m comment --comment report
field_nfqd
# resets towards servers carry the mark of what they end, and what IGMP and MLD report carries any
xt mangle -A PREROUTING -i lan0 -j MARK --set-mark 10
is "$(FIELD_CLIENT=in_client field_tls $FIELD_TLS 4)" reset "a listed name on a marked connection is refused"
ok "this host reports groups" in_router "$LAB_PYTHON" - <<-'END'
	import socket
	s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	s4 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	for i in range(1, 9):
	    s4.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(f"239.1.1.{i}") + bytes(4) + socket.if_nametoindex("wan0").to_bytes(4, "little"))
	    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, f"ff05::{i}") + socket.if_nametoindex("wan0").to_bytes(4, "little"))
END
ok "which leave with marks" lab_wait 50 reported
is "$(nfqd_ctl status --json | jq .steering.marked_output)" 0 "neither counts as a tunnel's packet"
for m in 0x20000000 0x40000000 0x60000000 0x10000000 51820; do
	is "$(marked $m $FIELD_OPEN)" data "a socket with mark $m connects"
done
is "$(xt mangle -vnxL POSTROUTING | awk '/mark match/ && $1 == 0' | wc -l)" 0 "and its packets leave with it"
is "$(marked 0 $FIELD_TLS)" ConnectionResetError "one without a mark is judged"
ok "marked packets are counted" test "$(nfqd_ctl status --json | jq .steering.marked_output)" -gt 0
xt raw -A PREROUTING ! -i wan0 -d "${LAB_WAN[4]}" -m addrtype ! --src-type LOCAL -j DROP
is "$(FIELD_CLIENT=in_router field_tls $FIELD_TLS 4)" timeout "wg-quick's rule in raw: the host's own listed TLS gets no reset, as nfqd(8) says"
ok "but goes no further, and is on record" nfqd_has_records 2 '.nfqd.action == "reject"'
is "$(FIELD_CLIENT=in_router field_dns $FIELD_DNS 8.8.8.8)" TIMEOUT "so do its own listed questions"
is "$(nfqd_ctl status --json | jq -r '.steering.own_answers_lost, .checks[].check' | xargs)" "1 raw-drop" "the lost answer is counted, the rule named"
ok "and said" lab_wait 20 grep -q 'forged answers to programs of this host were dropped' "$lab_dir/nfqd.log"
xt raw -I PREROUTING -i lo -j ACCEPT	# the cure that is named
is "$(FIELD_CLIENT=in_router field_dns $FIELD_DNS 8.8.8.8) $(FIELD_CLIENT=in_router field_tls $FIELD_TLS 4)" "NXDOMAIN reset" "the cure"
is "$(nfqd_ctl status --json | jq .steering.own_answers_lost)" 1 "no other one is lost"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
