#!/bin/bash
# Stands for aardvark-dns#605 and rubydns#73 (stubs that only speak TCP), padded questions, and mDNS or LLMNR that crosses a
# router: several questions on one connection, questions of 128 to 1400 bytes, the neighbours (u16, u17).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig kdig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# Prints what came for each question on one connection: its return code, or how the connection ended.
asked() {	# together|apart NAME...
	in_client "$LAB_PYTHON" - "$@" <<-'PY'
		import socket, struct, sys
		def q(n, i):
		    m = struct.pack("!6H", i, 0x100, 1, 0, 0, 0) + b"".join(bytes([len(x)]) + x for x in n.encode().split(b".")) + b"\0\0\1\0\1"
		    return struct.pack("!H", len(m)) + m
		def read(s, n):
		    got = b""
		    while len(got) < n:
		        d = s.recv(n - len(got))
		        if not d:
		            raise EOFError
		        got += d
		    return got
		s = socket.create_connection(("8.8.8.8", 53), 4)
		s.settimeout(4)
		said, names = [], sys.argv[2:]
		try:
		    if sys.argv[1] == "together":
		        s.sendall(b"".join(q(n, i) for i, n in enumerate(names)))
		    for i, n in enumerate(names):
		        if sys.argv[1] == "apart":
		            s.sendall(q(n, i))
		        m = read(s, struct.unpack("!H", read(s, 2))[0])
		        said.append(f"{m[1]}:{m[3] & 15}")
		except (OSError, EOFError):
		    said.append("over")
		print(*said)
	PY
}

padded() { in_client kdig +padding="$1" +time=3 +retry=0 "$2" @8.8.8.8 2>/dev/null | sed -n 's/.*status: \([A-Z]*\).*/\1/p'; }

field_up masquerade
field_nfqd
is "$(asked apart $FIELD_OPEN www.example.net)" "0:0 1:0" "unlisted names on one connection"
is "$(asked apart $FIELD_OPEN $FIELD_DNS $FIELD_OPEN)" "0:0 1:3 over" "one by one: the listed one is refused and ends the connection"
is "$(asked together $FIELD_DNS $FIELD_OPEN)" "0:3 over" "together, the listed one first"
is "$(asked apart $FIELD_OPEN)" "0:0" "a new connection after that is answered"
for size in 128 468 1200 1400; do
	is "$(padded $size $FIELD_DNS) $(padded $size $FIELD_OPEN)" "NXDOMAIN NOERROR" "padded to $size"
done
ok "refusals are on record" lab_wait 5 nfqd_has_records 6
before=$(nfqd_records)
ok "mDNS and LLMNR of client and router" eval 'for who in in_client in_router; do
	$who "$LAB_PYTHON" - <<-PY
		import socket, struct
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		m = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + b"\3s07\3upd\x09kaspersky\3com\0\0\1\0\1"
		s.connect(("8.8.8.8", 53)); own = s.getsockname()[0]; s.close()
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(0, 32, socket.inet_aton(own))
		for a in ("224.0.0.251", 5353), ("224.0.0.252", 5355):
		    s.sendto(m, a)
	PY
done'
field_dns s08.upd.kaspersky.com 8.8.8.8 >/dev/null
ok "a question after them is on record" lab_wait 5 nfqd_has_records 1 '.nfqd.name == "s08.upd.kaspersky.com"'
is "$(nfqd_records)" $((before + 1)) "what neighbours ask each other is not"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
