#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: the table in rules/README.md is the one made from the packs, every pack stands in CHANGES.md
# and has numbers of its own, and the template for new packs lints clean and is neither installed nor loaded with its folder.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
nfqctl=${NFQCTL:-build/nfqctl}

written() { sed -n '/^<!-- packs -->$/,/^<!-- end of packs -->$/p' rules/README.md | sed '1d;$d'; }

# Packs that CHANGES.md does not name
unsaid() {
	for f in rules/[a-z]*.yaml; do
		id=$(sed -n 's/^pack: *//p' "$f")
		[ -z "$id" ] || grep -q "\`$id\`" rules/CHANGES.md || echo "$id"
	done
}

is "$(written)" "$(tools/rules-table)" "the table is the one that tools/rules-table makes"
is "$(unsaid)" "" "CHANGES.md names every pack"
# the newest section is of the newest version, and names each pack that has it
newest=$(sed -n 's/^version: *//p' rules/[a-z]*.yaml | sort -V | tail -n 1)
is "$(sed -n 's/^## //p' rules/CHANGES.md | head -n 1)" "$newest" "CHANGES.md begins with the newest version of a pack"
section=$(sed -n "/^## $newest\$/,/^## /p" rules/CHANGES.md)
for f in $(grep -l "^version: $newest\$" rules/[a-z]*.yaml); do
	[ "$f" = rules/never.yaml ] || like "$section" "\`$(sed -n 's/^pack: *//p' "$f")\`" "and says what changed in $f"
done
is "$(grep -h '^sids:' rules/[a-z]*.yaml | sort | uniq -d)" "" "no two packs share a block of numbers"
is "$(grep -L '^sids:' rules/[a-z]*.yaml)" rules/never.yaml "and every pack has one"
ok "the template lints clean" "$nfqctl" rules lint rules/TEMPLATE.yaml
is "$("$nfqctl" rules list --json --rules rules 2>/dev/null | jq '[.[] | select(.pack == "template")] | length')" 0 \
	"a folder does not load the template"
is "$(make -n install DESTDIR=/nowhere 2>/dev/null | grep -c TEMPLATE)" 0 "nor is it installed"
done_testing
