#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: `nfqctl rules check --popular` says what packs refuse of a ranking, and what of it lies below a
# zone that is only recorded, with the ranks of the formats in which such rankings are published.
set -u
. "$(dirname "$0")/lib/tap.sh"
NFQCTL=$(realpath "${NFQCTL:-build/nfqctl}")
folder=$(mktemp -d) && cd "$folder" || exit 99
trap 'rm -rf "$folder"' EXIT

cat >p.yaml <<'END'
pack: p
vendor: V
version: 2026.11.24.3
sources: [{id: s, url: "https://example.org/"}]
stages:
  - {id: now, from: 2024-01-01, action: block, categories: [update], basis: site, citation: c}
  - {id: later, from: 2999-01-01, action: block, categories: [telemetry], basis: site, citation: c}
entries:
  - {id: mirrors, names: ["s[0-2].upd.example.com"], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: later, names: [t.example.org], category: telemetry, sources: [s], confidence: high, side_effect: none}
  - {id: zone, names: [.example.com], category: web, sources: [s], confidence: high, side_effect: none, action: log}
  - {id: open, names: [.help.example.com], category: web, sources: [s], confidence: high, side_effect: none, action: allow}
END
check() { "$NFQCTL" rules check --rules p.yaml --popular "$@"; }
wanted='refused         2  s1.upd.example.com  p/mirrors  s[0-2].upd.example.com
below           5  new.upd.example.com  p/zone  .example.com'
printf '1,google.com\r\n2,S1.upd.example.com\r\n3,example.com\r\n4,www.help.example.com\r\n5,new.upd.example.com\r\n6,t.example.org\r\n' >umbrella.csv
is "$(check umbrella.csv)" "$wanted
umbrella.csv: 6 names, 1 refused, 1 below a zone that is only recorded" "rank,name"
printf 'GlobalRank,TldRank,Domain,TLD\n2,7,s1.upd.example.com,com\n5,9,new.upd.example.com,com\n' >majestic.csv
is "$(check majestic.csv | head -n 2)" "$wanted" "two ranks and a heading"
printf 'a.example\ns1.upd.example.com\nb.example\nc.example\nnew.upd.example.com\n' >names
is "$(check - <names | head -n 2)" "$wanted" "names alone: the line is the rank"
is "$(check umbrella.csv --json | jq -c '[.names, (.refused[0] | [.rank, .name, .rule]), (.below_recorded_zones[0] | [.rank, .pattern])]')" \
	'[6,[2,"s1.upd.example.com","mirrors"],[5,".example.com"]]' "as JSON"
printf '\n\n' >none
said=$(check none 2>&1)
like "$? $said" "^1 .*none: not a ranking of names" "a file that is no ranking"
said=$(check missing 2>&1)
like "$? $said" "^1 .*missing: No such file" "no file"
done_testing
