#!/bin/bash
# Proves: `nfqctl rules verify` says so when an enforcing nfqd is on its way, also behind a resolver that
# answers for the canary itself, and never takes nfqd's answers for the vendor's; where nothing is
# blocked it says that it saw none.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dnsmasq unbound nginx jq openssl curl "$LAB_PYTHON"

NAME=s07.upd.kaspersky.com
verify() { in_client "$NFQCTL" rules verify "$@" "$LAB_REPO/rules/kaspersky.yaml"; }
# found SERVER: nfqd seen?, the canary, a name that is blocked, one that never is
found() {
	verify --json --server "$1" | jq -r --arg n $NAME '.packs[0].results as $r |
		"\(.enforcing_nfqd_seen) canary \(.canary.status) \(.canary.why // "")",
		($r[] | select(.name == $n or .name == "media.kaspersky.com") | "\(.name) \(.status) \(.why // "")")'
}
refused="$NAME blocked kaspersky/kav-update-mirrors"
open="media.kaspersky.com alive "

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
is "$(found 9.9.9.9)" "true canary blocked canary/canary-blocked
$open
$refused" "an enforcing nfqd in front of a public resolver"
like "$(verify --server 9.9.9.9)" '# canary blocked\.nfqd\.invalid: blocked: canary/canary-blocked
# BEHIND AN ENFORCING NFQD' "the text says so, too"
lab_spawn local-dns "$LAB_ROUTER" dnsmasq -k -C /dev/null --no-hosts --no-resolv --user=root --pid-file= -p 5353 \
	--bind-interfaces --listen-address="${LAB_OWN[4]}" --local=/invalid/ --server=8.8.8.8
lab_wait 5 lab_listens "$LAB_ROUTER" t 5353
is "$(found "${LAB_OWN[4]}:5353")" "true canary dead 
$open
$refused" "behind a resolver that knows no .invalid: a listed name tells"
nfqd_stop
sed -i 's/dns: nxdomain/dns: refused/' "$lab_dir/nfqd.yaml"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start"
is "$(found 9.9.9.9 | tail -n 1)" "$refused" "REFUSED is nfqd's answer, no failure"
nfqd_ctl mode log >/dev/null
is "$(found 9.9.9.9)" "false canary alive 
$open
$NAME alive " "where nothing is blocked: no nfqd seen"
nfqd_stop
done_testing
