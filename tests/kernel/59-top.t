#!/bin/bash
# Proves: `nfqctl top` shows on a terminal of 80 x 24 which client asks for which name, and what becomes of it; it says
# why, allows for an hour with a reason, filters, pauses and sorts; --once prints the table; `nfqctl tail` follows the
# same file.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft iptables dig dnsmasq unbound nginx curl jq openssl tmux "$LAB_PYTHON"

LISTED=s07.upd.kaspersky.com OTHER=activation-v2.kaspersky.com
asks() { in_client dig +time=1 +tries=1 "$1" @8.8.8.8; }
mux() { tmux -S "$lab_dir/tmux" "$@"; }
pane() { mux capture-pane -p; }
keys() { mux send-keys "$@"; }
screen() { pane | grep -qE -- "$1"; }
screen_not() { ! screen "$1"; }
shows() { ok "$2" lab_wait 30 screen "$1" || pane | sed 's/^/# /'; }
hides() { ok "$2" lab_wait 30 screen_not "$1" || pane | sed 's/^/# /'; }
first_row() { pane | sed -n 4p; }
first_is() { first_row | grep -q "$1"; }
trap 'mux kill-server 2>/dev/null; lab_exit' EXIT

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
for _ in 1 2 3; do asks $LISTED; done >/dev/null
asks $OTHER >/dev/null
ok "the records are there" lab_wait 10 nfqd_has_records 4

# ---- without a terminal ----

nfqd_ctl top --once >"$lab_dir/once"
is $? 0 "--once: exit status 0"
like "$(cat "$lab_dir/once")" "^CLIENT +NAME +VERDICT +/s +/min" "--once: a heading"
is "$(awk 'NR == 2 { print $2, $3, $5 }' "$lab_dir/once")" "$LISTED refused 3" "--once: the name that is asked most"
is "$(nfqd_ctl top --once "$lab_dir/eve.json" | awk 'NR == 3 { print $1, $2, $3 }')" "10.1.0.2 $OTHER refused" "--once: of a file"
like "$(nfqd_ctl top --once "$lab_dir/none" 2>&1; echo "exit $?")" 'none: No such file.*exit 1' "--once: no file"

# ---- on a terminal ----

(while sleep 0.3; do asks $LISTED; asks $LISTED; asks $OTHER; done) >/dev/null 2>&1 &
asking=$!
mux -f /dev/null new-session -d -x 80 -y 24 "TERM=screen ip netns exec $LAB_ROUTER $(realpath "$NFQCTL") -s $lab_dir/control.sock top"
shows '^protected since 20' "the first line: protected"
shows "10\.1\.0\.2 +$LISTED +refused +[0-9.]+ +[0-9]+" "a client, a name, a verdict"
shows "$OTHER" "the other name"
shows 'q quit' "the keys"
is "$(pane | awk 'length > 80' | wc -l) $(pane | wc -l)" "0 24" "80 columns, 24 lines"
ok "by rate: the name that is asked more comes first" lab_wait 30 first_is $LISTED
keys s
shows 'by last' "sorted by the last"
keys s s
shows 'by name' "sorted by name"
ok "by name: the other one comes first" lab_wait 10 first_is $OTHER
keys s
keys p
shows PAUSED "a pause"
before=$(pane)
lab_wait 5 nfqd_has_records $(($(nfqd_records) + 4))
is "$(pane | tail -n +3)" "$(tail -n +3 <<<"$before")" "a pause: nothing moves"
keys p
hides PAUSED "and goes on"
keys /
shows 'only: _' "a filter is asked for"
keys -l activ
keys Enter
hides "$LISTED" "the filter: others are gone"
shows "$OTHER" "the filter: these are shown"
keys w
shows "^$OTHER for 10\.1\.0\.2" "why: of the row"
shows '^action +reject' "why: the action"
shows '^because .*banned-vendors' "why: the policy"
keys x
shows 'only: activ' "and back"
keys a
shows 'because: _' "to allow takes a reason"
keys Enter
shows 'nothing was allowed' "without one nothing is"
is "$(nfqd_ctl exceptions --json | jq '.exceptions | length')" 0 "no exception"
keys a
shows 'because: _' "again"
keys -l 'case 4711'
keys Enter
shows "$OTHER is allowed until 20" "allowed"
is "$(nfqd_ctl exceptions --json | jq -c '.exceptions[] | [.names, .clients, .reason]')" \
	"[[\"$OTHER\"],[\"10.1.0.2\"],\"case 4711\"]" "for that client, with the reason"
shows "$OTHER +(logged|allowed)" "and the next question passes"
mux resize-window -x 50 -y 10
shows 'refused .*/s' "a small window"
is "$(pane | awk 'length > 50' | wc -l)" 0 "a small window: no line is longer"
mux resize-window -x 80 -y 24
nfqd_ctl mode log >/dev/null
shows '^NOT PROTECTED: the mode is log' "not protected: said"
keys q
ok "q ends it" lab_wait 10 eval '! mux has-session 2>/dev/null'
kill "$asking"
wait "$asking" 2>/dev/null

# ---- the same file for tail ----

lab_spawn tail "$LAB_ROUTER" "$NFQCTL" -s "$lab_dir/control.sock" tail -f
mv "$lab_dir/eve.json" "$lab_dir/eve.json.1"
kill -HUP "${lab_pid[nfqd]}"
ok "rotated" lab_wait 10 test -e "$lab_dir/eve.json"
asks n1.upd.kaspersky.com >/dev/null
ok "tail follows into the new file" lab_wait 10 grep -q n1.upd.kaspersky.com "$lab_dir/tail.log"
lab_end tail
nfqd_stop
is $? 0 "nfqd stops"
rm -f "$lab_dir/eve.json"
done_testing
