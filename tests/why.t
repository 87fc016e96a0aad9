#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: `nfqctl why` answers without a daemon and without privileges, says on standard error what it
# read, and nothing but JSON on standard output.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
nfqctl=${NFQCTL:-build/nfqctl}
work=$(mktemp -d) || bail "no temporary folder"
trap 'rm -rf "$work"' EXIT

why() { "$nfqctl" -s "$work/none.sock" why "$@" 2>"$work/stderr"; }
by_pack() { why "$@" --rules rules/kaspersky.yaml --json; }

why 'foo bar.com' --rules rules/kaspersky.yaml
like "$(<"$work/stderr")" "'foo bar.com' is not a name" "a name with a blank is an error"

calendar() {	# TIME: action, stage, basis
	by_pack s03.upd.kaspersky.com --at "$1" | jq -r '"\(.action) \(.stage.id) \(.stage.basis)"'
}
is "$(calendar 2024-08-01)" "log icts-publish law" "before the law's date"
is "$(calendar 2024-09-29T03:59:59Z)" "log vendor-cutoff vendor" "a second before"
is "$(calendar 2024-09-29T04:00:00Z)" "reject icts-full law" "from its first second"
like "$(by_pack s03.upd.kaspersky.com --at 2024-09-29T04:00:00Z | jq -r .stage.citation)" '89 FR 52434' "and by which law"
like "$(by_pack media.kaspersky.com | jq -r '"\(.action) \(.because)"')" 'allow .*kav-tool-removal.*never be blocked' "a removal tool, and why it passes"
is "$(by_pack blocked.nfqd.invalid | jq -r '"\(.action) \(.policy)"')" "reject canary" "the canary"

is "$(by_pack MÜNCHEN.example | jq -r .name)" xn--mnchen-3ya.example "a name as people write it"

like "$(why s03.upd.kaspersky.com --rules rules/kaspersky.yaml --at 2024-09-20)" \
	'stage +vendor-cutoff \(log\) since 2024-09-10.*next +icts-full \(block\) from 2024-09-29T04:00:00Z, basis law: 89 FR 52434' "the stage in force and the next one"

cat >"$work/nfqd.yaml" <<-END
	rules: [$PWD/rules/kaspersky.yaml]
	mode: log
	state: $work/state.json
END
is "$(why s03.upd.kaspersky.com -c "$work/nfqd.yaml" --json | jq -r '"\(.action) \(.would) \(.mode)"')" "log reject log" "by a configuration"
like "$(<"$work/stderr")" "configuration $work/nfqd.yaml" "it says which"
echo "{" >"$work/state.json"
is "$(why s03.upd.kaspersky.com -c "$work/nfqd.yaml" --json | jq -r .listed)" true "a damaged state file does not stop it"
like "$(<"$work/stderr")" "state.json:[0-9]+: " "and is said"
is "$(<"$work/state.json")" "{" "and left as it is"
like "$(why s03.upd.kaspersky.com -c "$work/nfqd.yaml")" $'^s03.upd.kaspersky.com at .*: log\n.*but .*mode is log' "the same in words"
if [ ! -e /etc/nfqd/nfqd.yaml ]; then
	is "$(why s03.upd.kaspersky.com --json | jq -r '.pack, .action' | xargs)" "kaspersky reject" "with nothing named, by the pack in the working directory"
	like "$(<"$work/stderr")" 'none\.sock: .*rules/kaspersky\.yaml' "it says so, and that no daemon answered"
fi
why a.b --at never --rules rules/kaspersky.yaml
is "$? $(grep -c "'never' is not a time" "$work/stderr")" "2 1" "a question that makes no sense: exit 2"
why
is "$? $(grep -c usage "$work/stderr")" "2 1" "no name: exit 2"
why a.b -c "$work/none.yaml"
is "$? $(grep -c 'none\.yaml: ' "$work/stderr")" "1 1" "a configuration that is not there: exit 1"
done_testing
