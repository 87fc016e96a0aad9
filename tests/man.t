#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: the manual pages and --help name the same options, command by command.
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
for command in status reload why allow exceptions mode replay "rules lint" "rules list" "rules show" "rules diff" \
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
done_testing
