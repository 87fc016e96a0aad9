#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: `nfqctl rules new` asks for what a pack needs, asks again where an answer is wrong, and writes a
# pack that lints, loads and has tests that hold; nothing is written where the answers end too soon.
set -u
. "$(dirname "$0")/lib/tap.sh"
NFQCTL=$(realpath "${NFQCTL:-build/nfqctl}") rules=$(realpath "$(dirname "$0")/../rules")
folder=$(mktemp -d) && cd "$folder" || exit 99
trap 'rm -rf "$folder"' EXIT
new() { said=$("$NFQCTL" rules new "$@" 2>&1); status=$?; }
sha=0123456789abcdef0123456789abcdef01234567

head=$(printf '%s\n' "" "ACME \"smart\" cameras: usage data" "https://github.com/o/r/blob/$sha/acme.txt" \
	"A list (2026-11-02)" "somebody")
new "ACME Cameras, Inc." <<END
$head
telemetry.acme.example, log[00-09].acme.example
telemetry
Nothing: no "usage" data is sent.

y
.acme.example k-*.acme.example.net
web
none, only recorded
log
y
help.acme.example
web
Manuals cannot be read.
allow
n
END
like "$status $said" "^0 .*The pack's id \[acme-cameras-inc\]: .*Another entry.*acme-cameras-inc.yaml: written, and it lints$" "asks, writes, lints"
is "$("$NFQCTL" rules lint acme-cameras-inc.yaml 2>&1)" "" "without a word"
is "$("$NFQCTL" rules list --json --rules acme-cameras-inc.yaml | jq -c '.[] | select(.pack == "acme-cameras-inc") | [.id, .vendor, .names, .category, .action, .confidence, .sources[0], .side_effect]')" \
	"[\"acme-cameras-inc-1\",\"ACME Cameras, Inc.\",[\"telemetry.acme.example\",\"log[00-09].acme.example\"],\"telemetry\",\"stage\",\"medium\",\"https://github.com/o/r/blob/$sha/acme.txt\",\"Nothing: no \\\"usage\\\" data is sent.\"]
[\"acme-cameras-inc-2\",\"ACME Cameras, Inc.\",[\".acme.example\",\"k-*.acme.example.net\"],\"web\",\"log\",\"medium\",\"https://github.com/o/r/blob/$sha/acme.txt\",\"none, only recorded\"]
[\"acme-cameras-inc-3\",\"ACME Cameras, Inc.\",[\"help.acme.example\"],\"web\",\"allow\",\"medium\",\"https://github.com/o/r/blob/$sha/acme.txt\",\"Manuals cannot be read.\"]" \
	"what was answered is in it"
is "$(sed -n '/^tests:/,$p' acme-cameras-inc.yaml | tr -d '\n')" \
	"tests:  match:    - telemetry.acme.example    - nottelemetry.acme.example    - log00.acme.example    - log09.acme.example    - notlog00.acme.example    - acme.example    - www.acme.example    - k-x.acme.example.net    - nothelp.acme.example  allow:    - help.acme.example  no_match:    - telemetry.acme.example.evil.test    - log00.acme.example.evil.test    - notacme.example    - acme.example.evil.test    - notk-x.acme.example.net    - k-x.acme.example.net.evil.test    - help.acme.example.evil.test    - unlisted.example" \
	"tests for both ends of a range, for what lies below, beside and behind"
is "$("$NFQCTL" -s none.sock why log03.acme.example --rules acme-cameras-inc.yaml --json 2>/dev/null | jq -r .action)" reject "and it blocks from today"

new "ACME Cameras, Inc." <<<"$head
a.acme.example
telemetry
None.
block
n"
like "$status $said" "^1 .*acme-cameras-inc.yaml: File exists" "a pack that is there stays"
before=$(ls)
new Other <<<"$head
a.acme.example"
like "$status $said" "^1 .*the answers ended: nothing is written" "the answers end"
is "$(ls)" "$before" "nothing is written"

# ---- asked again
new --out again.yaml Again <<END
Not An Id
again
Again
example.org/list
https://example.org/
https://github.com/o/r/blob/main/l.txt
https://help.example.org/ports
Ports (2026-11-01)
vendor
.co.uk
a b..example.org
.zone.example.org
usage
update
none, only recorded
drop
log
maybe
n
END
for wrong in "'Not An Id' is not made of" "'example.org/list' does not begin with https" "'https://example.org/' is the root of a site" \
	"blob/main/l.txt' can change under its address" "'.co.uk': is a public suffix" "'a': a single label" \
	"'usage' is not one of update, telemetry" "'drop' is not one of block, log, allow" "'maybe' is not y or n"; do
	like "$said" "$wrong" "asks again: $wrong"
done
is "$status $("$NFQCTL" rules lint again.yaml 2>&1)" "0 " "until it lints"
is "$("$NFQCTL" rules list --json --rules again.yaml | jq -r '.[] | select(.pack == "again") | .confidence')" high "the vendor's word is worth more"

# ---- beside packs with numbers
cp -r "$rules" packs
new --out packs/acme.yaml ACME <<<"$head
acme.example
telemetry
None.
block
n"
highest=$(sed -n 's/^sids: *//p' "$rules"/[a-z]*.yaml | sort -n | tail -n 1)
is "$status $(grep -E '^ *sids?:' packs/acme.yaml | tr -d '\n')" "0 sids: $((highest + 1000))    sid: $((highest + 1000))" \
	"a block of its own after the highest in the folder"
is "$("$NFQCTL" rules lint packs/[a-z]*.yaml 2>&1)" "" "all packs of the folder lint"
new --out packs/g.yaml G <<<"
G
https://list.example.org/x
X (2026-11-01)
x
.google.com
telemetry
None.
block
n"
like "$status $said" "^1 .*g.yaml:[0-9]*: entry 'g-1': name '.google.com' would block .*mend what lint says" "what no pack may block is said"
"$NFQCTL" rules new </dev/null >/dev/null 2>&1
is $? 2 "without a vendor: usage"
new $'A\eB' </dev/null
like "$status $said" "^2 .*contains a control character" "what would paint the screen"
done_testing
