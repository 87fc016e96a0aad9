#!/bin/bash
# Stands for algo#1593, mozilla-vpn-client#2621 and streisand#1049: VPNs and other UDP that is no DNS on port 53 and
# no QUIC on 443: decided after a few datagrams; a question or a hello on such a flow is still judged, whatever was in
# front of it and however it is made up (t18, u07b).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

# flow PORT KIND N [QUESTION]: N datagrams of a kind on one socket, then a listed question when asked for
flow() {
	in_client "$LAB_PYTHON" - "${LAB_WEB[4]}" "$@" <<-'END'
		import os, socket, sys, time
		host, port, kind, n = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
		last = sys.argv[5] if len(sys.argv) > 5 else None
		make = {"random": lambda j: b"\x40" + os.urandom(59),
		        "wireguard": lambda j: (b"\1\0\0\0" if j == 0 else b"\4\0\0\0") + os.urandom(144),
		        "openvpn": lambda j: (b"\x38" if j == 0 else b"\x48") + os.urandom(60),
		        # the second one confirms the entry, while the first, which said that the flow has questions, waits
		        "mixed": lambda j: (b"\0\7\1\0\0\1\0\0\0\0\0\0\4open\4test\0\0\1\0\1" if j == 0 else b"\x40" + os.urandom(59))}[kind]
		questions = {"plain": (b"\1\0\0\1\0\0\0\0\0\0", b""),
		             "an answer": (b"\1\0\0\1\0\1\0\0\0\0", b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\0\0\0\0"),
		             "an authority": (b"\1\0\0\1\0\0\0\1\0\0", b"\xc0\x0c\0\2\0\1\0\0\0\0\0\2\xc0\x0c"),
		             "EDNS": (b"\1\0\0\1\0\0\0\0\0\1", b"\0\0\x29\4\xd0\0\0\0\0\0\0")}
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.connect((host if port != 53 else "9.9.9.9", port))
		s.settimeout(3)
		for j in range(n):
		    try:
		        s.send(make(j))
		    except OSError:
		        pass
		    time.sleep(0 if (kind, j) == ("mixed", 0) else 0.002)
		if last:
		    name = b"".join(bytes([len(x)]) + x for x in b"s07.upd.kaspersky.com".split(b".")) + b"\0"
		    end = time.time() + 3
		    s.send(b"\x12\x34" + questions[last][0] + name + b"\0\1\0\1" + questions[last][1])
		    while time.time() < end:
		        try:
		            d = s.recv(2000)
		        except OSError as e:
		            print("rcode", e)
		            break
		        if d[:2] == b"\x12\x34":
		            print("rcode", d[3] & 15)
		            break
	END
}
queued() {	# COMMAND...: how many packets it has queued
	local before

	before=$(nfqd_queued)
	"$@" >/dev/null
	echo $(($(nfqd_queued) - before))
}
few() { [ "$1" -le "$2" ] || { echo "$1 queued"; return 1; }; }

field_up plain
eval "lab_$(declare -f nfqd_conf)"
nfqd_conf() { lab_nfqd_conf "$@" && echo "  client-names: false"; }
field_nfqd
for kind in random wireguard openvpn; do
	# nine of them, and what the resolver says of those
	ok "$kind on port 53: a few are queued" few "$(queued flow 53 $kind 200)" 30
	ok "$kind on port 443: none or a few" few "$(queued flow 443 $kind 200)" 4
	ok "$kind on port 51820: none" few "$(queued flow 51820 $kind 200)" 0
done
like "$(nfqd_states | grep ' 51820 ')" 'labels=.*122' "a flow without a name is allowed by the kernel"
for question in plain EDNS "an answer" "an authority"; do
	is "$(flow 53 random 40 "$question")" "rcode 3" "a listed question ($question) on a flow that was let go is refused"
	is "$(flow 53 mixed 40 "$question")" "rcode 3" "on one that began with a question and noise, back to back"
	is "$(flow 53 random 0 "$question")" "rcode 3" "and on a new one"
done
nfqd_stop
is $? 0 "nfqd stops"
done_testing
