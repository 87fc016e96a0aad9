#!/bin/bash
# Proves: a worker that dies is replaced, what waited for it is answered, and with on-fault: worker-died: reset what it had half read does not pass; when five die in a row, `fail: open` lets
# everything pass for ten seconds and says so, `fail: closed` holds it; a full queue passes with `fail: open` and
# is dropped with `fail: closed`, counted either way.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

QUEUE=8192	# packets that wait at most

other_worker() { local now; now=$(nfqd_worker) && [ "${now:-0}" -gt 0 ] && [ "$now" != "$1" ]; }
said() { grep -q "$1" "$lab_dir/nfqd.log"; }
waiting() { [ "$(in_router awk '{ n += $3 } END { print n + 0 }' /proc/net/netfilter/nfnetlink_queue)" -ge "$1" ]; }

# Questions from as many sockets, sent and not waited for.
send_questions() {	# COUNT
	in_client "$LAB_PYTHON" -c 'import socket, struct, sys
for i in range(int(sys.argv[1])):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(struct.pack("!HHHHHH", i & 0xffff, 0x100, 1, 0, 0, 0) + b"\7example\3org\0\0\1\0\1", ("9.9.9.9", 53))' "$1"
}

one_death() {
	local t="a worker dies" worker

	nfqd_start || bail "$t: nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	worker=$(nfqd_worker)
	kill -STOP "$worker"
	lab_spawn asking "$LAB_CLIENT" "$LAB_PYTHON" tests/faults/ask.py 20 www.example.org
	lab_wait 5 waiting 20
	kill -KILL "$worker"
	ok "$t: a new one" lab_wait 10 other_worker "$worker"
	lab_wait 10 lab_dead asking
	is "$(<"$lab_dir/asking.log")" "0=20" "$t: what waited is answered"
	lab_end asking
	ok "$t: listed names are refused" refuses
}

# half_read KIND: the worker dies between the two pieces of ten listed messages
half_read() {
	local t="a worker dies half through a $1 hello" worker before

	worker=$(nfqd_worker) before=$(status .counters.packets)
	lab_spawn pieces "$LAB_CLIENT" "$LAB_PYTHON" tests/faults/pieces.py "$1" 10 3
	ok "$t: the first halves are read" lab_wait 30 status_says ".counters.packets >= $before + 10"
	kill -KILL "$worker"
	lab_wait 60 lab_dead pieces
	is "$(<"$lab_dir/pieces.log")" "refused=10 leaked=0" "$t: no listed name passes"
	ok "$t: a new worker" lab_wait 10 other_worker "$worker"
	lab_end pieces
}

half_reads() {
	nfqd_conf >"$lab_dir/nfqd.yaml"
	echo 'on-fault: {worker-died: reset}' >>"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	half_read tls
	half_read quic
	ok "they are counted" status_says '.counters.fault_worker_died >= 10'
	ok "and said" said 'beginning a dead worker had read, reset'
	nfqd_stop
}

five_deaths() {
	local t="five workers die in a row" worker i

	for i in {2..5}; do
		lab_wait 10 other_worker "${worker:-0}"
		worker=$(nfqd_worker)
		kill -KILL "$worker"
	done
	if [ "$LAB_FAIL" = open ]; then
		ok "$t: said" lab_wait 5 said 'NOTHING IS INSPECTED'
		is "$(status '[.steering.queueing, .worker_pid]')" "[false,0]" "$t: status says it, and names no process"
		ok "$t: listed names pass meanwhile" answers s07.upd.kaspersky.com
	else
		ok "$t: nothing is let go" lab_wait 5 said 'killed by signal 9'
		is "$(status .steering.queueing)" true "$t: status says it"
	fi
	ok "$t: there is another one later" lab_wait 25 other_worker "$worker"
	ok "$t: innocent names are answered" lab_wait 10 answers
	ok "$t: listed names are refused" lab_wait 10 refuses
	nfqd_stop
	is $? 0 "$t: SIGTERM is obeyed"
}

full_queue() {
	local t="a full queue" worker parent

	nfqd_start || bail "$t: nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	worker=$(nfqd_worker) parent=${lab_pid[nfqd]}
	kill -STOP "$parent" "$worker"	# the parent would replace it
	send_questions $((QUEUE + 1000))
	ok "$t: $QUEUE packets wait" waiting $QUEUE
	if [ "$LAB_FAIL" = open ]; then
		ok "$t: what finds no room passes" answers s07.upd.kaspersky.com
	else
		ok "$t: what finds no room does not pass" none_answered
	fi
	kill -CONT "$parent" "$worker"
	ok "$t: then they are judged" lab_wait 20 nothing_waits
	ok "$t: listed names are refused" lab_wait 10 refuses
	if [ "$LAB_FAIL" = open ]; then
		ok "$t: what passed is counted" status_says '.steering.bypassed > 500'
	else
		ok "$t: what was dropped is counted" status_says '[.queues[].dropped] | add > 500'
	fi
	nfqd_stop
	is "$? $(nfqd_left)" "0 $(stays)" "$t: SIGTERM is obeyed, nothing is left but with fail: closed the table"
}
none_answered() { ! answers && ! answers s07.upd.kaspersky.com; }
nothing_waits() { status_says '[.queues[].waiting] | add == 0'; }

deaths() {
	half_reads
	one_death
	five_deaths
	full_queue
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
in_both deaths
done_testing
