#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: an output of type unix reaches the socket of its reader, also one that comes later, ends and comes again;
# a record that went with it is sent again; and nfqctl tail shows what is recorded.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq jq socat script

file_conf=$(declare -f nfqd_conf)
eval "file_${file_conf}"
nfqd_conf() { file_nfqd_conf "$@" | sed "s|outputs: \[|outputs: [{type: unix, path: $lab_dir/reader}, |"; }
ask() { in_client dig +time=1 +tries=1 "s0$1.upd.kaspersky.com" "@1.1.1.1" | grep -q 'status: NXDOMAIN'; }
got() { jq -r "select(.nfqd.name == \"s0$1.upd.kaspersky.com\").nfqd.seq" "$lab_dir/read" 2>/dev/null | grep -q .; }
reader_up() { lab_spawn reader "$LAB_ROUTER" socat -u "UNIX-LISTEN:$lab_dir/reader,fork,unlink-early" "OPEN:$lab_dir/read,creat,append"; }
seq_of() { jq "select(.nfqd.name == \"s0$1.upd.kaspersky.com\").nfqd.seq" "$lab_dir/eve.json" | head -n 1; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 3 "$lab_dir/nfqd.log")"
like "$(cat "$lab_dir/nfqd.log")" 'no program reads this socket: .*; records wait for it' "nfqd starts without a reader and says so"
ok "a listed name is refused" ask 0
reader_up
ok "a reader that comes later gets what was recorded" lab_wait 20 got 0
ok "and what follows" ask 1
ok "at once" lab_wait 5 got 1
lab_end reader TERM
ok "without a reader names are refused" ask 2
reader_up
ok "the next reader gets the record" lab_wait 20 got 2
is "$(nfqd_ctl status --json | jq '.log.outputs[] | select(.type == "unix").lost')" 0 "nothing is lost"
number=$(seq_of 1)
lines() { grep -c "\"seq\":$number," "$lab_dir/read"; }
before=$(lines)
is "$(nfqd_ctl log resend "1:$number-$number" --output 0)" "1 records sent" "a record is sent again"
again() { [ "$(lines)" -gt "$before" ]; }
ok "and arrives" lab_wait 5 again
ok "byte by byte the same" cmp <(grep "\"seq\":$number," "$lab_dir/read" | sort -u) <(grep "\"seq\":$number," "$lab_dir/eve.json")

is "$(nfqd_ctl tail --name s01.upd.kaspersky.com | jq .nfqd.seq)" "$number" "nfqctl tail prints a record as it is"
is "$(nfqd_ctl tail --client 10.9.9.9)$(nfqd_ctl tail --channel tls)$(nfqd_ctl tail --action log)$(nfqd_ctl tail --vendor Ivanti)" "" \
	"and none that was not asked for"
is "$(nfqd_ctl tail --client 10.1.0.2 --channel dns --action reject --vendor kaspersky --name .kaspersky.com | wc -l)" 3 "but all that were"
like "$(script -qc "$NFQCTL tail $lab_dir/eve.json" /dev/null)" $'\033\\[31mBLOCKED\033\\[0m  10\\.1\\.0\\.2 ' "on a terminal a coloured line"
lab_spawn tail "$LAB_ROUTER" "$NFQCTL" -s "$lab_dir/control.sock" tail -f --name s05.upd.kaspersky.com
mv "$lab_dir/eve.json" "$lab_dir/eve.json.1"
kill -HUP "${lab_pid[nfqd]}"
lab_wait 10 [ -e "$lab_dir/eve.json" ]
ok "a name is refused after rotation" ask 5
ok "and tail -f prints it" lab_wait 10 grep -q s05.upd "$lab_dir/tail.log"
lab_end tail TERM

nfqd_stop
is $? 0 "nfqd stops"
is "$("$NFQCTL" log verify "$lab_dir/eve.json" "$lab_dir/eve.json.1" | grep -c PROBLEM)" 0 "the file is proved"
lab_end reader TERM
done_testing
