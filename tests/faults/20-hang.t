#!/bin/bash
# Proves: a worker that hangs instead of dying (all of it, or one thread) is noticed by the parent and
# replaced, traffic goes on in both modes, and everything says so; likewise the resolver; and systemd's
# watchdog is fed only while all of them live.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

other_worker() { local now; now=$(nfqd_worker) && [ "${now:-0}" -gt 0 ] && [ "$now" != "$1" ]; }
said() { grep -q "$1" "$lab_dir/nfqd.log"; }
poke() { answers; refuses; true; }	# so that packets and records wait

# replaced TITLE WORKER SAYS: while the client asks, another worker comes
replaced() {
	local end=$(($(lab_now_ms) + 15000))

	while ! other_worker "$2" && [ "$(lab_now_ms)" -lt "$end" ]; do
		poke
	done
	ok "$1: a new worker" other_worker "$2"
	ok "$1: said" said "$3"
	ok "$1: innocent names are answered" answers
	ok "$1: listed names are refused" refuses
}

frozen_thread() {	# TITLE TID SAYS [hold]
	local worker

	worker=$(nfqd_worker)
	lab_spawn freeze "$LAB_ROUTER" "$LAB_PYTHON" tests/faults/freeze.py "$2" ${4:-}
	lab_wait 5 grep -q frozen "$lab_dir/freeze.log" || bail "$1: $(cat "$lab_dir/freeze.log")"
	replaced "$1" "$worker" "$3"
	lab_end freeze
}

hung() {
	local t="a hang" worker threads

	nfqd_start || bail "$t: nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	worker=$(nfqd_worker)
	kill -STOP "$worker"
	replaced "$t, the whole worker stops" "$worker" 'the thread of queue [0-9]* has not moved'
	worker=$(nfqd_worker)
	threads=$(ls "/proc/$worker/task")
	frozen_thread "$t, a packet thread stops and does not die" "$(tail -n 1 <<<"$threads")" 'the worker was killed but does not end' hold
	frozen_thread "$t, the log thread stops" "$(nfqd_worker)" 'the log thread has not moved'
	is "$(status '[.worker_hangs, .worker_restarts]')" "[3,3]" "$t: counted in the status"
	ok "$t: and shown" grep -q '3 of them hung' <(nfqd_ctl status)
	nfqd_stop
	is $? 0 "$t: SIGTERM is obeyed"
}

fed() { grep -c WATCHDOG=1 "$lab_dir/notify.log"; }
fed_more() { [ "$(fed)" -gt "$1" ]; }
other_resolver() { status_says ".resolver.pid > 0 and .resolver.pid != $1"; }

resolver() {
	local t="the resolver stops" pid before

	rm -f "$lab_dir/notify"
	lab_spawn notify "$LAB_ROUTER" "$LAB_PYTHON" tests/faults/notify.py "$lab_dir/notify"
	lab_wait 5 grep -q listening "$lab_dir/notify.log"
	NOTIFY_SOCKET=$lab_dir/notify nfqd_start || bail "$t: nfqd does not start"
	pid=$(status .resolver.pid)
	ok "$t: the watchdog is fed while all live" lab_wait 5 fed_more 1
	before=$(fed)
	kill -STOP "$pid"
	ok "$t: noticed" lab_wait 15 said 'resolver: it has not moved'
	ok "$t: meanwhile the watchdog was not fed, after the first still second" [ $(($(fed) - before)) -le 3 ]
	ok "$t: said what is missing" lab_wait 5 said 'resolver: was killed by signal 9; until it runs again'
	ok "$t: a new one" lab_wait 10 other_resolver "$pid"
	ok "$t: the watchdog is fed again" lab_wait 5 fed_more "$(fed)"
	pid=$(status .resolver.pid)
	kill -STOP "$pid"
	nfqd_stop
	is $? 0 "$t: SIGTERM is obeyed without it"
	lab_end notify
}

# The filter's own signal; tests/unit/shared/test_privs.c shows which calls bring it.
forbidden() {
	local t="a worker makes a forbidden system call" worker

	nfqd_start || bail "$t: nfqd does not start"
	worker=$(nfqd_worker)
	is "$(awk '/^Seccomp:/{print $2}' "/proc/$worker/status")" "$(seccomp_mode)" "$t: a filter is in force"
	kill -SYS "$worker"
	ok "$t: a new worker" lab_wait 10 other_worker "$worker"
	ok "$t: said" said 'worker: was killed by the kernel: it made a forbidden system call'
	is "$(status .worker_forbidden_calls)" 1 "$t: counted"
	ok "$t: shown" grep -q 'MADE A FORBIDDEN SYSTEM CALL' <(nfqd_ctl status)
	nfqd_stop
}

seccomp_mode() { case $NFQD in */asan/*) echo 0 ;; *) echo 2 ;; esac; }	# sanitizers need more calls

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
in_both hung
in_both resolver
in_both forbidden
done_testing
