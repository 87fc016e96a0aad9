#!/bin/bash
# Proves: promtool finds nothing in what `nfqctl metrics` prints; a node exporter hands it on from its text folder; a
# Prometheus loads the alert rules, answers every expression of the dashboard, and fires by every rule: on a dead worker,
# fail-open, missed and open heartbeats, a failed reload, lost records and packets, a pack that expires soon, old metrics,
# and no daemon.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft iptables unshare dig dnsmasq unbound nginx curl jq openssl prometheus promtool prometheus-node-exporter "$LAB_PYTHON"

api() { in_router curl -s -m 10 "http://127.0.0.1:9090/api/v1/$1" "${@:2}"; }
firing() { [ "$(api alerts | jq --arg a "$1" '[.data.alerts[] | select(.labels.alertname == $a and .state == "firing")] | length > 0')" = true ]; }
quiet() { [ "$(api alerts | jq -c '[.data.alerts[].labels.alertname]')" = '[]' ]; }
has_result() { api query --data-urlencode "query=$1" | jq -e '.status == "success" and (.data.result | length > 0)'; }
series() { grep -v '^#' "$lab_dir/text/nfqd.prom" | cut -d' ' -f1; }
metric() { awk -v name="$1" '$1 == name { print $2 }' "$lab_dir/text/nfqd.prom"; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
kill_worker() { local w; w=$(nfqd_worker); [ "${w:-0}" -gt 0 ] && kill -KILL "$w"; }
killed_until_open() { kill_worker 2>/dev/null; metric_is nfqd_fail_open 1; }
dies_and_fires() { kill_worker 2>/dev/null; firing NfqdFailOpen; }
overruns_and_fires() {	# a slow machine may need more than one flood
	local w

	w=$(nfqd_worker)
	[ "${w:-0}" -gt 0 ] && kill -STOP "$w" 2>/dev/null
	in_client "$LAB_PYTHON" -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20000):
    s.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\3s07\3upd\11kaspersky\3com\0\0\1\0\1", ("8.8.8.8", 53))'
	[ "${w:-0}" -gt 0 ] && kill -CONT "$w" 2>/dev/null
	lab_wait 5 firing NfqdPacketsLost
}
write_often() {
	lab_spawn metrics "$LAB_ROUTER" sh -c 'while :; do "$0" -s "$1" metrics --textfile "$2"; sleep 0.3; done' \
		"$NFQCTL" "$lab_dir/control.sock" "$lab_dir/text/nfqd.prom"
}

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
mkdir "$lab_dir/text" "$lab_dir/log"
sed "s/^expires: .*/expires: $(date -u -d '+10 days' +%F)/" rules/kaspersky.yaml >"$lab_dir/soon.yaml"
nfqd_conf | sed "s/^heartbeat: off/heartbeat: 3s/; s,path: .*eve,path: $lab_dir/log/eve," >"$lab_dir/nfqd.yaml"
# its log is on a disk that is soon full, which only it sees
lab_spawn nfqd "$LAB_ROUTER" unshare -m sh -c 'mount -t tmpfs -o size=100k none "$0" && exec "$@"' "$lab_dir/log" \
	"$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
write_often
ok "the file is written" lab_wait 10 test -s "$lab_dir/text/nfqd.prom"
ok "with a heartbeat" lab_wait 20 metric_is 'nfqd_heartbeat_refused{way="output",channel="tls"}' 1

# ---- the text ----

nfqd_ctl metrics >"$lab_dir/metrics"
is $? 0 "nfqctl metrics: exit status 0"
is "$(in_router promtool check metrics <"$lab_dir/metrics" 2>&1; echo "exit $?")" "exit 0" "promtool finds nothing"
in_client dig +time=1 +tries=1 s07.upd.kaspersky.com @8.8.8.8 >/dev/null
ok "what happens is counted" lab_wait 10 metric_is 'nfqd_events_total{event="records"}' 1
is "$(series | grep -cE '10\.1\.0\.2|upd\.kaspersky')" 0 "no client, no name"
ok "few series" test "$(series | wc -l)" -lt 200
is "$(series | sort | uniq -d)" "" "each once"
is "$(find "$lab_dir/text" -name '*.prom*' | wc -l)" 1 "no half file beside it"

