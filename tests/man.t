#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: the manual pages and --help name the same options, command by command; and each fault has its test.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
NFQD=${NFQD:-build/nfqd} NFQCTL=${NFQCTL:-build/nfqctl}
ctl=nfqd/man/nfqctl.1

in_help() { "$@" --help | grep -oE -e '--[a-z-]+' | sort -u | paste -sd' '; }
# The synopsis of one command: from its .Cm line to the next .Nm or section
in_synopsis() {
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' $ctl |
		awk -v want=".Cm $1" '/^\.Nm/ { on = 0 } $0 == want || index($0, want " ") == 1 { on = 1 } on' |
		grep -oE -e 'Fl -[a-z-]+' | sed 's/Fl -/--/' | sort -u | paste -sd' '
}
for command in status metrics doctor completion top reload rotate why allow exceptions mode replay "rules lint" "rules list" "rules show" "rules diff" \
	"rules import" "rules export" "rules check" "rules cite" "rules new" "rules publish" "rules update" "rules sids" "rules verify" \
	"log verify" "log prove" "log key" "log resend" tail; do
	# shellcheck disable=SC2086
	help=$(in_help "$NFQCTL" $command)
	is "$(in_synopsis "$command")" "$help" "nfqctl $command: the manual's synopsis has the options of --help"
	ok "nfqctl $command --help succeeds" "$NFQCTL" $command --help
done
is "$("$NFQCTL" --help | grep -oE '^  nfqctl [a-z]+' | cut -d' ' -f4 | sort | paste -sd' ')" \
	"$(awk '/^\.Sh SYNOPSIS/ { on = 1 } /^\.Sh DESC/ { on = 0 } on && /^\.Cm/ { print $2 }' $ctl | sort -u | paste -sd' ')" \
	"nfqctl: the same commands"
options() { grep -oE -e '--[a-z-]+' | sort -u | paste -sd' '; }
is "$(sed -n 's/^\.It Fl//p' nfqd/man/nfqd.8 | sed 's/ -\([a-z]\)/ --\1/' | options)" "$("$NFQD" --help | options)" "nfqd: the same options"

console=$(dirname "$NFQD")/nfqd-console
[ ! -x "$console" ] || is "$(sed -n 's/^\.It Fl//p' nfqd/man/nfqd-console.8 | sed 's/ -\([a-z]\)/ --\1/' | options)" "$("$console" --help | options)" \
	"nfqd-console: the same options"

# FAULTS: each row ends with its test, which is there; each test is named; and there are no fewer rows than were asked for
faults=$(sed -n '/^\.Sh FAULTS/,/^\.El/p' nfqd/man/nfqd.8)
rows=$(grep -c '^\.It ' <<<"$faults")
ok "FAULTS has $rows rows" [ "$rows" -ge 24 ]
is "$(awk '/^\.It / || /^\.El/ { if (row && last !~ /^[0-9a-z-]+\.t$/) print row; row = $0 } { last = $0 }' <<<"$faults")" "" "FAULTS: each row names its test"
is "$(grep -oE '^[0-9a-z-]+\.t$' <<<"$faults" | sort -u | paste -sd' ')" "$(cd tests/faults && echo *.t)" "FAULTS: the tests that it names are those of tests/faults"
done_testing
