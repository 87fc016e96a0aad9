#!/bin/bash
# Proves: `drop` is silent and remembered by the kernel; networks of `inside` may overlap and one that
# is wrong leaves no table; a reload with fewer log outputs survives rotation.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft conntrack curl jq dig "$LAB_PYTHON"

fetch() { in_client curl -sk -o /dev/null -m "$2" --resolve "$1:443:${LAB_WEB[4]}" "https://$1/"; echo $?; }
start() {	# SED-EXPRESSION
	nfqd_conf | sed "$1" >"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready
}
# By its label, or in a set where the kernel has no labels.
dropped() { [[ $(nfqd_states) =~ \ 443\ .*labels=.*124 ]] || in_router nft list set inet nfqd s_dropped | grep -q elements; }
no_table() { ! in_router nft list table inet nfqd; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
start 's/action: stage/action: drop/; s/^default:/inspect: {inside: [10.0.0.0\/8, 10.1.0.0\/16]}\n&/' ||
	bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
is "$(fetch activation-v2.kaspersky.com 1)" 28 "drop: TLS gets no answer"
ok "drop: the kernel remembers it" dropped
is "$(fetch www.example.org 3)" 0 "an unlisted site passes"
sed -i "s,outputs:.*,outputs: [],; s,/eve.json,/x.json," "$lab_dir/nfqd.yaml"
nfqd_ctl reload >/dev/null 2>&1
kill -HUP "${lab_pid[nfqd]}"
kill -HUP "${lab_pid[nfqd]}"
ok "still served after a reload with other outputs and two rotations" lab_wait 5 nfqd_ctl status
nfqd_stop
is $? 0 "nfqd stops"
start 's/^default:/inspect: {inside: [an-interface-name-too-long]}\n&/'
ok "a wrong inside leaves no table" lab_wait 2 no_table
lab_down
done_testing
