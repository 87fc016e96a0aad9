#!/bin/bash
# Proves: nfqctl evidence makes of one record a folder that a stranger can read and check: the line, the packet
# as a capture that names the same name, the rule with its sources, what nfqd counted around it, the proof.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig jq tcpdump openssl

covered() { jq -e 'select(.nfqd.kind == "checkpoint" and .nfqd.size > 1)' "$lab_dir/eve.json" >/dev/null; }
evidence() { "$NFQCTL" evidence "$place" --kept "$lab_dir/rules" "$@" 2>&1; }
page() { cat "$lab_dir/out/README.txt"; }

file_conf=$(declare -f nfqd_conf)
eval "file_${file_conf}"
nfqd_conf() { file_nfqd_conf "$@" | sed 's,^  events:,  checkpoint: 1s\n  events:,'; }
lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 3 "$lab_dir/nfqd.log")"
in_client dig +time=1 +tries=1 s07.upd.kaspersky.com @1.1.1.1 >/dev/null
lab_wait 5 nfqd_has_records 1
ok "a checkpoint covers the record" lab_wait 10 covered
nfqd_stop
line=$(nfqd_log | head -n 1)
place=$(jq -r '.nfqd | "\(.sensor)/\(.boot)/\(.seq)"' <<<"$line")

is "$(evidence --out "$lab_dir/out" "$lab_dir/eve.json")" "$lab_dir/out/README.txt" "one folder, and which page to read"
is "$(ls "$lab_dir/out" | xargs)" "README.txt packet.pcap proof.txt record.json rule.json start.json stats.json" "all of it"
is "$(jq -cS . "$lab_dir/out/record.json")" "$(jq -cS . <<<"$line")" "the record"
ok "byte for byte" grep -qxFf "$lab_dir/out/record.json" "$lab_dir/eve.json"
like "$(tcpdump -nn -r "$lab_dir/out/packet.pcap" 2>/dev/null)" '1\.1\.1\.1\.53: .* s07\.upd\.kaspersky\.com' \
	"tcpdump reads the packet"
is "$("$NFQD" -r "$lab_dir/out/packet.pcap" --rules rules/kaspersky.yaml | jq -r .nfqd.rule)" "$(jq -r .nfqd.rule <<<"$line")" \
	"and so does nfqd: by the same rule"
is "$(jq -r '[.rule, (.sources | length > 0), .stage.basis] | join(" ")' "$lab_dir/out/rule.json")" \
	"$(jq -r .nfqd.rule <<<"$line") true $(jq -r .nfqd.stage.basis <<<"$line")" "the rule as it was in force, with its sources"
is "$(jq -r .nfqd.kind "$lab_dir/out/start.json" "$lab_dir/out/stats.json" | xargs)" "start stats" "what began, what was counted after"
like "$(head -n 1 "$lab_dir/out/proof.txt")" '^c2sp.org/tlog-proof@v1$' "the proof"
like "$(page)" "WHAT HAPPENED.*asked for s07\.upd\.kaspersky\.com.*refused, and the machine was told" "the page says what happened"
like "$(page)" "digest $(sha256sum <rules/kaspersky.yaml | cut -d' ' -f1)" "by which list"
like "$(page)" "the same decision comes out" "that it can be judged again"
like "$(page)" "It does not prove what the sensor saw" "and what is not proved"

is "$(evidence --out "$lab_dir/out" "$lab_dir/eve.json")" "nfqctl evidence: $lab_dir/out: File exists" "nothing is written over"
sed 's/"s07\.upd/"s08.upd/g' "$lab_dir/eve.json" >"$lab_dir/forged.json"
evidence --out "$lab_dir/forged" "$lab_dir/forged.json" >/dev/null
like "$(cat "$lab_dir/forged/README.txt")" "ANOTHER DECISION COMES OUT|the bytes do not name it" "a changed line: its packet says otherwise"
like "$(cat "$lab_dir/forged/README.txt")" "cannot be proved" "and nothing proves it"
jq -c "select(.nfqd.seq == ${place##*/}) | .timestamp = \"2026-11-23T16:20\"" "$lab_dir/eve.json" >"$lab_dir/short.json"
evidence --out "$lab_dir/short" "$lab_dir/short.json" >/dev/null
like "$(tcpdump -nn -tt -r "$lab_dir/short/packet.pcap" 2>/dev/null)" '^0\.000000 .* s07\.upd' "without a whole time, the packet has none"
ok "no proof is there" test ! -e "$lab_dir/forged/proof.txt"
place=${place%/*}/999999
like "$(evidence "$lab_dir/eve.json")" "record .*/999999 is not in these files" "a record that is not there"
done_testing
