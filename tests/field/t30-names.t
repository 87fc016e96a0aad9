#!/bin/bash
# Stands for the "please whitelist" threads of block lists (GoodbyeAds#70, hagezi#5271, #3968, AdGuardDNS#84, StevenBlack#1197,
# hkamran80/blocklists#15): names that people need although they belong to a listed vendor. With every pack on, only what
# a pack is about is refused, and its entry says what a user will notice (t30, u12).
set -u
. tests/lib/tap.sh
need jq "${LAB_PYTHON:=$(PATH=/usr/bin:$PATH command -v python3)}"
nfqd=${NFQD:-build/nfqd}
work=$(mktemp -d) || bail "no temporary folder"
trap 'rm -rf "$work"' EXIT

# names.txt: a name and what a site that loads the pack gets: allow, log, or the category that is refused.
"$LAB_PYTHON" - tests/field/in/names.txt >"$work/names.pcap" <<'END'
import struct, sys
out, now = sys.stdout.buffer, 1795824000  # 2026-11-28; stages begin by the calendar
out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
for i, line in enumerate(open(sys.argv[1])):
    name = line.split()[0].split(".")
    dns = struct.pack("!6H", i, 0x100, 1, 0, 0, 0) + b"".join(bytes([len(x)]) + x.encode() for x in name) + b"\0\0\1\0\1"
    udp = struct.pack("!4H", 1024 + i, 53, 8 + len(dns), 0) + dns
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), i, 0, 64, 17, 0, bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1])) + udp
    out.write(struct.pack("<4I", now, i, len(ip), len(ip)) + ip)
END
"$nfqd" -r "$work/names.pcap" --rules rules --events all >"$work/records" 2>"$work/stderr" || bail "$(cat "$work/stderr")"
# In a capture all is only recorded; `would` is what is refused inline.
jq -r 'select(.nfqd.name) | .nfqd | "\(.name) \(if (.would // .action) == "reject" then .category else (.would // .action) end)"' \
	"$work/records" | sort -u >"$work/got"
sort -u tests/field/in/names.txt >"$work/wanted"
is "$(diff "$work/wanted" "$work/got")" "" "each of $(wc -l <"$work/wanted") names fares as the list says"
is "$(jq -r 'select(.nfqd.would == "reject") | .nfqd.name' "$work/records" | sort -u | while read -r name; do
	grep -q "^$name " "$work/wanted" || echo "$name"
done)" "" "and no other name is refused"
ok "what is refused says what a user will notice" \
	test "$("${NFQCTL:-build/nfqctl}" why self.events.data.microsoft.com --rules rules --json | jq '(.side_effect | length) > 20')" = true
done_testing
