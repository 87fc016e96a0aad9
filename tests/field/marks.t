#!/bin/bash
# Stands for mwan3, pbr, wg-quick, docker, Tailscale and zapret: marks of others on packets and connections are
# what they would be without nfqd, in all 32 bits, and no mark of ours is anywhere.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy conntrack dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

# Their rules as far as they are about marks; the last one uses the bits that nfqd 0.1.0 used.
rules() {
	xt mangle -A PREROUTING -j CONNMARK --restore-mark --nfmask 0x3f00 --ctmask 0x3f00 &&	# mwan3
		xt mangle -A PREROUTING -i lan0 -p tcp -m mark --mark 0/0x3f00 -j MARK --set-xmark 0x200/0x3f00 &&
		xt mangle -A PREROUTING -j CONNMARK --save-mark --nfmask 0x3f00 --ctmask 0x3f00 &&
		xt mangle -A PREROUTING -i lan0 -p udp -j MARK --set-xmark 0x10000/0xff0000 &&	# pbr
		xt mangle -A PREROUTING -p udp -m mark --mark 51820 -j CONNMARK --save-mark &&	# wg-quick
		xt mangle -A FORWARD -m addrtype --dst-type LOCAL -j MARK --set-mark 1 &&	# docker
		xt mangle -A PREROUTING -i lan0 -p udp --dport 7002 -j MARK --set-xmark 0x40000/0xff0000 &&	# Tailscale
		xt mangle -A FORWARD -p udp --dport 3478 -j MARK --set-xmark 0x40000000/0x40000000 &&	# zapret
		xt raw -A PREROUTING -i lan0 -p udp --dport 7001 -j MARK --set-mark 0x52340f00		# Calico
}

# What leaves by the uplink, by mark.
count() {
	local m

	xt mangle -A POSTROUTING -p igmp -j ACCEPT || return	# reports carry any mark
	for m in 0 1 0x200 0x10000 0x10200 0x40000 0x40000000 0x40010000 0x50000000 0x52340f00 0x52010000 0x20000000 0x60000000; do
		xt mangle -A POSTROUTING -o wan0 -m mark --mark $m -m comment --comment "mark $m" || return
	done
	xt mangle -A POSTROUTING -o wan0 -m comment --comment "every mark"
}

# Two hundred and forty packets: questions and unknown UDP from the client, marked ones of this host; and TLS.
mixed() {
	$FIELD_CLIENT "$LAB_PYTHON" - 8.8.8.8 "${LAB_WEB[4]}" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("", 40000))
		question = b"\0\1\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1"
		for i in range(40):
		    s.sendto(question, (sys.argv[1], 53))
		    for port in 3478, 7001, 7002, 9999:
		        s.sendto(b"x" * 50, (sys.argv[2], port))
	END
	in_router "$LAB_PYTHON" - "${LAB_WEB[4]}" <<-'END'
		import socket, sys
		for mark in 0x20000000, 0x40000000, 0x60000000, 0x50000000:
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.setsockopt(socket.SOL_SOCKET, 36, mark)
		    for i in range(10):
		        s.sendto(b"x" * 50, (sys.argv[1], 9998))
	END
	field_tls $FIELD_OPEN 4
}

# Marks of the packets that left by the uplink: all but TCP's, which may be sent again.
marks() {
	xt mangle -Z POSTROUTING
	in_router conntrack -F 2>/dev/null
	mixed >/dev/null
	xt mangle -vnxL POSTROUTING | awk '/comment|mark/ && /\/\*/ { print $1, $(NF-2), $(NF-1), $NF }' | grep -v 'every\|0x200 \| 0x40000 \|mark 0 ' | tr '\n' ';'
}

# Packets that left by the uplink with a mark that has no rule of its own.
unnamed() { xt mangle -vnxL POSTROUTING | awk '/\/\* mark / { n += $1 } /\/\* every / { all = $1 } END { print all - n }'; }

connection_marks() { nfqd_states | grep -v '^6 ' | grep -o 'mark=[0-9]*' | sort -u | tr '\n' ';'; }

field_up plain
rules && count || bail "no rules"
marks >/dev/null			# the first packets find no neighbours
without=$(marks) without_ct=$(connection_marks)
without_all=$(in_router conntrack -L -o labels,mark 2>/dev/null | grep -o 'mark=[0-9]*' | sort -u | tr '\n' ';')
like "$without" '40 .*0x40010000' "without nfqd: the rules mark"
is "$(unnamed)" 0 "without nfqd: and no others"
in_router conntrack -F 2>/dev/null
field_nfqd
is "$(marks)" "$without" "rules before nfqd: every packet leaves with the mark that it had"
is "$(connection_marks)" "$without_ct" "and so do connections"
is "$(unnamed)" 0 "no packet leaves with a mark that none of their rules makes"
is "$(in_router conntrack -L -o labels,mark 2>/dev/null | grep -o 'mark=[0-9]*' | sort -u | tr '\n' ';')" "$without_all" \
	"conntrack(8) knows no other mark, of TCP either"
is "$(field_tls $FIELD_TLS 4)" reset "a listed name is refused there"
is "$(nfqd_states | grep '^6 .* 443 ' | grep -o 'mark=[0-9]*' | sort -u)" "mark=512" "connections that were judged have mwan3's mark alone"
nfqd_stop
is $? 0 "nfqd stops"
for table in raw mangle; do xt $table -F; done
field_nfqd
rules && count || bail "no rules"
in_router conntrack -F 2>/dev/null
is "$(marks)" "$without" "rules after nfqd: the same"
nfqd_stop
done_testing
