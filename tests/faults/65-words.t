#!/bin/bash
# Proves: what others wrote reaches no terminal as it is, and nothing that is said is untrue: escape bytes in names,
# clients, reasons, packs and lists; an uptime after the clock has stepped back; a failed reload; a question that a
# reset cuts off, recorded once for each use of the port.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl cc "$LAB_PYTHON"

ESC=$'\e[31m\e]0;title\a' NAME=s07.upd.kaspersky.com

# harmless TITLE COMMAND...: prints something, and no control byte but newlines and tabs, on either stream
harmless() {
	local said title=$1

	shift
	said=$("$@" 2>&1)
	ok "$title: says something" [ -n "$said" ]
	is "$(tr -d '\n\t -~' <<<"$said" | grep -c $'[\x01-\x1f\x7f]')" 0 "$title: no byte that a terminal obeys" || diag "$(cat -v <<<"$said" | head -n 3)"
}

nfqctl() { "$NFQCTL" "$@"; }

requests() {
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	harmless "allow --client" nfqd_ctl allow $NAME --client "10.0.0.1$ESC" --for 1h --reason test
	harmless "allow --reason" nfqd_ctl allow $NAME --for 1h --reason "test $ESC"
	harmless "allow NAME" nfqd_ctl allow "$ESC.example.com" --for 1h --reason test
	nfqd_ctl allow $NAME --for 1h --reason 'a reason' >/dev/null
	harmless "exceptions" nfqd_ctl exceptions
	harmless "exceptions --revoke" nfqd_ctl exceptions --revoke "$ESC"
	harmless "why NAME" nfqd_ctl why "$ESC.example.com"
	harmless "why --client" nfqd_ctl why $NAME --client "$ESC"
	harmless "mode" nfqd_ctl mode "$ESC"
	nfqd_stop
	is "$(grep -c $'\e' "$lab_dir/nfqd.log")" 0 "the daemon's own lines"
}

# A pack whose texts hold escapes, as YAML can write them: it does not load, and what says so holds none.
evil_pack() {
	mkdir -p "$lab_dir/evil"
	sed 's/^title: .*/title: "a \\e[31m\\u009b31m title"/; s/^    side_effect: .*/    side_effect: "b \\e[31m effect"/
		s/^    remark: .*/    remark: "c \\e[31m remark"/; s/^vendor: .*/vendor: "d \\e[31m vendor"/' rules/kaspersky.yaml >"$lab_dir/evil/kaspersky.yaml"
	sed 's/^    names: .*/    names: ["\\e[31m.example.com"]/' rules/kaspersky.yaml >"$lab_dir/evil/names.yaml"
	is "$(grep -c '\\e\[31m' "$lab_dir/evil/kaspersky.yaml" | sed 's/^[1-9].*/some/')" some "a pack with escapes"
}

packs() {
	evil_pack
	harmless "rules list" nfqctl rules list --rules "$lab_dir/evil/kaspersky.yaml"
	harmless "rules show" nfqctl rules show --rules "$lab_dir/evil/kaspersky.yaml" $NAME
	harmless "rules diff" nfqctl rules diff rules/kaspersky.yaml "$lab_dir/evil/kaspersky.yaml"
	harmless "rules lint" nfqctl rules lint "$lab_dir/evil/kaspersky.yaml" "$lab_dir/evil/names.yaml"
	harmless "rules verify" timeout 20 nfqctl rules verify --server 127.0.0.1:9 --timeout 1 "$lab_dir/evil/names.yaml"
	harmless "nfqd -t" "$NFQD" -t --rules "$lab_dir/evil/names.yaml"
}

uptime() {
	clock 3600
	nfqd_conf >"$lab_dir/nfqd.yaml"
	nfqd_start_by_clock
	clock 0
	ok "the clock goes back an hour: the uptime stays one" status_says '.uptime_s >= 0 and .uptime_s < 600'
	nfqd_stop
}

failed_reload() {
	local before

	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	before=$(status .generation)
	echo 'mode: neither' >>"$lab_dir/nfqd.yaml"
	like "$(nfqd_ctl reload 2>&1)" 'the running rules stay' "a failed reload says that the rules stay"
	is "$(status .generation)" "$before" "and they do"
	ok "listed names are refused" refuses s08.upd.kaspersky.com
	nfqd_stop
}

# Each use of the port: a listed question over TCP, and a reset at once; so many seconds between two.
cut_off() {	# SECONDS
	in_client "$LAB_PYTHON" -c 'import socket, struct, sys, time
message = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"\3s07\3upd\x09kaspersky\3com\0\0\1\0\1"
for i in range(5):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.bind(("", 45454))
    s.connect(("9.9.9.9", 53))
    s.send(struct.pack("!H", len(message)) + message)
    s.close()
    time.sleep(float(sys.argv[1]))' "$1"
}

recorded() {	# TITLE
	lab_wait 5 nfqd_has_records 5 '.src_port == 45454'
	is "$(nfqd_records '.src_port == 45454')" 5 "five questions that a reset cuts off, from one port, $1: five records"
}

port_reuse() {
	rm -f "$lab_dir/eve.json" "$lab_dir/state.json"
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	cut_off 0
	recorded refused
	nfqd_ctl allow $NAME --for 1h --reason test >/dev/null
	mv "$lab_dir/eve.json" "$lab_dir/refused.json"
	kill -HUP "${lab_pid[nfqd]}"
	lab_wait 5 [ -e "$lab_dir/eve.json" ]
	cut_off 0.05	# sooner, sequence numbers do not tell a second connection, see LIMITS
	recorded allowed
	nfqd_stop
	rm -f "$lab_dir/state.json"
}

words() {
	requests
	failed_reload
	port_reuse
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
in_both words
packs
uptime
done_testing
