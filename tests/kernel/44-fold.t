#!/bin/bash
# Proves: log.fold writes a repeated decision once in a window and says in one record how often it came again;
# another name, client's server or outcome is no repeat, and a worker's death loses none of the count.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig jq

ask() { in_client dig +time=1 +tries=1 +noedns "$1" "@${2:-1.1.1.1}" | grep -q 'status: NXDOMAIN'; }
ask_times() { for ((i = 0; i < $1; i++)); do ask "$2" || return; done; }
repeats() { jq -c 'select(.nfqd.kind == "repeat").nfqd' "$lab_dir/eve.json"; }
have_repeats() { [ "$(repeats | wc -l)" -ge "$1" ]; }
another_worker() { [ "$(nfqd_worker)" -gt 0 ] && [ "$(nfqd_worker)" != "$worker" ]; }
file_conf=$(declare -f nfqd_conf)
eval "file_${file_conf}"
nfqd_conf() { file_nfqd_conf "$@" | sed "s,^  events:,  fold: ${FOLD:-1h}\n  events:,"; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 3 "$lab_dir/nfqd.log")"
ok "a listed name, five times" ask_times 5 s07.upd.kaspersky.com
ok "another server" ask s07.upd.kaspersky.com 8.8.8.8
ok "another name" ask s08.upd.kaspersky.com
ok "three records" lab_wait 5 nfqd_has_records 3
worker=$(nfqd_worker)
kill -KILL "$worker"
ok "the worker is killed" lab_wait 10 another_worker
ok "and the name is asked for again, twice" ask_times 2 s07.upd.kaspersky.com
nfqd_stop
is "$(nfqd_log | jq -r '[.nfqd.name, .dest_ip] | join(" ")' | sort | uniq -c | xargs)" \
	"1 s07.upd.kaspersky.com 1.1.1.1 1 s07.upd.kaspersky.com 8.8.8.8 1 s08.upd.kaspersky.com 1.1.1.1" "one record of each"
is "$(repeats | jq -c '[.count, .first < .last]')" "[6,true]" "the end tells six repeats of one"
is "$(repeats | jq .of)" "$(nfqd_log | jq 'select(.dest_ip == "1.1.1.1" and .nfqd.name == "s07.upd.kaspersky.com").nfqd.seq')" \
	"by the number of the written record"
is "$(jq -s '[.[].nfqd | select(.boot == 1).seq] | . == [range(1; length + 1)]' "$lab_dir/eve.json")" true "no number is missing"
ok "and the log verifies" "$NFQCTL" log verify "$lab_dir/eve.json"

FOLD=2s
nfqd_start || bail "nfqd does not start again"
ok "two in a short window" ask_times 2 s07.upd.kaspersky.com
ok "are told when it ends" lab_wait 10 have_repeats 2
ok "after which the name is recorded again" ask s07.upd.kaspersky.com
ok "as a record" lab_wait 5 nfqd_has_records 5
nfqd_stop
done_testing
