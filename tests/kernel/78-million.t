#!/bin/bash
# Proves: a list of a million names is imported, loaded and reloaded under traffic without a lost or
# wrong answer; names of the list are in force, and a name that a reload adds is, too.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

hosts() { seq -f '0.0.0.0 ads%.0f.tracker.example' 1 1000000; }

conf() {
	nfqd_conf
	cat <<-END
		  client-names: false
	END
}

count() { jq "$1" "$lab_dir/traffic.json"; }
counted() { [ "$(count "$1")" -ge "$2" ]; }
answer() { in_client dig +time=2 +tries=1 "$1" @8.8.8.8 | grep -oE 'status: [A-Z]+' | cut -d' ' -f2; }

lab_up plain || bail "lab: $(tail -n 3 "$lab_dir/up.log")"
hosts >"$lab_dir/hosts"
ok "a million names are imported" "$NFQCTL" rules import hosts "$lab_dir/hosts" --out "$lab_dir/big.yaml" --pack big
conf | sed "s|^rules: .*|rules: [$LAB_REPO/rules/kaspersky.yaml, $lab_dir/big.yaml]|
	s|^policies:|policies:\n  - {name: big, match: {packs: [big]}, action: reject}|" >"$lab_dir/nfqd.yaml"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 30 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
is "$(answer ads1.tracker.example) $(answer ads1000000.tracker.example) $(answer ads1000001.tracker.example)" \
	"NXDOMAIN NXDOMAIN NOERROR" "the first and the last of them are refused, one behind is not"

lab_spawn traffic "$LAB_CLIENT" "$LAB_PYTHON" tests/lib/traffic.py "$lab_dir/traffic.json" 8.8.8.8 "${LAB_WEB[4]}"
lab_wait 5 counted .tls.ok 10
echo ads1000001.tracker.example >>"$lab_dir/$(awk '$1 == "names-file:" { print $2 }' "$lab_dir/big.yaml" | tr -d '"')"
for i in 1 2 3; do
	start=$(lab_now_ms)
	ok "reload $i under traffic" nfqd_ctl reload
	diag "$(($(lab_now_ms) - start)) ms"
	lab_wait 10 counted .listed.sent $(($(count .listed.sent) + 20))
done
lab_end traffic TERM
is "$(count '[.open.failed, .listed.failed, .tls.failed, .open.again, .listed.again, .listed.answered] | add')" 0 \
	"no question was lost, asked twice or wrongly let through"
diag "$(jq -c . "$lab_dir/traffic.json")"
is "$(answer ads1000001.tracker.example)" NXDOMAIN "a name that was added meanwhile is refused"
is "$(nfqd_lost)" 0 "the kernel dropped no queued packet"
worker=$(nfqd_worker)
diag "worker: $(awk '/VmRSS/ { print $2, $3 }' "/proc/$worker/status")"
[[ $NFQD == *asan* ]] || ok "the worker stays below 64 MB" [ "$(awk '/VmRSS/ { print $2 }' "/proc/$worker/status")" -lt 65536 ]
nfqd_stop
done_testing
