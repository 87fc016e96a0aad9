#!/bin/bash
# Proves: `nfqd -i` records what passes an interface, says what would have been done, blocks and steers
# nothing, has no privileges left, shows what the kernel dropped, and ends and reloads in order.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig curl jq openssl dnsmasq unbound nginx "$LAB_PYTHON"

watch() {	# ARGUMENTS OF nfqd...
	rm -f "$lab_dir/eve.json"
	nfqd_conf >"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml" "$@" || return
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready
}
resolve() { in_client dig +short +time=2 +tries=1 "$1.upd.kaspersky.com" "@${LAB_PUBLIC[4]%% *}"; }
fetch() { in_client curl -sk -o /dev/null -m 3 -w '%{http_code}' --resolve "$1:443:${LAB_WEB[4]}" "https://$1/"; }
fails() {	# TITLE REGEX ARGUMENTS...
	local said status=0

	said=$(timeout 10 ip netns exec "$LAB_ROUTER" "$NFQD" --rules rules "${@:3}" 2>&1) || status=$?
	like "exit $status: $said" "exit 1: .*$2" "$1"
}
counted() { [ "$(nfqd_ctl status --json | jq "$1")" -ge "$2" ]; }
generation() { nfqd_ctl status --json | jq .generation; }
generation_is() { [ "$(generation)" = "$1" ]; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
watch -i lan0 || bail "nfqd -i does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
is "$(resolve s01)" "${LAB_WEB[4]}" "a listed name is answered"
is "$(fetch activation-v2.kaspersky.com)" 200 "TLS to a listed name passes"
ok "both are recorded" lab_wait 3 nfqd_has_records 2
is "$(jq -sc 'map([.nfqd.seen_in, .in_iface, .nfqd.action, .nfqd.would, .alert.action]) | unique' <(nfqd_log))" \
	'[["dns.query","lan0","log","reject","allowed"],["tls.sni","lan0","log","reject","allowed"]]' \
	"with interface, and what would have been done"
is "$(nfqd_left)" "" "no table and no rule"
is "$(in_router cat /proc/net/netfilter/nfnetlink_queue)" "" "no queue"
is "$(awk '/^CapEff|^Seccomp:|^Uid/ { print $2 }' "/proc/$(nfqd_worker)/status" | sed "s/$(id -u nfqd 2>/dev/null || echo 60700)/nfqd/" | xargs)" \
	"nfqd 0000000000000000 $([[ $NFQD == *asan* ]] && echo 0 || echo 2)" "the worker has no root, no capability, and a filter of system calls"
ok "status counts packets" lab_wait 8 counted .capture.received 10
like "$(nfqd_ctl status)" "watching lan0: [0-9]+ packets, 0 dropped" "and says so to people"
mv "$lab_dir/eve.json" "$lab_dir/eve.json.1"
kill -HUP "${lab_pid[nfqd]}"
ok "SIGHUP: a new generation" lab_wait 5 generation_is 2
resolve s02 >/dev/null
ok "and a new file" lab_wait 3 nfqd_has_records 1 '.nfqd.name == "s02.upd.kaspersky.com" and .nfqd.action == "log"'
kill -KILL "$(nfqd_worker)"
ok "a killed worker is replaced" lab_wait 3 counted .worker_restarts 1
ok "and reads on" lab_wait 5 eval 'resolve s03 >/dev/null; nfqd_has_records 1 ".nfqd.name == \"s03.upd.kaspersky.com\""'
lab_end nfqd INT
is $? 0 "Ctrl-C: exit code 0"
like "$(tail -n 1 "$lab_dir/nfqd.log")" "capture: lan0: [0-9]+ packets, 0 dropped" "and a last line with the counts"

# ---- everywhere; a filter; a kernel that has to drop ----

watch -i any --filter 'udp port 53' || bail "nfqd -i any does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
resolve s04 >/dev/null
fetch activation-v2.kaspersky.com >/dev/null
ok "any: recorded with the interface" lab_wait 3 nfqd_has_records 1 '.nfqd.name == "s04.upd.kaspersky.com" and .in_iface == "lan0"'
is "$(nfqd_records '.proto == "TCP"')" 0 "a filter keeps the rest out"
lab_end nfqd
watch -i lan0 || bail "nfqd -i does not start"
kill -STOP "$(nfqd_worker)"
worker=$(nfqd_worker)
in_client curl -s -o /dev/null -m 20 "http://${LAB_WEB[4]}/big"
kill -CONT "$worker"
ok "what the kernel dropped is counted" lab_wait 5 counted .capture.dropped 1
like "$(cat "$lab_dir/nfqd.log")" "warning: capture: lan0: the kernel dropped packets" "and said"
lab_end nfqd
is $? 0 "SIGTERM: exit code 0"

fails "an interface that is not there" "interface nope0: " -i nope0
fails "a filter that is none" "filter 'udp prt 53': .*syntax" -i lan0 --filter 'udp prt 53'
lab_down
done_testing