# ---- node exporter and Prometheus ----

cat >"$lab_dir/prometheus.yaml" <<-END
	global: {scrape_interval: 1s, evaluation_interval: 1s}
	rule_files: [$lab_dir/alerts.yaml]
	scrape_configs: [{job_name: nfqd, static_configs: [{targets: ['127.0.0.1:9100']}]}]
END
sed '/^ *for: /d' tools/monitoring/nfqd-alerts.yaml >"$lab_dir/alerts.yaml"	# no patience
is "$(promtool check rules tools/monitoring/nfqd-alerts.yaml 2>&1 | grep -c SUCCESS)" 1 "the rules are right"
lab_spawn exporter "$LAB_ROUTER" prometheus-node-exporter --collector.disable-defaults --collector.textfile \
	--collector.textfile.directory="$lab_dir/text" --web.listen-address=127.0.0.1:9100
lab_spawn prometheus "$LAB_ROUTER" prometheus --config.file="$lab_dir/prometheus.yaml" --storage.tsdb.path="$lab_dir/tsdb" \
	--web.listen-address=127.0.0.1:9090 --log.level=warn
ok "Prometheus has scraped it" lab_wait 60 has_result nfqd_up
ok "no alert is pending" lab_wait 60 quiet
while read -r expr; do
	ok "the dashboard: $expr" lab_wait 20 has_result "$(sed 's/\$instance/.*/g' <<<"$expr")"
done < <(jq -r '.panels[].targets[].expr' tools/monitoring/nfqd-dashboard.json)

# ---- faults ----

sed -i 's/^mode: .*/mode: enfroce/' "$lab_dir/nfqd.yaml"
nfqd_ctl reload 2>/dev/null
ok "a failed reload: an alert" lab_wait 60 firing NfqdReloadFailed
sed -i "s/^mode: .*/mode: enforce/; s,^rules:.*,rules: [$lab_dir/soon.yaml]," "$lab_dir/nfqd.yaml"
ok "a pack that expires in ten days" nfqd_ctl reload
ok "a pack that expires in ten days: an alert" lab_wait 60 firing NfqdPackExpires
in_router nft 'add table ip marker; add chain ip marker output { type route hook output priority -200; }
	add rule ip marker output ip daddr 198.18.53.2 meta mark set 0x77'
ok "a way past nfqd: an alert of an open heartbeat" lab_wait 60 firing NfqdHeartbeatOpen
ok "and of what is not refused" lab_wait 60 firing NfqdNotProtected
in_router nft delete table ip marker
ok "a queue that nobody reads: an alert of lost packets" lab_wait 60 overruns_and_fires
kill_worker
ok "a dead worker: an alert" lab_wait 60 firing NfqdWorkerDead
in_client "$LAB_PYTHON" -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(400):
    name = b"\6n%05d\3upd\11kaspersky\3com\0" % i
    s.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1", ("8.8.8.8", 53))
    time.sleep(0.001)'
ok "a full disk: an alert of lost records" lab_wait 60 firing NfqdRecordsLost
ok "workers that die at their start: nothing is inspected" lab_wait 60 killed_until_open
ok "workers that die at their start: an alert of fail-open" lab_wait 60 dies_and_fires
lab_end metrics
ok "the file grows old: an alert of missed heartbeats" lab_wait 60 firing NfqdHeartbeatMissed
touch -d '10 minutes ago' "$lab_dir/text/nfqd.prom"
ok "and very old: an alert of its own" lab_wait 60 firing NfqdMetricsStale
nfqd_stop
write_often
ok "no daemon: an alert" lab_wait 60 firing NfqdDown
lab_end metrics
is "$(sed -n 's/.*alert: //p' tools/monitoring/nfqd-alerts.yaml | grep -vxf <(grep -oE 'firing Nfqd[A-Za-z]+' "${BASH_SOURCE[0]}" | cut -d' ' -f2))" \
	"" "no rule is without a fault here"
is "$(nfqd_ctl metrics 2>/dev/null | tail -n 1; echo "${PIPESTATUS[0]}")" "nfqd_up 0
3" "and for who asks"
done_testing
