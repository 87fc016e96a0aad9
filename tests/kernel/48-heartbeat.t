#!/bin/bash
# Proves: the heartbeat asks for the canary's name over every channel through the queue, from this host and as
# a routed client, and says what became of it in a record and in the exit status of `nfqctl status`: refused,
# or which channel is open. It leaves neither record of traffic nor interface, also when nfqd is killed.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig jq "$LAB_PYTHON"

beats() { jq -c 'select(.nfqd.kind == "heartbeat").nfqd' "$lab_dir/eve.json"; }
last() { beats | tail -n 1 | jq -c "$1"; }
next_beat() {	# after this moment one began and ended
	local n
	n=$(($(beats | wc -l) + 2))
	lab_wait 20 have_beats "$n"
}
have_beats() { [ "$(beats | wc -l)" -ge "$1" ]; }
last_is() { [ "$(last .state)" = "\"$1\"" ]; }
results() { last '.channels | map_values(map_values(.result))'; }
links() { in_router ip -br link | grep -c '^nfqd-hb'; }
no_links() { [ "$(links)" = 0 ]; }
start() {	# [LINE...]: of the configuration
	nfqd_conf enforce open | sed 's/^heartbeat: off/heartbeat: 1s/' >"$lab_dir/nfqd.yaml"
	printf '%s\n' "$@" >>"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml" && lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready
}
all() { jq -nc --arg r "$1" '{"dns-udp": $r, "dns-tcp": $r, "tls": $r, "http": $r, "quic": $r}'; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
start 'heartbeat-forward: true' || bail "nfqd does not start: $(cat "$lab_dir/nfqd.log")"
ok "a beat soon after the start" lab_wait 20 have_beats 1
is "$(results)" "{\"output\":$(all refused),\"forward\":$(all refused)}" "every channel is refused, from here and routed"
is "$(last '[.state, .every_s, .rule.pack, .rule.rule, .generation, (.channels.output.tls.ms | . >= 0 and . < 1500)]')" \
	'["refused",1,"canary","canary-blocked",1,true]' "by which rule of which generation, and how fast"
nfqd_ctl status >"$lab_dir/status"
is $? 0 "status: protected"
like "$(cat "$lab_dir/status")" 'heartbeat: refused at 20' "and says so"
is "$(nfqd_records)" 0 "no record of traffic comes of it"
ok "but they are counted" test "$(nfqd_ctl status --json | jq .counters.probes)" -ge 10
in_client dig +time=1 +tries=1 blocked.nfqd.invalid @1.1.1.1 >/dev/null
ok "a client's question for the same name has its record" lab_wait 3 nfqd_has_records 1
is "$(links)" 2 "two links"

# A neighbour that sends to the responder neither makes the heartbeat cry nor hides itself from the records.
(for _ in {1..40}; do
	in_client "$LAB_PYTHON" -c '
import socket
for kind, port in ((socket.SOCK_DGRAM, 53), (socket.SOCK_DGRAM, 443), (socket.SOCK_STREAM, 443), (socket.SOCK_STREAM, 80)):
    s = socket.socket(socket.AF_INET, kind)
    s.settimeout(0.2)
    try:
        s.connect(("198.18.53.2", port))
        s.send(b"\x16\x03\x01noise")
    except OSError:
        pass'
done) &
neighbour=$!
before=$(beats | wc -l)
lab_wait 20 have_beats $((before + 4))
is "$(beats | tail -n +$((before + 1)) | jq -r .state | sort -u)" refused "noise from a neighbour opens nothing"
kill "$neighbour" 2>/dev/null
wait "$neighbour" 2>/dev/null
in_client dig +time=1 +tries=1 s07.upd.kaspersky.com @198.18.53.2 >/dev/null
ok "its listed question has its record" lab_wait 5 nfqd_has_records 1 '.dest_ip == "198.18.53.2"'

# What opens a way is shown by the next beat.
in_router nft 'add table ip marker; add chain ip marker output { type route hook output priority -200; }
	add rule ip marker output ip daddr 198.18.53.2 meta mark set 0x77'
ok "a foreign mark lets this host's channels pass" lab_wait 20 last_is open
next_beat
is "$(results)" "{\"output\":$(all open),\"forward\":$(all refused)}" "shown by channel"
nfqd_ctl status >"$lab_dir/status"
is $? 1 "status: not protected"
like "$(cat "$lab_dir/status")" '^NOT PROTECTED since .*: the heartbeat found.*heartbeat: OPEN at .*output tls open' "and which channel is open"
like "$(cat "$lab_dir/nfqd.log")" 'heartbeat: OPEN' "said once"
is "$(grep -c 'heartbeat: OPEN' "$lab_dir/nfqd.log")" 1 "not with every beat"
in_router nft delete table ip marker
ok "gone with the mark" lab_wait 20 last_is refused
in_router nft 'add table ip judge; add chain ip judge output { type filter hook output priority 0; }
	add rule ip judge output ip daddr 198.18.53.2 udp dport 53 drop'
next_beat
is "$(last '[.state, .channels.output["dns-udp"].result, .channels.output.tls.result]')" '["refused","refused","refused"]' \
	"another program's rule behind ours keeps nothing from us"
in_router nft delete table ip judge
nfqd_ctl mode log >/dev/null
ok "mode log: nothing is inspected, which is no failure" lab_wait 20 last_is 'not inspected'
like "$(nfqd_ctl status)" 'output tls the mode is not enforce' "said"
nfqd_ctl mode enforce >/dev/null
ok "and back" lab_wait 20 last_is refused

# The firewall is flushed again and again, faster than it can be put back for good.
(end=$((SECONDS + 60)); while [ $SECONDS -lt $end ]; do in_router nft 'delete table inet nfqd' 2>/dev/null; done) &
flusher=$!
ok "a flushed firewall shows" lab_wait 60 last_is open
kill "$flusher" 2>/dev/null
wait "$flusher" 2>/dev/null
ok "and the way back" lab_wait 20 last_is refused
# A hung worker is replaced within seconds; until then a beat has no refusal, or a late one.
worker=$(nfqd_worker) before=$(beats | wc -l)
hang_shows() {
	beats | tail -n +$((before + 1)) |
		jq -se 'any(.[]; .state == "failed" or ([.channels[]?[]?.ms // 0] | max > 300))' >/dev/null
}
kill -STOP "$worker"
ok "a worker that hangs shows" lab_wait 30 hang_shows
ok "until there is another one" lab_wait 30 last_is refused

# Workers that die in a row: nothing is queued any more (fail: open), which status shows without any worker.
kill_worker() {
	local pid

	pid=$(nfqd_worker)
	[ "${pid:-0}" -le 0 ] || kill -KILL "$pid" 2>/dev/null
	grep -q 'NOTHING IS INSPECTED' "$lab_dir/nfqd.log"
}
status_is_open() {
	nfqd_ctl status --json >"$lab_dir/status"
	[ $? = 1 ] && jq -e '.heartbeat.state == "open" and any(.reasons[]; .reason == "fail-open")' "$lab_dir/status"
}
ok "workers die until nothing is inspected" lab_wait 30 kill_worker
ok "which shows, by the exit status, too" lab_wait 8 status_is_open
recovered() {
	jq -se 'any(.[]; .nfqd.kind == "fault-policy" and .nfqd.state == "ended")' "$lab_dir/eve.json" && last_is refused
}
ok "until a worker lives" lab_wait 60 recovered

# Killed, it leaves nothing: the namespaces go with the processes.
lab_end nfqd KILL
ok "after a kill the links go by themselves" lab_wait 10 no_links
start || bail "nfqd does not start again"
before=$(beats | wc -l)
ok "the next start has its own" lab_wait 20 have_beats $((before + 1))
is "$(results)" "{\"output\":$(all refused)}" "without heartbeat-forward this host alone"
nfqd_stop
is "$(links)" 0 "stopped: no link is left"

# As the unit runs it: without CAP_SYS_ADMIN the processes make their networks in user namespaces.
lab_spawn nfqd "$LAB_ROUTER" setpriv --bounding-set -sys_admin "$NFQD" -c "$lab_dir/nfqd.yaml" &&
	lab_wait 15 nfqd_says_ready || bail "nfqd does not start without CAP_SYS_ADMIN"
before=$(beats | wc -l)
ok "without CAP_SYS_ADMIN a beat comes" lab_wait 20 have_beats $((before + 1))
is "$(results)" "{\"output\":$(all refused)}" "and proves the same"
nfqd_stop
is "$(links)" 0 "stopped: no link is left"

# Where somebody else has these addresses nothing is taken over.
in_router ip route add 198.18.53.0/24 dev lan0
start || bail "nfqd does not start beside another network"
ok "another network has the addresses: no proof" lab_wait 20 last_is failed
like "$(last .reason)" 'Address already in use' "and why"
nfqd_ctl status --json >"$lab_dir/status"
is "$? $(jq -c '[.reasons[].reason]' "$lab_dir/status")" '1 ["heartbeat-failed"]' "status: not protected"
nfqd_stop

# The report says how well it was watched, with the numbers of these records.
nfqd_ctl report --json --from "$lab_dir/eve.json" >"$lab_dir/report.json"
nfqd_ctl report --html "$lab_dir/report.html" --from "$lab_dir/eve.json"
is $? 0 "a report"
is "$(jq -c '.coverage | [.heartbeats, .heartbeats_missed]' "$lab_dir/report.json")" \
	"$(beats | jq -sc '[length, (map(select(.state != "refused")) | length)]')" "its heartbeats, and those missed"
is "$(jq -c .coverage.fail_open_s "$lab_dir/report.json")" \
	"$(jq -c 'select(.nfqd.kind == "fault-policy" and .nfqd.state == "ended").nfqd.seconds' "$lab_dir/eve.json" | jq -s 'add * 1000 | round / 1000')" \
	"the seconds without inspection, though that run was killed"
is "$(jq -c '.packs[] | select(.pack == "kaspersky").version' "$lab_dir/report.json")" \
	"$(jq -c 'select(.nfqd.kind == "start").nfqd.packs[] | select(.pack == "kaspersky").version' "$lab_dir/eve.json" | tail -n 1)" "the pack's version"
is "$(jq -c .checkpoint.note "$lab_dir/report.json")" "$(jq -c 'select(.nfqd.kind == "checkpoint").nfqd.note' "$lab_dir/eve.json" | tail -n 1)" "the last checkpoint"
on_page() {	# KEY TEXT: that number stands beside that text
	local n

	n=$(jq -r "$1 | if . == floor then . else . * 1000 | round / 1000 end" "$lab_dir/report.json")
	grep -q "<td>$2</td><td class=n>$n[0-9.]*</td>" "$lab_dir/report.html" || diag "$2: $n"
}
ok "the page has the heartbeats" on_page .coverage.heartbeats heartbeats
ok "those missed" on_page .coverage.heartbeats_missed 'heartbeats that were not refused'
ok "the seconds without inspection" on_page .coverage.fail_open_s 'seconds in which nothing was inspected'
like "$(<"$lab_dir/report.html")" '<td>fault-policy</td>.*<td>kaspersky</td>.*The log was signed last at 20' "what happened, the pack and the checkpoint"
done_testing
