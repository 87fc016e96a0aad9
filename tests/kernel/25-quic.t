#!/bin/bash
# Proves: a QUIC connection to a listed name is refused at once (ICMP, so that the client falls
# back to TCP and is refused there, too), routed or the router's own, also when its hello comes in two
# datagrams, in any order; it leaves one record. An unlisted one passes, and once it is decided the
# queue sees no more of it.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

LISTED=s07.upd.kaspersky.com OPEN=www.example.org

# No lookups of clients' names: nothing but the connections here may be queued.
eval "lab_$(declare -f nfqd_conf)"
nfqd_conf() { lab_nfqd_conf "$@" && echo "  client-names: false"; }

quic() { "$1" "$LAB_PYTHON" tests/lib/quic.py "${LAB_WEB[$2]}" 443 "$3"; }	# WHO VERSION NAME

# The kernel sends a host few ICMP errors at a time (net.ipv4.icmp_ratelimit): so does this test.

# Several datagrams from one socket, each after the answer to the one before: w the whole hello, a and b
# its halves, r the whole hello with another packet number, s a short header, d a decoy with an unlisted
# name and a wrong checksum, for which nobody waits. Prints what came back for each, then "soon" when nothing refused took longer than it may.
cat_sender() {
	cat <<-'END'
		import contextlib, random, socket, struct, sys, time
		host, name, plan = sys.argv[1:]
		sys.path.insert(0, "tests/lib")
		sys.argv = ["quic.py", "--self-test"]
		with contextlib.redirect_stdout(None):
		    import quic
		dcid = random.randbytes(8)
		key, iv, hp = quic.keys(dcid)
		more = quic.extension(57, b"\x01\x02\x67\x10\x0f\x00")
		hello = quic.client_hello(random.Random(), name, alpn=b"h3", more=more)[5:]
		middle = hello.index(name.encode()) + len(name) // 2

		def initial(number, a, b):
		    head = b"\xc3\0\0\0\1" + quic.block(1, dcid) + b"\0\0"
		    room = quic.DATAGRAM - len(head) - 2
		    head += quic.varint(room) + number.to_bytes(4, "big")
		    frames = b"\x06" + quic.varint(a) + quic.varint(b - a) + hello[a:b]
		    nonce = quic.xor(iv, number.to_bytes(12, "big"))
		    payload = quic.gcm(key, nonce, head, frames.ljust(room - 4 - quic.TAG, b"\0"))
		    mask = quic.aes(hp, payload[:16])
		    return bytes([head[0] ^ mask[0] & 15]) + head[1:-4] + quic.xor(head[-4:], mask[1:]) + payload

		def datagram(kind, number):
		    ends = {"w": (0, len(hello)), "r": (0, len(hello)), "a": (0, middle), "b": (middle, len(hello))}
		    if kind == "d":
		        return quic.initial("www.example.org")
		    return initial(number, *ends[kind]) if kind in ends else b"\x41" + random.randbytes(60)

		def send_spoilt(s, data):
		    with socket.socket(s.family, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
		        raw.connect((host, 0))
		        raw.send(struct.pack("!4H", s.getsockname()[1], 443, 8 + len(data), 1) + data)

		said, soon = [], "soon"
		datagrams = [datagram(kind, number) for number, kind in enumerate(plan)]
		with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as s:
		    s.settimeout(2)
		    s.connect((host, 443))
		    for kind, d in zip(plan, datagrams):
		        if kind == "d":
		            send_spoilt(s, d)
		            said.append("sent")
		            continue
		        begun = time.monotonic()
		        try:
		            s.send(d)
		            s.recv(2048)
		            said.append("answered")
		        except (ConnectionRefusedError, PermissionError):   # the router's own: send() says so
		            said.append("refused")
		            if time.monotonic() - begun > 0.5:
		                soon = "late"
		        except TimeoutError:
		            said.append("timeout")
		print(*said, soon)
	END
}

# What came back, how many packets were queued for it, how many records there are of it.
plan() {	# WHO VERSION NAME PLAN RECORDS
	local queued records said

	queued=$(nfqd_queued) records=$(nfqd_records)
	said=$("$1" "$LAB_PYTHON" "$lab_dir/sender.py" "${LAB_WEB[$2]}" "$3" "$4")
	lab_wait 2 nfqd_has_records $((records + $5))
	echo "$said, queued $(($(nfqd_queued) - queued)), records $(($(nfqd_records) - records))"
}

connections() {	# WHO VERSION TITLE
	is "$(plan "$1" "$2" $LISTED wr 1)" "refused refused soon, queued 2, records 1" "$3: a listed name is refused, and when it comes again"
	is "$(plan "$1" "$2" $LISTED ab 1)" "answered refused soon, queued 2, records 1" "$3: cut inside the name"
	is "$(plan "$1" "$2" $LISTED bar 1)" "answered refused refused soon, queued 3, records 1" "$3: reversed, then again"
	is "$(plan "$1" "$2" $OPEN wssssrss 0)" \
		"answered answered answered answered answered answered answered answered soon, queued 2, records 0" \
		"$3: an unlisted name passes; of the rest, only what says hello again is queued"
	is "$(plan "$1" "$2" $OPEN bassss 0)" "answered answered answered answered answered answered soon, queued 2, records 0" \
		"$3: an unlisted name in two, reversed, likewise"
}

ok "quic.py derives the keys of RFC 9001" "$LAB_PYTHON" tests/lib/quic.py --self-test
for nat in masquerade plain; do
	lab_up $nat || bail "lab: $(cat "$lab_dir/up.log")"
	rm -f "$lab_dir/eve.json"
	cat_sender >"$lab_dir/sender.py"
	is "$(quic in_client 4 $LISTED) $(quic in_client 6 $LISTED)" "answered answered" "$nat: without nfqd it arrives"
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	for v in 4 6; do
		for who in in_client in_router; do
			connections $who $v "$nat, IPv$v, ${who#in_}"
		done
	done
	for v in 4 6; do
		is "$(plan in_client $v $LISTED dab 1)" "sent answered refused soon, queued 3, records 1" \
			"$nat, IPv$v: a decoy in front, cut inside the name"
	done
	queued=$(nfqd_queued)
	is "$(in_client "$LAB_PYTHON" tests/lib/quic.py "${LAB_WEB[4]}" 8443 $LISTED) $(($(nfqd_queued) - queued))" \
		"refused 1" "$nat: QUIC on another port is refused"
	lab_wait 2 nfqd_has_records 15
	is "$(nfqd_records)" 15 "$nat: one record for each connection"
	is "$(nfqd_records '.nfqd.seen_in == "quic.sni" and .nfqd.action == "reject" and .alert.action == "blocked" and .nfqd.name == "'$LISTED'"')" 15 \
		"$nat: they say quic.sni, reject, blocked"
	is "$(nfqd_lost)" 0 "$nat: the kernel dropped no queued packet"
	nfqd_stop
	is $? 0 "$nat: nfqd stops"
	lab_down
done
done_testing
