#!/bin/bash
# Proves: workers that die again and again do not hold the queue shut with `fail: open`, and protection
# comes back; what another program removes is put back; a ruleset that the worker cannot take leaves
# the old one in force, for it and for the next worker.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig jq prlimit setpriv iptables dnsmasq unbound nginx openssl curl "$LAB_PYTHON"

status() { nfqd_ctl status --json | jq -r "$1"; }
status_is() { [ "$(status "$1")" = "$2" ]; }
answered() { [ "$(in_client dig +short +time=1 +tries=1 "$1" "@${LAB_PUBLIC[4]%% *}")" = "${LAB_WEB[4]}" ]; }
blocked() { in_client dig +time=1 +tries=1 "$1" "@${LAB_PUBLIC[4]%% *}" | grep -q 'status: NXDOMAIN'; }
kill_worker() { local w; w=$(nfqd_worker); [ "${w:-0}" -gt 0 ] && kill -KILL "$w"; }
killed_until_open() { kill_worker 2>/dev/null; status_is .steering.queueing false; }
message_waits() { in_router ss -xH | awk '/^u_seq/ && $3 > 0 { n++ } END { exit !n }'; }	# between parent and worker
begin() { nfqd_start enforce "$1" || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"

# ---- workers that die ----

begin open
ok "a listed name is refused" blocked s01.upd.kaspersky.com
ok "workers are killed: queueing stops" lab_wait 10 killed_until_open
ok "names are answered at once" answered www.example.org
ok "listed ones, too" answered s02.upd.kaspersky.com
ok "it is said loudly" grep -q 'error: .*NOTHING IS INSPECTED' "$lab_dir/nfqd.log"
like "$(nfqd_ctl status; echo "exit $?")" "^NOT PROTECTED since .*: workers die.*NOTHING IS INSPECTED.*exit 1" "in the status, too"
ok "after a pause protection is back" lab_wait 20 blocked s03.upd.kaspersky.com
ok "and said" status_is .steering.queueing true

# ---- other programs ----

before=$(nfqd_left | sort)
in_router nft flush ruleset
ok "nft flush ruleset: put back" lab_wait 10 blocked s04.upd.kaspersky.com
is "$(nfqd_left | sort)" "$before" "the same tables and rules, nothing doubled"
is "$(status .steering.repairs)" 1 "and counted"
ok "and said" grep -q 'error: steer: another program' "$lab_dir/nfqd.log"
in_router nft flush table inet nfqd
ok "nft flush table inet nfqd: put back" lab_wait 10 blocked s05.upd.kaspersky.com
in_router nft flush chain inet nfqd q_main
ok "a queue chain that was emptied: put back" lab_wait 10 blocked s06.upd.kaspersky.com
is "$(nfqd_left | sort)" "$before" "the same tables and rules, nothing doubled"
nfqd_stop
is "$? $(nfqd_left)" "0 " "nfqd stops and leaves nothing"

# ---- a ruleset that is not taken ----

begin open
worker=$(nfqd_worker)
ids=($(awk '/^[UG]id:/ { print $2 }' "/proc/$worker/status"))	# its own user may, root without CAP_SYS_RESOURCE may not
ok "the worker may map no more" setpriv --reuid="${ids[0]}" --regid="${ids[1]}" --clear-groups prlimit --pid "$worker" --as=1000000
sed -i 's/^mode: .*/mode: log/' "$lab_dir/nfqd.yaml"
like "$(nfqd_ctl reload 2>&1; echo "exit $?")" "could not map.*exit 1" "a ruleset that cannot be mapped: reload fails"
is "$(status '[.generation, .worker_pid] | @csv')" "1,$worker" "same worker, same generation"
ok "the old rules are in force" blocked s07.upd.kaspersky.com
kill -KILL "$worker"
ok "the next worker reads them, too" lab_wait 5 blocked s08.upd.kaspersky.com
is "$(status .generation)" 1 "the old generation"
worker=$(nfqd_worker)
kill -STOP "$worker"
nfqd_ctl reload >"$lab_dir/reload.out" 2>&1 &
reload=$!
ok "the worker has the message" lab_wait 5 message_waits
kill -KILL "$worker"
wait $reload
is $? 1 "a worker that dies over a new ruleset: reload fails"
ok "the next one has the old" lab_wait 5 blocked s09.upd.kaspersky.com
ok "a reload works again" nfqd_ctl reload
ok "and is in force" answered s10.upd.kaspersky.com
nfqd_stop

# ---- fail: closed keeps queueing ----

begin closed
for _ in 1 2 3 4 5 6 7; do
	lab_wait 5 kill_worker
done
is "$(status .steering.queueing)" true "fail: closed: queueing goes on"
ok "a worker comes back" lab_wait 10 blocked s10.upd.kaspersky.com
nfqd_stop
lab_down
done_testing
