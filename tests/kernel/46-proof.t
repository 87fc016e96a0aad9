#!/bin/bash
# Proves: what was recorded can be checked by a stranger, over rotation, killed workers and daemons, power cuts, a
# full disk and copytruncate; and one changed word, one line that is missing or elsewhere, one cut end shows.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq jq openssl gzip go mount umount logrotate

disk_down() { [ -z "$lab_dir" ] || umount -l "$lab_dir/log" 2>/dev/null; lab_exit; }
trap disk_down EXIT
file_conf=$(declare -f nfqd_conf)
eval "file_${file_conf}"
nfqd_conf() { file_nfqd_conf "$@" | sed "s,/eve.json,/log/eve.json,; s,^  events:,  checkpoint: 1s\n  events:,"; }
lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
log=$lab_dir/log/eve.json work=$lab_dir/work
mkdir "$lab_dir/log" "$work" || exit 99

for i in 0 1; do for k in 0 1 2 3 4 5 6 7 8 9; do echo "s$i$k.upd.kaspersky.com"; done; done >"$lab_dir/names"
ask() { in_client dig +time=1 +tries=1 -f "$lab_dir/names" "@1.1.1.1" | grep -c 'status: NXDOMAIN'; }
own() { jq -c "select(.nfqd.kind == \"$1\").nfqd" "$log"; }
checkpoints() { [ -n "$(own checkpoint | jq "select(.size >= $1)")" ]; }	# one covers so many records
seq_now() { nfqd_ctl status --json | jq .log.seq; }
covered() { lab_wait 10 checkpoints "$(seq_now)"; }
another_worker() { [ "$(nfqd_worker)" -gt 0 ] && [ "$(nfqd_worker)" != "$worker" ]; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
verify() { "$NFQCTL" log verify --key "$key" "$@" 2>&1; }
kill_worker() { worker=$(nfqd_worker); kill -KILL "$worker"; lab_wait 15 another_worker; }

nfqd_start || bail "nfqd does not start: $(tail -n 3 "$lab_dir/nfqd.log")"
key=$(nfqd_ctl log key)
like "$key" '^nfqd/[0-9a-f-]{36}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}$' "nfqctl log key prints a verifier key"
is "$(stat -c %a "$lab_dir/log-key.json")" 600 "the key is root's alone"
is "$(ask)" 20 "listed names are refused"
ok "a checkpoint covers them" covered
is "$(ask)" 20 "again"
ok "and another one goes on from there" covered

# a second implementation
cp "$log" "$work/log"
GO111MODULE=off GOPATH=/usr/share/gocode:$PWD/build/unpacked/usr/share/gocode GOCACHE=$PWD/build/go go build -o "$work/check" tests/tlog/check.go ||
	bail "the second reader does not build"
"$NFQCTL" log prove 1:7 "$work/log" >"$work/proof"
is $? 0 "a record is proved"
like "$("$work/check" "$key" "$work/log" "$work/proof" | tail -n 1)" '^1 boots, [0-9]+ checkpoints$' \
	"Go's sumdb agrees on every checkpoint, their order and the proof"
ok "so does openssl" tools/verify/verify-proof "$key" "$work/proof" <<<"$(sed -n 7p "$work/log")"
like "$(sed -n 8p "$work/log" | tools/verify/verify-proof "$key" "$work/proof")" '^NOT PROVED' "not about another record"
like "$(sed -n 7p "$work/log" | sed 's/"UDP"/"TCP"/' | tools/verify/verify-proof "$key" "$work/proof")" '^NOT PROVED' \
	"nor about a changed one"
other=$("$NFQCTL" rules publish --new-key "${key%%+*}" --key "$work/other" | grep -o 'nfqd/.*')
like "$(sed -n 7p "$work/log" | tools/verify/verify-proof "$other" "$work/proof")" '^NOT PROVED: the checkpoint' "nor by another key"

# a worker dies: what it had not written is told
kill_worker
is "$(ask)" 20 "by the next worker, too"
ok "and a checkpoint goes on from there" covered

# rotation, in any order, compressed
mv "$log" "$log.1"
kill -HUP "${lab_pid[nfqd]}"
lab_wait 10 [ -e "$log" ]
is "$(ask)" 20 "after rotation"
ok "records go to the new file, and are signed" covered
gzip "$log.1"
cp "$log" "$work/now"
said=$(verify "$work/now" "$log.1.gz")
is $? 0 "the whole log is proved" || diag "$said"
like "$said" "  1-$(log=$work/now own checkpoint | tail -n 1 | jq .size): proved" "from the first record to the last checkpoint"
said=$(verify "$log")
is $? 0 "and the new file alone"
like "$said" '  1-[0-9]+: not in these files' "which says what is not there"

# the ways to change a log
gzip -dc "$log.1.gz" >"$work/all"; cat "$log" >>"$work/all"
own checkpoint | tail -n 1 | jq -j .note >"$work/outside"
n=$(sed -n 2p "$work/outside")
edited() {	# PATTERN DESCRIPTION
	said=$(verify "$work/edited")
	is $? 1 "$2"
	like "$said" "$1" "and told where" || diag "$said"
}
line() { grep -n "\"seq\":$1," "$work/all" | head -n 1 | cut -d: -f1; }
sed "$(line 12)s/NXDOMAIN/noerror/; $(line 12)s/\"UDP\"/\"TCP\"/" "$work/all" >"$work/edited"
edited 'PROBLEM: records [0-9]+-[0-9]+ are not those that were signed' "one word is changed"
sed "$(line 12)d" "$work/all" >"$work/edited"
edited 'PROBLEM: records 12-12 are missing' "one line is dropped"
sed "$(line 12){h;d};$(line 13)G" "$work/all" >"$work/edited"
edited "PROBLEM: $work/edited:13: record 12 stands after" "two lines are swapped"
sed "$(line 12)p;$(line 12)s/\"UDP\"/\"TCP\"/" "$work/all" >"$work/edited"
edited 'another record has the number 12, too' "one line is there twice, in two forms"
head -n 30 "$work/all" >"$work/edited"
last=$(tail -n 1 "$work/edited" | jq .nfqd.seq)
said=$(verify "$work/edited")
is $? 0 "a log that was cut off is proved up to there"
like "$said" 'only against a checkpoint that was kept elsewhere' "and the report says what it cannot know"
said=$(verify --checkpoint "$work/outside" "$work/edited")
is $? 1 "with a checkpoint that was kept outside the cut shows"
like "$said" "records $((last + 1))-$n are missing" "and its length" || diag "$said"
ok "sent again, a record is the same one" cmp <("$NFQCTL" log resend 1:7-9 "$work/all") <(sed -n 7,9p "$work/all")
"$NFQCTL" log resend 1:7-9 "$work/all" >>"$work/all"
ok "and no harm where it is already" verify "$work/all"

# power cuts: what is in the files at any moment; the only checkpoint of the new file may be what is cut off
last_signed() { { gzip -dc "$log.1.gz"; cat "$1"; } | jq -cR 'fromjson? | select(.nfqd.kind == "checkpoint").nfqd.size' | tail -n 1; }
(for _ in 1 2 3 4 5; do ask; done) >/dev/null &
asking=$! bad=
for i in 1 2 3 4 5 6 7 8; do
	cp "$log" "$work/moment"
	size=$(stat -c %s "$work/moment")
	head -c $((size - i * 37 % 200)) "$work/moment" >"$work/cut"
	last=$(last_signed "$work/cut")
	said=$(verify "$work/cut" "$log.1.gz") || bad="$bad $said"
	[[ $said == *"  1-$last: proved"* ]] || bad="$bad not $last: $said"
done
wait $asking
is "$bad" "" "at any moment exactly the records before the last checkpoint are proved"
worker=$(nfqd_worker)
lab_end nfqd KILL
lab_wait 10 is_gone "$worker"
nfqd_start || bail "nfqd does not start after it was killed"
is "$(ask)" 20 "after all processes were killed"
nfqd_stop
said=$(verify "$log" "$log.1.gz")
is $? 0 "both boots are proved" || diag "$said"
like "$said" 'boot 1: .*not proved: after the last checkpoint.*boot 2: .*proved' "and what the first one did not sign is named"
is "$(own start | jq '.last.checkpoints | length')" 1 "the start has the last checkpoint of the boot before"
sed '/"boot":2,/!d' "$log" >"$work/two"
gzip -dc "$log.1.gz" | head -n 20 >>"$work/two"
said=$(verify "$work/two")
is $? 1 "so that a cut end of the boot before shows"
like "$said" "a checkpoint from the next boot's start covers" "by it"

# copytruncate, under load, as logrotate does it; a new key
nfqd_start || bail "nfqd does not start again"
new=$(nfqd_ctl log key --rotate)
[ "$new" != "$key" ] && [ "$new" = "$(nfqd_ctl log key)" ]
is $? 0 "another key takes the place of the old one"
printf '%s {\n copytruncate\n rotate 3\n}\n' "$log" >"$work/logrotate"
chmod 755 "$lab_dir/log"
(for _ in 1 2 3 4; do ask; done) >/dev/null &
asking=$!
for i in 1 2; do logrotate -f -s "$work/state" "$work/logrotate" || bail "logrotate"; ask >/dev/null; done
wait $asking
ok "after copytruncate records are signed" covered
mv "$log.1.gz" "$work/first.gz"
said=$(verify "$log" "$log".* "$work/first.gz")
is $? 0 "all of it is proved, by the new key, which the old one vouches for" || diag "$said"
nfqd_stop

# a full disk
cp "$log" "$work/before"
mount -t tmpfs -o size=100k none "$lab_dir/log" || bail "no small disk"
nfqd_start || bail "nfqd does not start"
for _ in 1 2 3 4 5 6; do ask >/dev/null; done
full() { [ "$(nfqd_ctl status --json | jq .log.lost)" -gt 20 ]; }
ok "the disk fills up, and records are lost" lab_wait 10 full
cp "$log" "$work/full"
: >"$log"
ok "when there is room again, a checkpoint covers what was lost" covered
nfqd_stop
key=$new
said=$(verify "$work/before" "$work/full" "$log")
is $? 0 "and with it everything is proved" || diag "$said"
like "$said" '  [0-9]+-[0-9]+: lost: No space left on device' "and what is lost is named" || diag "$said"
done_testing
