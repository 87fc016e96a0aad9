# shellcheck shell=bash disable=SC2154	# lab_dir is from net.sh
# What tests of faults share; to be sourced after net.sh, nfqd.sh and tap.sh.

answers() { [ -n "$(in_client dig +short +time=2 +tries=1 "${1:-www.example.org}" @9.9.9.9 | grep -v '^;')" ]; }
refuses() { in_client dig +time=2 +tries=1 "${1:-s07.upd.kaspersky.com}" @9.9.9.9 | grep -q 'status: NXDOMAIN'; }

# status FILTER: one fact of nfqd's status; empty when it does not answer
status() { nfqd_ctl status --json 2>/dev/null | jq -c "$1"; }
status_is() { [ "$(status "$1")" = "$2" ]; }	# FILTER VALUE
status_says() { [ "$(status "$1")" = true ]; }	# CONDITION

# nfqd with output and error of its own: nfqd_run OUT ERR; it is up when its control socket answers
nfqd_run() {
	# shellcheck disable=SC2016	# for the inner shell
	lab_spawn nfqd "$LAB_ROUTER" sh -c 'exec "$0" -c "$1" >"$2" 2>"$3"' "$NFQD" "$lab_dir/nfqd.yaml" "$1" "$2"
	lab_wait 15 status_says '.worker_pid > 0'
}

# clock SECONDS: nfqd's wall clock is so far from the machine's
clock() {
	[ -e "$lab_dir/clock" ] || truncate -s 8 "$lab_dir/clock"
	"$LAB_PYTHON" -c 'import struct, sys
with open(sys.argv[1], "r+b") as f:
    f.write(struct.pack("=q", int(sys.argv[2])))' "$lab_dir/clock" "$1"
}

# nfqd with that clock
nfqd_start_by_clock() {
	[ -e "$lab_dir/clock.so" ] || cc -shared -fPIC -D_GNU_SOURCE -o "$lab_dir/clock.so" tests/lib/clock.c || bail "no compiler"
	lab_spawn nfqd "$LAB_ROUTER" env LD_PRELOAD="$(sanitizer_runtime) $lab_dir/clock.so" CLOCK_FILE="$lab_dir/clock" \
		"$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 60 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(cat "$lab_dir/nfqd.log")"
}

# held NAME: a FIFO of one page that is open for reading and never read
held() {
	rm -f "$lab_dir/$1" && mkfifo "$lab_dir/$1" &&
		lab_spawn "holder-$1" "$LAB_ROUTER" "$LAB_PYTHON" -c 'import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, 1031, 4096)	# F_SETPIPE_SZ
print("held", flush=True)
time.sleep(600)' "$lab_dir/$1" &&
		lab_wait 5 grep -q held "$lab_dir/holder-$1.log"
}

# ask COUNT NAME: questions of the client, 50 at a time, each waited for; prints how many were answered
ask() {
	in_client "$LAB_PYTHON" tests/faults/ask.py "$1" "$2"
}

# in_both COMMAND...: in both modes; LAB_FAIL says which
in_both() {
	for LAB_FAIL in open closed; do
		tap_prefix="fail: $LAB_FAIL: "
		"$@"
	done
	LAB_FAIL='' tap_prefix=''
}

# What nfqd leaves when it stops: with `fail: closed` the table, which drops until the next start.
stays() { [ "${LAB_FAIL:-open}" = open ] || echo table inet nfqd; }
