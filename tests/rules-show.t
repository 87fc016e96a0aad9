#!/bin/bash
# Proves: `nfqctl rules show` finds every entry that matches a name and says which wins, and finds an
# entry by its id.
set -u
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
NFQCTL=${NFQCTL:-build/nfqctl}
show() { "$NFQCTL" rules show --json --rules rules/kaspersky.yaml "$1" | jq -r "$2"; }
is "$(show S03.upd.kaspersky.com '.[] | "\(.id) \(.pattern) \(.wins)"')" \
	"kav-update-mirrors s[00-19].upd.kaspersky.com true
kav-update-zone .upd.kaspersky.com false
kav-zone-kaspersky .kaspersky.com false" "a range and the zones above it; the range wins"
is "$(show s03.upd.kaspersky.com '.[0].stages[] | select(.action == "block") | "\(.from) \(.basis)"')" \
	"2024-09-29T04:00:00Z law" "the calendar of its category"
is "$(show kav-update-zone '.[] | "\(.id) \(.names[0])"')" "kav-update-zone .upd.kaspersky.com" "by id"
is "$(show unlisted.example length)" 0 "an unlisted name"
like "$("$NFQCTL" rules show --rules rules/kaspersky.yaml media.kaspersky.com)" \
	"^kaspersky/[a-z-]* \(wins\).*action  *allow" "for people"
"$NFQCTL" rules show >/dev/null 2>&1
is $? 2 "without a name: usage"
# ---- diff
new=$(mktemp)
sed '0,/- id: kav-update-cm$/s//- id: kav-update-cn/; s/downloads.upd.kaspersky.com\]/downloads2.upd.kaspersky.com]/; /id: kav-update-downloads/,/confidence/s/confidence: .*/confidence: low/' rules/kaspersky.yaml >"$new"
is "$("$NFQCTL" rules diff rules/kaspersky.yaml "$new")" '+ kav-update-cn
- kav-update-cm
~ kav-update-downloads: name + downloads2.upd.kaspersky.com
~ kav-update-downloads: name - downloads.upd.kaspersky.com
~ kav-update-downloads: confidence: "high" -> "low"' "diff: entries, fields, names"
is "$("$NFQCTL" rules diff --json rules/kaspersky.yaml "$new" | jq -c '[.added, .removed, .changed["kav-update-downloads"].confidence]')" \
	'[["kav-update-cn"],["kav-update-cm"],{"old":"high","new":"low"}]' "diff --json"
is "$("$NFQCTL" rules diff rules/kaspersky.yaml rules/kaspersky.yaml)" "" "diff: the same pack"
rm -f "$new"
done_testing
