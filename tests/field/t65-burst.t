#!/bin/bash
# Stands for OpenSnitch#537 and ntopng#822: a burst of new connections, as a page or a torrent makes; nothing is
# refused that should pass, nothing slips by, nothing stays without an answer (t65).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# 3000 questions from sockets of their own, 300 at once, every tenth for a listed name. A question without an answer
# is asked again after a second, as resolvers of the C library do, three times at most.
burst() {
	in_client "$LAB_PYTHON" - "$1" $FIELD_DNS <<-'END'
		import collections, select, socket, struct, sys
		host, listed = sys.argv[1:]

		def question(number):
		    name = listed if number % 10 == 0 else f"h{number}.example.org"
		    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
		    return struct.pack("!6H", number, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"

		said = collections.Counter()
		for start in range(0, 3000, 300):
		    waiting = {}
		    for number in range(start, start + 300):
		        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
		        s.connect((host, 53))
		        waiting[s] = number
		    for attempt in range(4):
		        for s, number in waiting.items():
		            s.send(question(number))
		        while waiting and (ready := select.select(list(waiting), [], [], 1)[0]):
		            for s in ready:
		                answer = s.recv(600)
		                refused = answer[3] & 15 == 3
		                said["refused" if refused else "answered"] += 1
		                said["wrong"] += refused != (waiting.pop(s) % 10 == 0)
		                s.close()
		    said["lost"] += len(waiting)
		print(*(f"{kind} {said[kind]}" for kind in ("answered", "refused", "wrong", "lost")))
	END
}

field_up plain
field_nfqd
is "$(burst 8.8.8.8)" "answered 2700 refused 300 wrong 0 lost 0" "IPv4: a burst of questions"
is "$(burst 2001:4860:4860::8888)" "answered 2700 refused 300 wrong 0 lost 0" "IPv6: a burst of questions"
is "$(nfqd_lost)" 0 "the kernel dropped no queued packet"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
