#!/bin/bash
# Stands for a log disk that fills up and is freed by removing another file: what was lost is counted and said, a
# reader finds whole records again, and the gap in their numbers is what was lost (u18).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl mount umount "$LAB_PYTHON"

disk_down() { umount -l "$lab_dir/log" 2>/dev/null; lab_exit; }
trap disk_down EXIT

eval "lab_$(declare -f nfqd_conf)"
nfqd_conf() { lab_nfqd_conf "$@" | sed "s,/eve.json,/log/eve.json,"; }

# How many lines are not whole records, and the sum of the gaps in the numbers.
read_log() {
	"$LAB_PYTHON" - "$lab_dir/log/eve.json" <<-'END'
		import json, sys
		torn, missing, last = 0, 0, 0
		for line in open(sys.argv[1], "rb"):
		    try:
		        seq = json.loads(line)["nfqd"]["seq"]
		    except ValueError:
		        torn += 1
		        continue
		    missing, last = missing + seq - last - 1, seq
		print(f"torn {torn}, missing {missing}")
	END
}
written() { status_says ".log.outputs[0] | .written + .lost >= $1"; }
# The record that the disk had no room for is neither: it, or the rest of it, waits.
counted() { written $(($1 - 1)); }
lost() { status .log.lost; }

field_up plain
mkdir "$lab_dir/log" && mount -t tmpfs -o size=128k none "$lab_dir/log" || bail "no small disk"
head -c 60000 /dev/zero >"$lab_dir/log/old"
field_nfqd enforce open all
is "$(ask 300 n%d.example.org)" "0=300" "the disk fills up: every question is answered"
ok "all records but one are written or counted as lost" lab_wait 5 counted 301
before=$(lost)
like "$before" '^[1-9]' "some were lost"
like "$(cat "$lab_dir/nfqd.log")" 'No space left on device: [0-9]+ records lost' "nfqd says so"
rm "$lab_dir/log/old"
is "$(ask 30 m%d.example.org)" "0=30" "the disk is freed"
ok "records are written again" lab_wait 5 written 331
is "$(lost)" "$before" "no more are lost"
is "$(read_log)" "torn 0, missing $before" "a reader finds whole records, and their numbers miss those that were lost"
is "$(grep -c '"m[0-9]*\.example\.org"' "$lab_dir/log/eve.json")" 30 "each of the later questions is there"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
