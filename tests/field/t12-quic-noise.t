#!/bin/bash
# Stands for net4people/bbs#505, Xray-core#3711 (noise), byedpi#366 and 0-RTT clients: low source ports, datagrams of
# noise in front of the Initial, and other packets in the same datagram (t12, u21).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

try() {
	in_client "$LAB_PYTHON" - "${LAB_WEB[4]}" "${LAB_WEB[6]}" <<-'PY'
		import os, struct, sys
		sys.path.insert(0, "tests/lib")
		from wild import LISTED, OPEN, udp
		host4, host6 = sys.argv[1:]
		def behind(i, n=300, first=0xd0):	# another long header of the same connection
		    d = i[5:6 + i[5]]
		    s = i[5 + len(d):6 + len(d) + i[5 + len(d)]]
		    return bytes([first]) + i[1:5] + d + s + struct.pack("!H", 0x4000 | n) + os.urandom(n)
		question = bytes.fromhex("123401000001000000000000") + b"\3www\7example\3org\0\0\1\0\1"
		ways = {
		    "plain": {}, "source port 400": {"src": 400}, "source port 443": {"src": 443}, "source port 53": {"src": 53},
		    "one byte first": {"before": [b"\0"]}, "noise first": {"before": [os.urandom(40 * k) for k in range(1, 6)]},
		    "noise first, until the flow is let go": {"before": [b"\x40" + os.urandom(59) for _ in range(10)]},
		    "STUN first": {"before": [bytes.fromhex("000100002112a442") + os.urandom(12)]},
		    "a short header first": {"before": [b"\x40" + os.urandom(40)]}, "an empty datagram first": {"before": [b""]},
		    "another version first": {"before": [b"\xc0\x1a\x2a\x3a\x4a\x08" + os.urandom(1194)]},
		    "a question first": {"before": [question]},
		    "0-RTT behind it": {"make": lambda i: i + behind(i)}, "0-RTT in front": {"make": lambda i: behind(i) + i},
		    "a Handshake behind it": {"make": lambda i: i + behind(i, 60, 0xe0)},
		    "two of 0-RTT in front": {"make": lambda i: behind(i) + behind(i, 200) + i},
		}
		for host in host4, host6:
		    for way, how in ways.items():
		        if (got := udp(LISTED, host, **how)) != "refused":
		            print(f"{way}, {host}: {got}")
		    if (got := udp(OPEN, host)) != "data":
		        print(f"unlisted, {host}: {got}")
		print(2 * len(ways))
	PY
}

field_up plain
lab_sysctl "$LAB_ROUTER" net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
field_nfqd
is "$(try)" 32 "listed names are refused however they come"
ok "each is on record" lab_wait 5 nfqd_has_records 32 '.nfqd.seen_in == "quic.sni" and .nfqd.action == "reject"'
nfqd_stop
is $? 0 "nfqd stops"
done_testing
