#!/bin/bash
# Proves: the parent waits for no client of its control socket, no FIFO and no endless file: requests have
# a limit of time in all, and what is not a regular file is refused as a pack, a list or a state file.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl mkfifo "$LAB_PYTHON"

drips() { grep -q dripping "$lab_dir/drip$1.log"; }
ended() { grep -q ended "$lab_dir/drip$1.log"; }

control() {
	local i

	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	lab_spawn drip1 "$LAB_ROUTER" "$LAB_PYTHON" tests/faults/drip.py "$lab_dir/control.sock"
	lab_wait 5 drips 1
	ok "a client sends its request byte by byte: another one is served" nfqd_ctl status
	ok "its connection ends when its time is up" lab_wait 15 ended 1
	for i in {2..17}; do
		lab_spawn "drip$i" "$LAB_ROUTER" "$LAB_PYTHON" tests/faults/drip.py "$lab_dir/control.sock"
	done
	lab_wait 5 drips 17
	ok "sixteen such clients: the next one is served" nfqd_ctl status
	is "$(in_router "$LAB_PYTHON" -c 'import socket, sys
many = [socket.socket(socket.AF_UNIX) for _ in range(16)]
for s in many:
    s.connect(sys.argv[1])
    s.sendall(b"{\"command\": \"status\"}\n")
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"{\"command\": \"status\"}\n")
print(b"\"ok\":true" in s.makefile("rb").readline())' "$lab_dir/control.sock")" True "clients that do not read their answer: the next one is served"
}

# refused TITLE SAYS: a reload says so and changes nothing
refused() {
	local said status=0

	said=$(nfqd_ctl reload 2>&1) || status=$?
	is $status 1 "$1, at a reload: refused"
	like "$said" "$2.*the running rules stay" "$1: the message"
	ok "$1: the old rules go on" refuses
	said=$(timeout 10 "$NFQD" -t -c "$lab_dir/nfqd.yaml" 2>&1) && status=0 || status=$?
	is $status 1 "$1, at a start: refused"
	like "$said" "$2" "$1: the message there"
}

lists() {
	mkdir -p "$lab_dir/packs"
	cp rules/kaspersky.yaml "$lab_dir/packs/"
	nfqd_conf | sed "s,^rules:.*,rules: [$lab_dir/packs]," >"$lab_dir/nfqd.yaml"
	ok "a folder of packs" nfqd_ctl reload
	mkfifo "$lab_dir/packs/pipe.yaml"
	refused "a FIFO in it" "pipe\.yaml: is not a regular file"
	rm "$lab_dir/packs/pipe.yaml"
	ln -s /dev/zero "$lab_dir/packs/zero.yaml"
	refused "a link to /dev/zero" "zero\.yaml: is not a regular file"
	rm "$lab_dir/packs/zero.yaml"
	sed '0,/names: \["s\[00-19\].upd.kaspersky.com"\]/s,,names-file: zero.txt,' rules/kaspersky.yaml >"$lab_dir/packs/kaspersky.yaml"
	ln -s /dev/zero "$lab_dir/packs/zero.txt"
	refused "/dev/zero as a list of names" 'zero\.txt: is not a regular file'
	cp rules/kaspersky.yaml "$lab_dir/packs/"
}

flushed() {
	local before i

	before=$(status .generation)
	in_router nft flush ruleset
	ok "a reload right after the table was flushed" nfqd_ctl reload
	is "$(status .generation)" $((before + 1)) "and what it says is true"
	ok "listed names are refused" lab_wait 10 refuses
	nfqd_stop
	is $? 0 "SIGTERM is obeyed"
	for i in {1..17}; do
		lab_end "drip$i"
	done
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
waits() {
	control
	lists
	flushed
}
in_both waits
done_testing
