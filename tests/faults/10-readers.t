#!/bin/bash
# Proves: a program that stops reading nfqd's standard error, its standard output or one of its logs
# holds up no packet, no other log, no reload and not the end; what it did not get is counted.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl mkfifo "$LAB_PYTHON"

# lines of the parent, as fast as it takes requests: one for each change of the mode
speak() {
	in_router "$LAB_PYTHON" -c 'import json, socket, sys
for i in range(300):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(json.dumps({"command": "mode", "mode": ("log", "enforce")[i % 2]}).encode() + b"\n")
    assert json.loads(s.makefile().readline())["ok"]' "$lab_dir/control.sock"
}

# damaged questions: packet threads say that they could not judge them
damaged() {
	in_client "$LAB_PYTHON" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(3):
    s.sendto(b"\x12\x34\1\0\0\1\0\0\0\0\0\0\x3f" + b"a" * 20, ("9.9.9.9", 53))'
}

stuck_stderr() {
	local t="standard error is not read" worker

	held err && nfqd_conf >"$lab_dir/nfqd.yaml"
	nfqd_run "$lab_dir/out" "$lab_dir/err" || bail "$t: nfqd does not start"
	worker=$(nfqd_worker)
	ok "$t: the parent goes on speaking" speak
	ok "$t: lines that find no room are counted" status_says '.log.diag_lost > 0'
	damaged
	is "$(ask 500 www.example.org)" "0=500" "$t: every innocent question is answered"
	is "$(ask 500 n%d.upd.kaspersky.com)" "3=500" "$t: every listed one is refused"
	ok "$t: nfqctl reload" nfqd_ctl reload
	is "$(nfqd_worker)" "$worker" "$t: the worker is the same"
	nfqd_stop
	is $? 0 "$t: SIGTERM is obeyed"
	is "$(nfqd_left)" "$(stays)" "$t: nothing is left but with fail: closed the table"
	lab_end holder-err
}

stuck_stdout() {
	local t="standard output is not read" worker

	held out && nfqd_conf | sed "s,outputs: .*,outputs: [{type: file\, path: $lab_dir/eve.json}\, {type: text\, path: '-'}]," >"$lab_dir/nfqd.yaml"
	rm -f "$lab_dir/eve.json"
	nfqd_run "$lab_dir/out" "$lab_dir/err.txt" || bail "$t: nfqd does not start: $(tail -n 3 "$lab_dir/err.txt")"
	worker=$(nfqd_worker)
	is "$(ask 4000 n%d.upd.kaspersky.com)" "3=4000" "$t: every listed question is refused"
	ok "$t: the other log has every record" lab_wait 5 nfqd_has_records 4000
	ok "$t: and lost none" status_says '.log.outputs[0] | .written >= 4000 and .lost == 0 and (.stuck | not)'
	ok "$t: this one's loss is counted" status_says '.log.outputs[1] | .stuck and .lost > 1000'
	ok "$t: and shown" grep -q 'ITS READER HAS STOPPED' <(nfqd_ctl status)
	ok "$t: nfqctl reload" nfqd_ctl reload
	is "$(nfqd_worker)" "$worker" "$t: the worker is the same"
	is "$(wc -l <"$lab_dir/err.txt" | tr -d ' ') $(grep -c 'the reader is too slow' "$lab_dir/err.txt")" \
		"$(wc -l <"$lab_dir/err.txt" | tr -d ' ') 1" "$t: one line says it"
	nfqd_stop
	is $? 0 "$t: SIGTERM is obeyed"
	lab_end holder-out
}

fifo_log() {
	local said status=0

	rm -f "$lab_dir/fifo" && mkfifo "$lab_dir/fifo"
	nfqd_conf | sed "s,eve\.json,fifo," >"$lab_dir/bad.yaml"
	said=$(in_router timeout 10 "$NFQD" -c "$lab_dir/bad.yaml" 2>&1) || status=$?
	is $status 1 "a FIFO that no program reads, as log: refused, not waited for"
	like "$said" 'fifo: no program reads this FIFO' "and the message says so"
	ln -sf "$lab_dir/elsewhere.json" "$lab_dir/link.json"
	nfqd_conf | sed "s,eve\.json,link.json," >"$lab_dir/nfqd.yaml"
	nfqd_run "$lab_dir/out.txt" "$lab_dir/err.txt" || bail "a link as log: nfqd does not start"
	ok "a symbolic link as log is said" grep -q "link\.json is a symbolic link to $lab_dir/elsewhere\.json" "$lab_dir/err.txt"
	nfqd_stop
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
in_both stuck_stderr
in_both stuck_stdout
in_both fifo_log
done_testing
