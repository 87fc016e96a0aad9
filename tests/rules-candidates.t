#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: the packs do to each name of rules-candidates.tsv what that table says, and file it under the
# category given there. The table holds names that were once missing, blocked by mistake or misfiled.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
nfqctl=${NFQCTL:-build/nfqctl}

# NAME by PACK: action and category, "none -" when it is not listed there
came_to() {
	"$nfqctl" -s none.sock why "$2" --rules "rules/$1.yaml" --at 2026-12-01 --json 2>/dev/null |
		jq -r 'if .listed then "\(.action) \(.category)" else "none -" end'
}

rows=0
while IFS=$'\t' read -r pack name action category; do
	case $pack in "#"*) continue ;; esac
	rows=$((rows + 1))
	is "$(came_to "$pack" "$name")" "$action $category" "$pack: $name"
done <tests/rules-candidates.tsv
is "$((rows > 100))" 1 "the table was read"
done_testing
