#!/bin/bash
# Stands for NATs and load testers that use a source port again at once: the verdict of the connection before must
# not stick (t61).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

# One port, connections one after the other, each reset by the client when it has heard something.
again() {
	in_client "$LAB_PYTHON" - "${LAB_WEB[4]}" "$@" <<-'END'
		import random, socket, struct, sys
		sys.path.insert(0, "tests/lib")
		from hello import client_hello
		said = []
		for name in sys.argv[2:]:
		    s = socket.socket()
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		    s.bind(("", 45678))
		    s.settimeout(4)
		    try:
		        s.connect((sys.argv[1], 443))
		        s.sendall(client_hello(random.Random(1), name))
		        said.append("data" if s.recv(99) else "end")
		    except OSError as e:
		        said.append("reset" if isinstance(e, ConnectionResetError) else type(e).__name__)
		    s.close()
		print(*said)
	END
}

# The same over QUIC, each by a socket of its own; "junk" is no QUIC and makes the kernel's entry outlive a refusal.
again_quic() {	# PORT NAME...
	in_client "$LAB_PYTHON" - "${LAB_WEB[4]}" "$@" <<-'END'
		import os, socket, sys
		sys.path.insert(0, "tests/lib")
		from quic import initial
		said = []
		for name in sys.argv[3:]:
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.bind(("", int(sys.argv[2])))
		    s.connect((sys.argv[1], 443))
		    s.settimeout(4)
		    if name == "junk":
		        s.send(b"\x41" + os.urandom(60))
		        s.recv(1500)
		        s.close()
		        continue
		    try:
		        s.send(initial(name))
		        said.append("data" if s.recv(1500) else "end")
		    except OSError as e:
		        said.append("refused" if isinstance(e, ConnectionRefusedError) else type(e).__name__)
		    s.close()
		print(*said)
	END
}

field_up plain
in_router sysctl -qw net.ipv4.icmp_ratelimit=0
field_nfqd
is "$(again_quic 45679 $FIELD_TLS $FIELD_OPEN $FIELD_TLS)" "refused data refused" "QUIC: each hello is judged by itself, also on the ports of an allowed one"
is "$(again_quic 45681 $FIELD_OPEN $FIELD_TLS $FIELD_OPEN $FIELD_OPEN)" "data refused data data" "QUIC: and so it is where the first one was allowed"
is "$(again_quic 45680 junk $FIELD_TLS $FIELD_TLS $FIELD_OPEN)" "refused refused data" "QUIC: so it is where the kernel remembers the refusal"
ok "QUIC: each refused one is on record" lab_wait 5 nfqd_has_records 5 '.nfqd.seen_in == "quic.sni"'
for round in {1..10}; do
	is "$(again $FIELD_OPEN $FIELD_TLS $FIELD_OPEN $FIELD_TLS $FIELD_TLS $FIELD_OPEN $FIELD_OPEN)" \
		"data reset data reset reset data data" "round $round: each connection is judged by itself"
done
nfqd_stop
is $? 0 "nfqd stops"
done_testing
