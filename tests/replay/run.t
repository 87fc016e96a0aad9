#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Judges the captures that *.case files describe (make.py says how they are written) with `nfqd -r`
# and compares what it records. Arguments: case files; none: all of them.
cd "$(dirname "$0")/../.." || exit 99
. tests/lib/tap.sh
nfqd=${NFQD:-build/nfqd}
filter='.nfqd | "\(.seen_in) \(.name) \(.action)"'
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
done_testing
