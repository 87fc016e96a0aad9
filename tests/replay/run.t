#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Judges the captures that *.case files describe (make.py says how they are written) with `nfqd -r`
# and compares what it records. Arguments: case files; none: all of them.
cd "$(dirname "$0")/../.." || exit 99
. tests/lib/tap.sh
nfqd=${NFQD:-build/nfqd} nfqctl=${NFQCTL:-build/nfqctl}
filter='.nfqd | "\(.seen_in) \(.name) \(.would)"'
work=$(mktemp -d) || bail "no temporary folder"
trap 'rm -rf "$work"' EXIT

[ $# -gt 0 ] || set -- tests/replay/*.case
n=$(python3 tests/replay/make.py "$work" "$@") || bail "the cases cannot be read"

run() {		# N: judges the capture of case N; standard error goes to $work/stderr
	local options=()

	[ -f "$work/$1.options" ] && read -ra options <"$work/$1.options"
	[[ " ${options[*]} " == *" --rules "* ]] || options+=(--rules rules/kaspersky.yaml)
	"$nfqd" -r "$work/$1.pcap" "${options[@]}" 2>"$work/stderr"
}

for ((i = 1; i <= n; i++)); do
	read -r what <"$work/$i.what"
	status=0
	run $i >"$work/stdout" || status=$?
	[ -f "$work/$i.filter" ] && chosen=$(<"$work/$i.filter") || chosen=$filter
	cat "$work/stdout" >>"$work/all"
	grep -qs -- --rules "$work/$i.options" || cat "$work/stdout" >>"$work/alike"
	got=$(jq -r "$chosen" "$work/stdout" 2>&1)
	if [ -f "$work/$i.todo" ] && [ "$got" != "$(<"$work/$i.expect")" ]; then
		tap_rows=$((tap_rows + 1))
		echo "not ok $tap_rows - $what # TODO $(<"$work/$i.todo")"
	elif [ -f "$work/$i.fails" ]; then
		like "exit $status: $(<"$work/stderr")" "exit 1: .*$(<"$work/$i.fails")" "$what"
	elif [ $status != 0 ]; then
		is "exit $status: $(<"$work/stderr")" "exit 0" "$what"
	elif [ -f "$work/$i.says" ] && ! [[ $(<"$work/stderr") =~ $(<"$work/$i.says") ]]; then
		like "$(<"$work/stderr")" "$(<"$work/$i.says")" "$what"
	else
		is "$got" "$(<"$work/$i.expect")" "$what"
	fi
done

ok "every record keeps to the schema" tests/lib/schema.py "$work/all"
ok "and is judged alike by its own bytes" "$nfqctl" replay --rules rules/kaspersky.yaml "$work/alike"
like "$("$nfqctl" replay --rules rules/kaspersky.yaml "$work/alike" 2>&1 >/dev/null)" "^1[0-9]{3} agree, 0 differ, [0-9]{1,2} are not" \
	"which nearly all records hold"

# ---- what is no capture ----

"$nfqd" -r "$work/none.pcap" >"$work/stdout" 2>"$work/stderr"
is "$? $(wc -c <"$work/stdout")" "1 0" "a file that is not there: exit 1, no records"
echo "this is no capture" >"$work/text"
"$nfqd" -r "$work/text" >"$work/stdout" 2>"$work/stderr"
is "$? $(wc -c <"$work/stdout")" "1 0" "a file that is no capture: exit 1, no records"
like "$(<"$work/stderr")" "nfqd: .*text: .+" "and a message that names the file"
"$nfqd" -r - --rules rules/kaspersky.yaml <"$work/1.pcap" >"$work/stdout" 2>"$work/stderr"
is "$?" 0 "standard input is a capture, too"
head -c 90 "$work/1.pcap" | "$nfqd" -r - >"$work/stdout" 2>"$work/stderr"
is "$?" 0 "a capture that ends in the middle of a packet is judged as far as it goes"
like "$(<"$work/stderr")" "middle of a packet" "and says so"

# ---- several files ----

python3 - "$work" <<'END'
import struct, sys
def question(name, at):
    dns = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0)
    dns += b"".join(bytes([len(l)]) + l for l in name.encode().split(b".")) + b"\0\0\1\0\1"
    udp = struct.pack(">4H", 40000 + at, 53, 8 + len(dns), 0) + dns
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, b"\n\1\0\2", b"\x08\x08\x08\x08") + udp
    return struct.pack("<IIII", 1800000000 + at, 0, len(ip), len(ip)) + ip
for n in 0, 1, 2:       # a.pcap has the seconds 0, 3, 6; b.pcap 1, 4, 7; c.pcap 2, 5, 8
    with open(f"{sys.argv[1]}/{'abc'[n]}.pcap", "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        f.write(b"".join(question(f"s0{at}.upd.kaspersky.com", at) for at in (n, n + 3, n + 6)))
END
gzip -k "$work/b.pcap"
cat "$work/b.pcap.gz" "$work/b.pcap.gz" >"$work/twice.gz"
head -c -9 "$work/b.pcap.gz" >"$work/cut.gz"
judge() { "$nfqd" "$@" --rules rules/kaspersky.yaml 2>"$work/stderr" | jq -rs "$by"; }
by='map(.nfqd.name[1:3]) | join(" ")'
is "$(judge -r "$work/c.pcap" -r "$work/a.pcap" -r "$work/b.pcap")" "00 01 02 03 04 05 06 07 08" \
	"several -r: in the order of their packets' times"
is "$(judge -r "$work/c.pcap" "$work/b.pcap.gz" - <"$work/a.pcap")" "00 01 02 03 04 05 06 07 08" \
	"as a shell writes *.pcap; one is gzipped, one standard input"
is "$(judge -r - <"$work/b.pcap.gz")" "01 04 07" "gzip from standard input"
by='map([(.pcap_filename | split("/") | last), .pcap_cnt] | join(" ")) | join(", ")'
is "$(judge -r "$work/b.pcap" "$work/a.pcap")" "a.pcap 1, b.pcap 1, a.pcap 2, b.pcap 2, a.pcap 3, b.pcap 3" \
	"each record says from which file, and which packet there"
"$nfqd" -r "$work/cut.gz" >"$work/stdout" 2>"$work/stderr"
is "$?" 1 "a gzip file that is cut is an error"
like "$(<"$work/stderr")" "cut.gz" "which names the file"
"$nfqd" -r "$work/cut.gz" "$work/a.pcap" --rules rules/kaspersky.yaml >"$work/stdout" 2>"$work/stderr"
is "$? $(grep -c '"pcap_filename":".*a.pcap"' "$work/stdout")" "1 3" "and costs the other file nothing"
"$nfqd" -r "$work/a.pcap" "$work/none.pcap" >"$work/stdout" 2>"$work/stderr"
is "$? $(wc -c <"$work/stdout")" "1 0" "one of several that is not there: exit 1, no records"
"$nfqd" -r - - <"$work/a.pcap" >"$work/stdout" 2>"$work/stderr"
is "$?" 1 "standard input twice"
"$nfqd" -t -r "$work/a.pcap" >"$work/stdout" 2>"$work/stderr"
is "$?" 2 "-t and -r exclude each other"
done_testing
