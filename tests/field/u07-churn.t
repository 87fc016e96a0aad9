#!/bin/bash
# Stands for qBittorrent#7699 and bitmagnet#299 (peers by the thousand), and for VoIP, VPNs and games: UDP flows of a few
# datagrams each, of thirteen protocols, to 1,500 peers on any port. Few are queued, none is refused or recorded, nothing
# is lost, and what comes after is judged (u07).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

churn() {	# VERSION-4-PREFIX|VERSION-6-PREFIX
	in_client "$LAB_PYTHON" - "$1" <<-'END'
		import os, random, socket, struct, sys, time
		random.seed(4)
		six = ":" in sys.argv[1]
		kinds = [
		    lambda: struct.pack("!BBHIIIHH", 0x41, 0, random.getrandbits(16), random.getrandbits(32), 0, 1 << 20, 1, 0),  # uTP
		    lambda: b"d1:ad2:id20:" + os.urandom(20) + b"9:info_hash20:" + os.urandom(20) + b"e1:q9:get_peers1:t2:aa1:y1:qe",
		    lambda: struct.pack("!QII", 0x41727101980, 0, random.getrandbits(32)),  # a tracker
		    lambda: bytes.fromhex("000100002112a442") + os.urandom(12),  # STUN
		    lambda: b"\x80\x00" + os.urandom(170),  # RTP
		    lambda: b"INVITE sip:bob@example.com SIP/2.0\r\n\r\n",
		    lambda: b"\x38" + os.urandom(13),  # OpenVPN
		    lambda: b"\1\0\0\0" + os.urandom(144),  # WireGuard
		    lambda: os.urandom(4) + struct.pack("!I", 1) + os.urandom(100),  # ESP in UDP
		    lambda: b"\x16\xfe\xfd" + b"\0" * 8 + b"\0\x40" + b"\1" + os.urandom(63),  # DTLS
		    lambda: b"\0" * 12 + os.urandom(40),  # a game
		    lambda: b"\xff\xff\xff\xffgetstatus\n",
		    lambda: os.urandom(random.randrange(1, 400)),
		]
		ports = [6881, 51413, 443, 853, 3478, 5060, 1194, 4500]
		s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("", 51413))
		for i in range(1500):
		    peer = sys.argv[1] + (f"{i + 1:x}" if six else f"{i // 250}.{i % 250 + 1}")
		    port = random.choice(ports + [random.randrange(1024, 65536)])
		    for _ in range(3):
		        s.sendto(kinds[i % len(kinds)](), (peer, port))
		    if i % 50 == 0:
		        time.sleep(0.02)
	END
}

field_up masquerade
ip -n "$LAB_SERVER" route add local 198.18.0.0/15 dev lo
ip -n "$LAB_SERVER" -6 route add local 2001:db8:4::/64 dev lo
in_server nft 'table inet quiet { chain i { type filter hook input priority 0; ip daddr 198.18.0.0/15 drop; ip6 daddr 2001:db8:4::/64 drop; }; }'
field_nfqd enforce open all
for peers in 198.18. 2001:db8:4::; do
	before=$(nfqd_queued)
	ok "4500 datagrams to 1500 peers below $peers" churn $peers
	queued=$(($(nfqd_queued) - before))
	ok "at most a fifth of them is queued" test $queued -le 900 || diag "$queued"
done
is "$(nfqd_records)" 0 "none is a name"
is "$(nfqd_ctl status --json | jq -c '.counters | [.rejected // 0, .dropped // 0]')" "[0,0]" "none is refused"
is "$(nfqd_lost)" 0 "and nothing is lost"
field_refused 4 "afterwards"
field_refused 6 "afterwards"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
