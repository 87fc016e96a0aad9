#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: what the README and the manual's EXAMPLES tell a reader to type exists, and runs as far as it
# can without root, a daemon or a network; the README's configuration loads; its links lead somewhere.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
NFQD=${NFQD:-build/nfqd} NFQCTL=${NFQCTL:-build/nfqctl}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# ---- commands: in indented lines, between backticks, and in .Dl lines of the manual ----
commands() {
	{
		sed -n 's/^    //p' README.md
		grep -o '`[^`]*`' README.md | tr -d '`'
		sed -n 's/^\.Dl [$#] //p' nfqd/man/*.[158]
	} | sed -E 's/ && /\n/g; s/ +# .*//; s/ [|>] .*//' |
		sed -E 's/^sudo //; s,^build/,,' | grep -E '^(make|nfqd|nfqctl)( |$)' | sort -u
}
# A capture that is at hand, the shipped configuration, the packs of the tree.
here() { sed "s,traffic\.pcap,$tmp/traffic.pcap,; s,/etc/nfqd/,nfqd/man/,; s,/usr/share/nfqd/,," <<<"$1"; }
type_in() { eval "\"$1\" ${2:+-s \"$2\"} $3" >"$tmp/out" 2>"$tmp/err"; }
# The status is the one wanted; of a usage error it would be 2.
exits() {
	local status=0

	type_in "$2" "${4:-}" "$3" || status=$?
	[ "$status" = "$1" ] || { cat "$tmp/err"; return 1; }
}
has_options() {
	local help option

	help=$($1 --help)
	for option in $(grep -oE -e '(^| )--?[a-z-]+' <<<"$2"); do
		grep -qE -e "(^|[ ,\[(])$option([] ,|)]|$)" <<<"$help" || { echo "no $option"; return 1; }
	done
}
python3 - "$tmp/traffic.pcap" <<'END'
import struct, sys
name = b"".join(bytes([len(l)]) + l for l in b"s07.upd.kaspersky.com".split(b".")) + b"\0"
dns = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + name + b"\0\1\0\1"
udp = struct.pack(">4H", 40000, 53, 8 + len(dns), 0) + dns
ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, b"\n\1\0\2", b"\x08\x08\x08\x08") + udp
with open(sys.argv[1], "wb") as f:      # raw IP, a day on which the pack's calendar blocks
    f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    f.write(struct.pack("<IIII", 1800000000, 0, len(ip), len(ip)) + ip)
END
n=0
while read -r line; do
	n=$((n + 1))
	local_line=$(here "$line")
	case $line in
	make*)
		for target in $(tr ' ' '\n' <<<"${line#make}" | grep -v =); do
			ok "$line: the target exists" grep -q "^$target:" Makefile
		done
		;;
	"nfqd -r"*)
		ok "$line" exits 0 "$NFQD" "${local_line#nfqd}"
		ok "  and it says something of the capture" grep -q s07.upd.kaspersky.com "$tmp/out"
		;;
	"nfqd -t"*) ok "$line" exits 0 "$NFQD" "${local_line#nfqd}" ;;
	nfqd*) ok "$line: has these options" has_options "$NFQD" "$line" ;;
	"nfqctl rules verify"*)	ok "$line: is a command" "$NFQCTL" rules verify --help ;;
	"nfqctl log verify"*)	ok "$line: is a command" "$NFQCTL" log verify --help ;;
	"nfqctl log prove"*)	ok "$line: is a command" "$NFQCTL" log prove --help ;;
	"nfqctl rules"*) ok "$line" exits 0 "$NFQCTL" "${local_line#nfqctl}" ;;
	"nfqctl why"*) ok "$line" exits 0 "$NFQCTL" "${local_line#nfqctl}" "$tmp/none" ;;
	"nfqctl allow"*" --for ever") ok "$line: is a command" "$NFQCTL" allow --help ;;
	"nfqctl block"* | "nfqctl top"* | "nfqctl doctor"* | "nfqctl host"* | "nfqctl report"* | "nfqctl preview"*)
		ok "$line: has these options" has_options "$NFQCTL $(cut -d' ' -f2 <<<"$line")" "$line"
		;;
	"nfqctl status"* | "nfqctl metrics"*) ok "$line: says that there is no daemon" exits 3 "$NFQCTL" "${local_line#nfqctl}" "$tmp/none" ;;
	nfqctl*)
		ok "$line: is understood" exits 1 "$NFQCTL" "${local_line#nfqctl}" "$tmp/none"
		ok "  and needs a daemon" grep -q "$tmp/none" "$tmp/err"
		;;
	esac
done < <(commands)
ok "there were commands to try" test "$n" -gt 20

# ---- the README itself ----
sed -n '/^```yaml/,/^```$/p' README.md | grep -v '^```' >"$tmp/nfqd.yaml"
ok "its configuration loads" "$NFQD" -t -c "$tmp/nfqd.yaml"
for link in $(grep -oE '\]\([^)#:]+\)' README.md rules/README.md | sed -E 's,README.md:\]\(,,; s,\)$,,' | sort -u); do
	ok "link: $link" test -e "$link"
done
# ---- the page about installing: what it says of CI is what CI runs ----
page=.github/INSTALL.md
is "$(tail -n 1 .ci/run) / $(grep -c '^CI is .*: `make check`, and nothing else' $page)" "exec make check / 1" "$page: CI runs make check"
for target in $(grep -oE '\bmake [a-z-]+' $page | cut -d' ' -f2 | sort -u); do
	ok "$page: make $target" grep -q "^$target:" Makefile
done
for link in $(grep -oE '\]\([^)#:]+\)' $page | sed -E 's,\]\(,,; s,\)$,,'); do
	ok "$page: link: $link" test -e ".github/$link"
done
for test in $(sed -n 's/.*| CI.*/&/p' $page | grep -oE '`(tests/[a-z/.-]*)`' | tr -d '`'); do
	ok "$page: CI runs $test" grep -q "$test" <(sed -n '/^check:/,/^$/p' Makefile)
done
ok "at most 150 lines" test "$(wc -l <README.md)" -le 150
# Rows of the demo: the first column, as tools/lab/demo prints it.
while read -r what; do
	pattern=${what//downloads.upd.kaspersky.com/\$probe} pattern=${pattern//s07.upd.kaspersky.com/\$name}
	pattern=$(sed -E 's,at [0-9.]+\, ,at $r\, ,; s,to [a-z0-9.-]*geo[a-z0-9.-]*,to $http,' <<<"$pattern")
	ok "the demo has this row: $what" grep -qF -e "$what\"" -e "$pattern\"" tools/lab/demo
done < <(sed -nE 's/^    ✓ +(.*[^ ])   *(refused|passes): .*/\1/p' README.md)

# ---- the manual, as it is read ----
if command -v mandoc >/dev/null; then
	for page in nfqd/man/*.[158]; do
		text=$(mandoc -Tutf8 "$page" | sed 's/.\x08//g' | tr -s ' \n' ' ')
		is "$(grep -E '^\.(Ql|Dq|Sq) .* [;:,.)] [a-z]' "$page")" "" "$page: no quotation takes in the words after it"
		is "$(grep -owE '(somebody|everybody|anybody|anyhow|is no) .{30}' <<<"$text" | head -n 1)" "" "$page: English"
	done
fi
done_testing
