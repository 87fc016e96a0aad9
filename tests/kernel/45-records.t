#!/bin/bash
# Proves: (sensor, boot, seq) names a record. The sensor stays over restarts and a killed worker, a start
# raises the boot and numbers from 1, a new worker goes on where the dead one ended.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq jq

ask() { in_client dig +time=1 +tries=1 "s0$1.upd.kaspersky.com" "@1.1.1.1" | grep -q 'status: NXDOMAIN'; }
alerts() { jq -rs "map(select(.event_type == \"alert\")) | $1" "$lab_dir/eve.json"; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
another_worker() { [ "$(nfqd_worker)" -gt 0 ] && [ "$(nfqd_worker)" != "$worker" ]; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start"
ok "a listed name is refused" ask 0
lab_wait 3 nfqd_has_records 1 '.event_type == "alert"'
worker=$(nfqd_worker)
kill -KILL "$worker"
lab_wait 10 another_worker
ok "and by the next worker" lab_wait 5 ask 1
nfqd_ctl mode enforce >/dev/null
nfqd_ctl allow a.kaspersky.com --for 1h --reason 'case 4711' >/dev/null
nfqd_ctl exceptions --revoke allow-1 >/dev/null
nfqd_ctl reload >/dev/null
echo 'moed: log' >>"$lab_dir/nfqd.yaml"
nfqd_ctl reload >/dev/null 2>&1
nfqd_stop
nfqd_start || bail "nfqd does not start again"
ok "and after a restart" ask 2
lab_wait 3 nfqd_has_records 3 '.event_type == "alert"'
worker=$(nfqd_worker)
lab_end nfqd KILL
lab_wait 5 is_gone "$worker"
for n in 1 2 3; do in_client dig +time=1 +tries=1 "s0$n.upd.kaspersky.com" @1.1.1.1 >/dev/null; done
nfqd_start || bail "nfqd does not start after it was killed"
ok "and after it was killed" ask 3
nfqd_stop
own() { jq -cs "map(select(.event_type == \"nfqd\").nfqd) | $1" "$lab_dir/eve.json"; }
is "$(own 'map([.boot, .kind])')" '[[1,"start"],[1,"mode"],[1,"exception"],[1,"exception"],[1,"reload"],[1,"reload"],[1,"stats"],[1,"stop"],[1,"checkpoint"],[2,"start"],[3,"start"],[3,"stats"],[3,"stop"],[3,"checkpoint"]]' \
	"the daemon's own events are records"
is "$(own 'map(select(.kind == "start") | [.mode, .fail, .version != null, (.configuration | length), (.packs | map(.pack, (.sha256 | length)))]) | unique')" \
	'[["enforce","open",true,64,["kaspersky",64,"canary",64]]]' "a start says what is in force"
is "$(own '.[0].packs[0].sha256')" "\"$(sha256sum <rules/kaspersky.yaml | cut -d' ' -f1)\"" "a pack's digest is its file's"
is "$(own 'map(select(.kind == "start").last)')" "[null,$(own 'map(select(.boot == 1)) | last | {boot, seq, stopped: true, checkpoints: [.note]}'),{\"boot\":2,\"seq\":$(jq -s 'map(select(.nfqd.boot == 2).nfqd.seq) | max' "$lab_dir/eve.json"),\"stopped\":false,\"checkpoints\":[]}]" \
	"and where the last boot ended, also one that was killed"
is "$(own 'map(select(.kind == "exception") | [.change, .made.name, .made.reason])')" '[["made","a.kaspersky.com","case 4711"],["revoked",null,null]]' "exceptions, made and revoked"
is "$(own 'map(select(.kind == "reload").failed | . != null)')" '[false,true]' "a reload, and one that failed"
is "$(alerts 'map(.nfqd.sensor) | unique | length')" 1 "one sensor"
is "$(alerts '.[0].nfqd.sensor | test("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")')" true "with a random UUID"
is "$(alerts 'map(.nfqd.boot) | unique | map(tostring) | join(" ")')" "1 2 3" "three boots"
is "$(jq -rs 'group_by(.nfqd.boot) | map(map(.nfqd.seq) == [range(1; length + 1)]) | unique | join(" ")' "$lab_dir/eve.json")" true \
	"every boot numbers its records from 1 without a gap, over the death of a worker"
is "$(alerts 'map([.host, .nfqd.source]) | unique | map(join(" ")) | join(",")')" "$(in_router hostname) queue" "host and source"
is "$(own 'map(select(.kind == "start").uninspected_while_down) | map(. // 0 | . >= 3 and . < 30)')" '[false,false,true]' \
	"the start after a kill says how many packets passed meanwhile"
is "$(own 'map(select(.kind == "stats")) | last | [(.uninspected | map_values(type) | to_entries | map(.key, .value) | unique), .fail_open_s, (.clock | keys)]')" \
	'[["bypassed","ech","faults","no_conntrack","no_name","number","offloaded","unknown_protocol"],0,["estimated_error_us","maximum_error_us","synchronised"]]' \
	"stats say what could not be judged, by reason, and whether the clock can be believed"
watching=$(sed -n '/^\.Sh QUESTIONS/,/^\.Sh KERNEL/s/^jq .*"stats".*/&/p' nfqd/man/nfqd.8)
is "$(cd "$lab_dir" && eval "$watching" | cut -f2,3 | tr '\t\n' ' ,')" \
	"1 start,1 mode,1 stats,1 stop,2 start,3 start,3 stats,3 stop," "was nfqd watching: the manual's line"
done_testing
