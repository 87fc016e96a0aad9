#!/bin/bash
# Proves: in a real Chromium every page of nfqd-console works, at 360 and 1280 px, in the light and in the dark: first
# account, machines, live records, why, allow, revoke, mode, report, evidence, sign-out; its API has nfqctl's answers.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/console.sh
need ip nft dig dnsmasq curl jq chromium "$LAB_PYTHON"
need_console

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
console_start --metrics --unix "$lab_dir/console.sock" || bail "the console does not start: $(cat "$lab_dir/console.log")"
link=$(grep -o 'http://[^ ]*/first?link=[0-9a-f]*' "$lab_dir/console.log")
api() { in_router curl -s --unix-socket "$lab_dir/console.sock" "http://console/api/$1"; }

like "$(in_router curl -s --unix-socket "$lab_dir/console.sock" http://console/machines)" 'dig blocked.nfqd.invalid' \
	"before a machine called, its page says how to see that protection works"
axe=$(find build/unpacked/axe-core -name axe.min.js 2>/dev/null | head -n 1)
console_rows "$LAB_PYTHON" tests/lib/console_pages.py $CONSOLE_URL "$link" "$LAB_ROUTER" "$LAB_CLIENT" s07.upd.kaspersky.com "$lab_dir" ${axe:+"$axe"}

# ---- the API: the same answers; what comes meanwhile comes to both ----

nfqd_ctl allow s17.upd.kaspersky.com --for 1h --reason 'case 4711' >/dev/null
id=$(api hosts | jq -r '.hosts[0].id')
same() { [ "$(api "$1" | jq -S 'del(.made)')" = "$(nfqd_ctl "${@:2}" --json | jq -S 'del(.made)')" ]; }	# PATH COMMAND...
alike() { ok "/api/${1%%\?*} is nfqctl $2 --json" lab_wait 20 same "$@"; }
alike hosts hosts
alike "host?id=$id" host "$id"
alike exceptions exceptions
alike 'why?name=s17.upd.kaspersky.com&at=2027-01-01' why s17.upd.kaspersky.com --at 2027-01-01
alike report report
alike 'preview?pack=kaspersky&since=7d' preview --pack rules/kaspersky.yaml
alike mode mode
is "$(api exceptions)" "$(nfqd_ctl exceptions --json)" "byte for byte"
names() { jq -S 'paths | map(if type == "number" then 0 else . end) | join(".")' | sort -u; }
is "$(api status | names)" "$(nfqd_ctl status --json | names)" "/api/status has what nfqctl status --json has"
is "$(in_router curl -s $CONSOLE_URL/metrics | sed -n 's/^\(nfqd_[a-z_]*\).*/\1/p' | sort -u)" \
	"$(nfqd_ctl metrics | sed -n 's/^\(nfqd_[a-z_]*\).*/\1/p' | sort -u)" "/metrics is nfqctl metrics"
is "$(in_router curl -s $CONSOLE_URL/healthz)" ok "/healthz"

by() { nfqd_ctl tail "$lab_dir/eve.json" >/dev/null; jq -rc "select(.nfqd.kind == \"$1\") | .nfqd.by" "$lab_dir/eve.json" | sort -u | paste -sd,; }
has_by() { [[ $(by exception),$(by mode),$(by sign-in) == *' for admin,'*' for admin,uid '* || $(by exception) == *'nfqd-console for admin'* ]]; }
ok "each change and sign-in left a record with who" lab_wait 15 has_by

nfqd_stop
like "$(in_router curl -s --unix-socket "$lab_dir/console.sock" http://console/)" 'No nfqd answers' "without a daemon the first page says that nothing is protected"
is "$(api status | jq -c '[.protected, .reasons[0].reason]')" '[false,"no-daemon"]' "and so does the API"
lab_end console TERM
is $? 0 "the console ends when it is told to"
done_testing
