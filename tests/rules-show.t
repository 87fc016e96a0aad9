#!/bin/bash
# Proves: `nfqctl rules show` finds every entry or network that matches a name or address and says which
# wins, and finds one by its id; `rules diff` says what changed between two versions of a pack.
set -u
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
NFQCTL=${NFQCTL:-build/nfqctl}
show() { "$NFQCTL" rules show --json --rules rules/kaspersky.yaml "$1" | jq -r "$2"; }
is "$(show S03.upd.kaspersky.com '.[] | "\(.id) \(.pattern) \(.wins)"')" \
	"kav-update-mirrors s[00-19].upd.kaspersky.com true
kav-update-zone .upd.kaspersky.com false
kav-zone-kaspersky .kaspersky.com false" "a range and the zones above it; the range wins"
is "$(show s03.upd.kaspersky.com '.[0].stages[] | select(.action == "block") | "\(.from) \(.basis) \(.profile)"')" \
	"2018-10-01T04:00:00Z law us-federal-contractor
2024-09-29T04:00:00Z law null" "the calendar of its category, and whose each stage is"
is "$(show kav-update-zone '.[] | "\(.id) \(.names[0])"')" "kav-update-zone .upd.kaspersky.com" "by id"
is "$(show unlisted.example length)" 0 "an unlisted name"
is "$(show 77.74.176.9 '.[] | "\(.id) \(.asn) \(.action) \(.wins)"')" "net-77.74.176.0/21 200107 log true" "an address, by the network around it"
is "$(show 10.1.2.3 '.[] | "\(.ports[0]) \(.wins)"')" "tcp/13111 true
tcp/17000 true" "an address that is listed twice, for some ports each"
is "$(show net-2a03:2480:8028::/46 '.[] | "\(.pattern) \(.wins)"')" "2a03:2480:8028::/46 false" "a network by its id"
is "$(show 77.74.184.0 length)" 0 "an address beside a network"
like "$("$NFQCTL" rules show --rules rules/kaspersky.yaml media.kaspersky.com)" \
	"^kaspersky/[a-z-]* \(wins\).*action  *allow" "for people"
"$NFQCTL" rules show >/dev/null 2>&1
is $? 2 "without a name: usage"
is "$("$NFQCTL" rules show --rules rules/kaspersky.yaml $'a\e[1m b' 2>&1)" "nfqctl: 'a\\x1b[1m b' is not a name, address or rule id" \
	"what can be none is an error, and does not reach the terminal as it is"
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
sed 's/"77.74.176.0.21", asn: 200107/"77.74.176.0\/21", asn: 5/; s/82.202.184.0/82.202.186.0/; s/93.191.13.103.32", category: update/93.191.13.103\/32", category: web/' \
	rules/kaspersky.yaml >"$new"
is "$("$NFQCTL" rules diff rules/kaspersky.yaml "$new")" '+ net-82.202.186.0/23
- net-82.202.184.0/23
~ net-77.74.176.0/21: asn: 200107 -> 5
~ net-93.191.13.103/32: category: "update" -> "web"' "diff: networks"
sed 's/^version: .*/version: 2030.01.01.1/; /id: icts-full/s/2024-09-29T04/2024-09-29T05/; s/publisher: v2fly/publisher: v2/; /id: site-telemetry/d' rules/kaspersky.yaml >"$new"
like "$("$NFQCTL" rules diff rules/kaspersky.yaml "$new")" '^- stage site-telemetry
~ pack kaspersky: version: "[0-9.]*" -> "2030.01.01.1"
~ source v2fly: publisher: "v2fly" -> "v2"
~ stage icts-full: from: "2024-09-29T04:00:00Z" -> "2024-09-29T05:00:00Z"$' "diff: version, sources, stages"
is "$("$NFQCTL" rules diff rules/kaspersky.yaml rules/kaspersky.yaml)" "" "diff: the same pack"
# ---- as a section of CHANGES.md
folder=$(mktemp -d) && mkdir "$folder/old" "$folder/new"
cat >"$folder/old/p.yaml" <<'END'
pack: p
vendor: V
version: 2026.11.28.9
sources: [{id: s, title: t}]
stages: [{id: now, from: 2024-01-01, action: block, basis: site, citation: c}]
entries:
  - {id: a, names: [a.example.com, b.example.com], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: gone, names: [c.example.com], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: w, names: [w.example.com], category: web, sources: [s], confidence: high, side_effect: none}
END
sed 's/28.9/28.10/; s/b.example.com\], category: update/d.example.com], category: firmware, action: log/; s/id: gone, names: .c/id: new, names: [n/
	/id: w/s/none/none at all/; s/from: 2024/from: 2025/' "$folder/old/p.yaml" >"$folder/new/p.yaml"
sed 's/pack: p/pack: q/; s/id: \([a-z]*\), names/id: q\1, names/' "$folder/new/p.yaml" >"$folder/new/q.yaml"
is "$("$NFQCTL" rules diff --changes "$folder/old" "$folder/new")" '## 2026.11.28.10

### `p`

- new: `new` (update, stage): `n.example.com`
- gone: `gone`
- `stage now`: from: "2025-01-01", was "2024-01-01"
- `a`: names added: `d.example.com`; gone: `b.example.com`
- `a`: action: "log", was "stage"
- `a`: category: "firmware", was "update"
- sources, dates or wording: `w`

### `q`: new

V; 4 names.' "diff --changes: two folders, as CHANGES.md has it"
like "$("$NFQCTL" rules diff --changes "$folder/new" "$folder/old")" '### `q`: gone$' "a pack that is gone"
"$NFQCTL" rules diff --changes --json "$folder/new" "$folder/old" >/dev/null 2>&1
is $? 2 "diff: one form at a time"
rm -rf "$new" "$folder"
done_testing
