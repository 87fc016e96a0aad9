#!/bin/bash
# Proves: beside a flowtable bare handshake ACKs wait, for a bounded time and not for a source that makes too many; what is let
# go counts as uninspected, and is refused under `fail: closed`. The test kernels have no flowtables: nfqd takes
# one for granted here (NFQD_STEER=flowtable); the virtual machine has one.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft conntrack dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# A server that speaks first: what it said and after how many tenths of a second.
greeting() {
	in_client "$LAB_PYTHON" - "${LAB_WEB[$1]}" <<-'PY'
		import socket, sys, time
		from_ = time.monotonic()
		s = socket.create_connection((sys.argv[1], 853), 9)
		s.settimeout(9)
		try:
		    said = s.recv(99).decode().strip() or "end"
		except OSError as e:
		    said = type(e).__name__
		took = time.monotonic() - from_
		print(said, "soon" if took < 0.5 else "later" if took < 8 else "late")
	PY
}

# A client that waits for the greeting and then speaks.
waits() {
	in_client "$LAB_PYTHON" - "${LAB_WEB[4]}" <<-'PY'
		import socket, sys
		s = socket.create_connection((sys.argv[1], 853), 9)
		s.settimeout(5)
		said = []
		for first in True, False:
		    try:
		        if not first:
		            s.sendall(b"hello?\r\n")
		        said.append(s.recv(99).decode().strip() or "end")
		    except OSError as e:
		        said.append(type(e).__name__)
		print(*said)
	PY
}

# Connections that say nothing, made at once; then how long a hello takes on one that has waited.
crowd() {	# HOW-MANY
	in_client "$LAB_PYTHON" - "${LAB_WEB[4]}" "$1" <<-'PY'
		import socket, sys, time
		idle = []
		for i in range(int(sys.argv[2])):
		    s = socket.socket()
		    s.setblocking(False)
		    s.connect_ex((sys.argv[1], 443))
		    idle.append(s)
		time.sleep(1)
		sys.path.insert(0, "tests/lib")
		from wild import LISTED, OPEN, tcp
		print(tcp(LISTED, sys.argv[1]), tcp(OPEN, sys.argv[1]))
	PY
}

steering() { nfqd_ctl status --json | jq ".steering.$1"; }
more_than() { [ "$(steering "$1")" -gt "$2" ]; }

field_up plain
ulimit -n 4096
lab_spawn greets "$LAB_SERVER" "$LAB_PYTHON" tests/lib/sink.py "login:853@${LAB_WEB[4]}" "login:853@${LAB_WEB[6]}"
speaks() { in_server ss -Hltn | grep -qF "[${LAB_WEB[6]}]:853"; }
lab_wait 5 speaks || bail "no server that speaks first"
is "$(greeting 4)" "SSH-2.0-lab soon" "without nfqd a server speaks at once"
export NFQD_STEER=flowtable
field_nfqd
like "$(nfqd_ctl status)" 'flow offload' "status says what it is about"
field_refused 4 "held"
before=$(steering uninspected)
for v in 4 6; do is "$(greeting $v)" "SSH-2.0-lab later" "IPv$v: a server that speaks first is heard within the time"; done
is $(($(steering uninspected) - before)) 2 "and counts as uninspected, once each"
held=$(steering held) before=$(steering uninspected)
is "$(crowd 900)" "reset data" "a source with 900 idle connections: a listed name is reset, an unlisted one answered"
ok "of which those above the rate do not wait" more_than uninspected $((before + 100))
ok "and the others do" more_than held $((held + 400))
nfqd_stop
is $? 0 "nfqd stops"
field_nfqd enforce closed
is "$(waits)" "TimeoutError ConnectionResetError" "fail: closed: what the time ran out for is refused, the client hears of it when it speaks"
field_refused 4 "held, fail: closed"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
