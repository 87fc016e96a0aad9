#!/bin/bash
# Proves: `nfqctl status` says in its first line, and by its exit status, whether listed names are refused, since
# when and by which packs; each reason why not; the last reload that failed; who may not ask is told so; and the
# manual names every key of its JSON.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig jq setpriv iptables dnsmasq unbound nginx openssl curl "$LAB_PYTHON"

first() { nfqd_ctl status | head -n 1; }
reasons() { nfqd_ctl status --json | jq -c '[.protected, (.reasons | map(.reason))]'; }
code() { nfqd_ctl status >"$lab_dir/status"; echo $?; }
reload() { sed -i "$1" "$lab_dir/nfqd.yaml"; nfqd_ctl reload >/dev/null 2>&1; }
protected() { [ "$(reasons)" = '[true,[]]' ]; }
when='20[0-9-]+T[0-9:]+Z'

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"

# ---- protected ----

is "$(code)" 0 "protected: exit status 0"
like "$(head -n 1 "$lab_dir/status")" "^protected since $when by kaspersky [0-9.]+$" "since when, and by which pack"
is "$(awk 'length > 200' "$lab_dir/status")" "" "no line is endless"
since=$(nfqd_ctl status --json | jq -r .since)
is "$(nfqd_ctl status --json | jq -c '[.schema, .protected, .reasons, .reload]')" \
	'[1,true,[],{"at":null,"failed":false,"failed_at":null,"error":null}]' "and for programs"
in_manual=$(sed -n '/^\.Sh STATUS AS JSON/,/^\.Sh EXAMPLES/p' nfqd/man/nfqctl.1 | sed -n 's/^\.It Ql //p' | tr -d ' ' | tr ',' '\n' | sort | paste -sd' ')
in_answer=$(nfqd_ctl status --json | jq -r 'keys | .[]' | sort | paste -sd' ')
is "${in_manual/capture /}" "$in_answer" "the manual names the keys"

# ---- not protected ----

nfqd_ctl mode log >/dev/null
is "$(code) $(reasons)" '1 [false,["mode"]]' "mode log: exit status 1"
like "$(first)" "^NOT PROTECTED since $when: the mode is log: nothing is refused$" "and the reason"
nfqd_ctl mode off >/dev/null
is "$(code) $(reasons)" '1 [false,["mode"]]' "mode off"
sed 's/^expires: .*/expires: 2026-01-01/; s/^version: .*/version: 2025.12.1.1/' rules/kaspersky.yaml >"$lab_dir/old.yaml"
ok "a pack that has expired is loaded" reload "s,^rules:.*,rules: [$lab_dir/old.yaml],"
is "$(reasons)" '[false,["mode","pack-expired"]]' "two reasons"
like "$(nfqd_ctl status | head -n 2)" "the mode is off.*
  and pack kaspersky 2025\.12\.1\.1 expired on 2026-01-01: get a newer one" "a line more"
nfqd_ctl mode enforce >/dev/null
is "$(code) $(reasons)" '1 [false,["pack-expired"]]' "one is left"
ok "a second later" lab_wait 3 eval '[[ $(date -u +%FT%TZ) > $since ]]'
ok "a newer one" reload "s,^rules:.*,rules: [$LAB_REPO/rules/kaspersky.yaml],"
ok "protected again" lab_wait 5 protected
now=$(nfqd_ctl status --json | jq -r .since)
ok "since now" test "$now" \> "$since"

# a table of that name which only its owner may change, as long as it lives
mkfifo "$lab_dir/owner"
lab_spawn owner "$LAB_ROUTER" sh -c 'exec nft -i <"$0"' "$lab_dir/owner"
exec 9>"$lab_dir/owner"
echo 'delete table inet nfqd; add table inet nfqd { flags owner; }' >&9
not_steering() { [ "$(code) $(reasons)" = '1 [false,["not-steering"]]' ]; }
ok "a table that cannot be put back: not steering" lab_wait 20 not_steering
exec 9>&-
ok "and put back when it can" lab_wait 20 protected

# ---- reloads ----

is "$(nfqd_ctl status | grep -c ^reload:)" 0 "no reload has failed"
ok "one fails" eval '! reload "s/^mode: .*/mode: enfroce/"'
like "$(nfqd_ctl status)" "
reload: THE LAST ONE FAILED at $when: .*nfqd\.yaml:1:.*enfroce.*the running rules stay" "said, with the reason"
is "$(code) $(nfqd_ctl status --json | jq -c '.reload | [.failed, .failed_at == .at, (.error | test("enfroce"))]')" \
	"0 [true,true,true]" "what runs protects all the same"
ok "one does not" reload "s/^mode: .*/mode: enforce/"
like "$(nfqd_ctl status)" "
reload: one failed, a later one did not, at $when: .*enfroce" "what failed last is still there"

# ---- who may not ask, and nobody who answers ----

cp "$NFQCTL" "$lab_dir/nfqctl"
said=$(in_router setpriv --reuid=65534 --regid=65534 --clear-groups "$lab_dir/nfqctl" -s "$lab_dir/control.sock" status 2>&1)
is $? 1 "a stranger may not ask"
like "$said" 'only root and the group nfqd may ask' "and is told who may"
is "$(grep -c 'is nfqd running' <<<"$said")" 0 "not that nobody is there"
nfqd_stop
is $? 0 "nfqd stops"
said=$(nfqd_ctl status --json 2>/dev/null)
is "$? $(jq -c '[.schema, .protected, .reasons[0].reason]' <<<"$said")" '3 [1,false,"no-daemon"]' "no daemon: exit status 3, for programs, too"
done_testing
