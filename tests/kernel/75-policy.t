#!/bin/bash
# Proves: what people change at run time takes effect on real packets, at once, and for as long as they
# said: exceptions (their owner is who asked, whatever he sends; kept over a restart; a damaged file
# is set aside), modes, rules that are read again, policies by every kind of client and answer, packs
# that are only observed, and a clock that is wrong.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig unbound nginx curl jq socat "$LAB_PYTHON"

NAME=s07.upd.kaspersky.com

# asked [RESOLVER [NAME]]: the code that the client's question is answered with
asked() { in_client dig +time=2 +tries=1 "${2:-$NAME}" "@${1:-9.9.9.9}" | grep -o 'status: [A-Z]*' | cut -d' ' -f2; }
answers() { [ "$(asked)" = "$1" ]; }
fetch() { in_client curl -sk -o /dev/null -m 3 --resolve "$1:443:${LAB_WEB[4]}" "https://$1/"; echo $?; }
status() { nfqd_ctl status --json | jq -r "$1"; }
latest() { nfqd_log | tail -n 1 | jq -r "$1"; }

start() {	# with the configuration that is there
	[ -n "${LAB_WITHOUT_NFQD:-}" ] && return
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
}
restart() { nfqd_stop; start; }

# policies YAML...: a configuration with these instead
policies() {
	nfqd_conf | awk '/^policies:/ { skip = 1 } /^default:/ { skip = 0 } !skip' >"$lab_dir/nfqd.yaml"
	printf 'policies:\n' >>"$lab_dir/nfqd.yaml"
	printf '  - %s\n' "$@" >>"$lab_dir/nfqd.yaml"
}
reloaded() { policies "$@"; nfqd_ctl reload >/dev/null || diag "reload failed"; }

exceptions() {
	is "$(asked)" NXDOMAIN "a listed name is refused"
	like "$(nfqd_ctl allow $NAME --client 10.1.0.2 --for 1h --reason 'update day')" 'allow-1: .* 10\.1\.0\.2 .*\(root: update day\)' "allow says what it did"
	is "$(asked)" NOERROR "the same name is answered at once"
	lab_wait 3 nfqd_has_records 2
	is "$(latest '.nfqd | "\(.action) \(.would) \(.exception)"')" "allow reject allow-1" "the record names the exception"
	is "$(fetch $NAME)" 0 "TLS to it passes, too"
	is "$(asked "" s08.upd.kaspersky.com)" NXDOMAIN "its neighbour is still refused"
	is "$(in_router dig +time=2 +tries=6 $NAME @9.9.9.9 | grep -o NXDOMAIN)" NXDOMAIN "and so is another client"
	is "$(nfqd_ctl why $NAME --client 10.1.0.2 --json | jq -c '[.action, .would, .exception.name]')" '["allow","reject","allow-1"]' "why knows it"
	is "$(nfqd_ctl exceptions --revoke $NAME --json | jq -c .)" '{"revoked":1}' "it is revoked"
	is "$(asked)" NXDOMAIN "and the name refused again"
	nfqd_ctl allow $NAME --for 2s --reason 'a moment' >/dev/null
	is "$(asked)" NOERROR "an exception for two seconds: answered"
	ok "and refused again by itself" lab_wait 5 answers NXDOMAIN
	nfqd_ctl allow .upd.kaspersky.com --until "$(date -u -d '+2 days' +%F)" --reason zone >/dev/null
	is "$(asked "" s08.upd.kaspersky.com)" NOERROR "an exception for a zone"
	nfqd_ctl exceptions --revoke .upd.kaspersky.com >/dev/null
}

refused_exceptions() {
	local year

	year=$(date -u -d '+400 days' +%F)
	like "$(nfqd_ctl allow $NAME --until "$year" --reason x 2>&1)" 'within a year' "longer than a year is refused"
	like "$(nfqd_ctl allow $NAME --for 0s --reason x 2>&1)" "'0s'" "no time is refused"
	like "$(nfqd_ctl allow '*.com' --for 1h --reason x 2>&1)" "name '\*\.com': a label of '\*' alone" "what is not a name is refused, and named"
	like "$(nfqd_ctl allow $NAME --client 10.1.0.300 --for 1h --reason x 2>&1)" "client: '10\.1\.0\.300' is not" "a mistyped address, too"
	like "$(nfqd_ctl allow $NAME --for 1h --reason $'a\e[2J' 2>&1)" 'reason' "a reason that would paint the screen is refused"
	like "$(nfqd_ctl allow $NAME --for 1h 2>&1)" 'usage' "and none at all"
	like "$(nfqd_ctl exceptions --revoke nothing 2>&1)" "no exception has the name or id 'nothing'" "revoking what is not there"
	like "$(setpriv --reuid=65534 --regid=65534 --clear-groups /proc/self/fd/3 -s "$lab_dir/control.sock" status 2>&1 3<"$NFQCTL")" \
		'only root and the group nfqd may ask' "and who may not ask is told who may"
	is "$(nfqd_ctl exceptions --json | jq '.exceptions | length')" 0 "none of them is in the list"
	is "$(asked)" NXDOMAIN "nothing passes by them"
}

configured() {
	cat >>"$lab_dir/nfqd.yaml" <<-END
		exceptions:
		  - {name: case, names: [$NAME], owner: alice, reason: tests, expires: $(date -u -d '+2 days' +%F)}
	END
	nfqd_ctl reload >/dev/null
	is "$(asked)" NOERROR "an exception of the configuration"
	is "$(nfqd_ctl exceptions --json | jq -r '.exceptions[] | "\(.id) \(.owner) \(.from)"')" "case alice configuration" "it is listed"
	like "$(nfqd_ctl exceptions --revoke case 2>&1)" 'case.* is in .*nfqd\.yaml' "and ends where it was made"
	nfqd_conf >"$lab_dir/nfqd.yaml"
	nfqd_ctl reload >/dev/null
	is "$(asked)" NXDOMAIN "without it the name is refused"
}

raw() { in_router socat -t 5 - "UNIX-CONNECT:$lab_dir/control.sock"; }

ALLOW='{"command":"allow","name":"b.upd.kaspersky.com","for":"1h","reason":"x","owner_there":"alice"}'

owners() {
	is "$(echo '{"command":"allow","name":"a.upd.kaspersky.com","for":"1h","reason":"x","owner":"mallory","caller":"mallory"}' | raw | jq -r .exception.owner)" \
		root "the owner is who asked, not who he says he is"
	chmod 711 "$lab_dir"
	chmod 666 "$lab_dir/control.sock"
	in_router setpriv --reuid=65534 --regid=65534 --clear-groups "$NFQCTL" -s "$lab_dir/control.sock" allow b.upd.kaspersky.com --for 1h --reason x >/dev/null
	is "$(nfqd_ctl exceptions --json | jq -c '[.exceptions[].owner]')" '["root","nobody"]' "another user is another owner"
	is "$(echo "${ALLOW/b.upd/c.upd}" | in_router setpriv --reuid=65534 --regid=65534 --clear-groups socat -t 5 - "UNIX-CONNECT:$lab_dir/control.sock" |
		jq -r .error)" "only root may import the exceptions of others" "who is not root cannot name an owner as an import does"
	chmod 600 "$lab_dir/control.sock"
	is "$(echo "$ALLOW" | raw | jq -r .exception.owner)" alice "root can"
	for name in a b; do nfqd_ctl exceptions --revoke $name.upd.kaspersky.com >/dev/null; done
}

restarts() {
	nfqd_ctl allow $NAME --for 1h --reason 'over a restart' >/dev/null
	nfqd_ctl mode log >/dev/null
	restart
	is "$(asked)" NOERROR "an exception is kept over a restart"
	is "$(nfqd_ctl exceptions --json | jq -r '.exceptions[0].reason')" "over a restart" "with its reason"
	is "$(status .mode)" enforce "a mode is not"
	nfqd_stop
	echo '{"version": 1, "exceptions": [{"name":' >"$lab_dir/state.json"
	start
	is "$(asked)" NXDOMAIN "with a damaged state file the daemon starts, and protects"
	like "$(<"$lab_dir/nfqd.log")" 'state\.json:[0-9]+: .*kept as .*state\.json\.damaged' "it says which file and what is wrong"
	is "$(cat "$lab_dir"/state.json.damaged-*)" '{"version": 1, "exceptions": [{"name":' "the damaged file is kept"
	like "$(status .state.problem)" 'state\.json:[0-9]+: ' "status shows it"
}

modes() {
	local records

	records=$(nfqd_records)
	like "$(nfqd_ctl mode off)" 'mode off' "mode off"
	is "$(asked) $(fetch $NAME)" "NOERROR 0" "mode off: DNS and TLS pass"
	is "$(nfqd_records)" "$records" "mode off: nothing is recorded"
	is "$(nfqd_ctl mode log --json | jq -r '.mode, .mode_until, .mode_configured' | xargs)" "log null enforce" "mode log"
	is "$(asked)" NOERROR "mode log: answered"
	lab_wait 3 nfqd_has_records $((records + 1))
	is "$(latest '.nfqd | "\(.action) \(.would)"')" "log reject" "mode log: recorded, with what would be done"
	nfqd_ctl reload >/dev/null
	is "$(status .mode) $(asked)" "log NOERROR" "a reload keeps the mode"
	nfqd_ctl mode enforce >/dev/null
	is "$(asked)" NXDOMAIN "mode enforce"
	nfqd_ctl mode off --for 2s >/dev/null
	is "$(asked)" NOERROR "off for two seconds"
	like "$(nfqd_ctl status)" 'mode off until 20' "status says until when"
	ok "and back by itself" lab_wait 5 answers NXDOMAIN
	is "$(status '.mode, .mode_until' | xargs)" "enforce null" "status knows"
	nfqd_ctl mode off --for 2s >/dev/null
	nfqd_ctl mode log >/dev/null
	is "$(status '.mode, .mode_until' | xargs)" "log null" "a new mode ends the timer of the one before"
	nfqd_ctl mode enforce >/dev/null
	like "$(nfqd_ctl mode on 2>&1)" "'on' is unknown \(allowed: enforce, log, off\)" "an unknown mode"
}

all="match: {packs: [kaspersky]}, action: reject"
by_client() {
	local mac

	mac=$(ip -n "$LAB_CLIENT" -j link show eth0 | jq -r '.[0].address')
	reloaded "{name: a, clients: [10.1.0.2], $all, dns: refused}" "{name: b, action: allow}"
	is "$(asked) $(asked 2620:fe::9)" "REFUSED NOERROR" "a client by address; dns: refused"
	reloaded "{name: a, clients: ['fd00:1::/64'], $all, dns: nodata}" "{name: b, action: allow}"
	is "$(asked) $(asked 2620:fe::9)" "NOERROR NOERROR" "by network; dns: nodata"
	is "$(in_client dig +short $NAME @2620:fe::9)" "" "nodata: no address"
	reloaded "{name: a, clients: ['$mac'], $all, dns: sinkhole}" "{name: b, action: allow}"
	is "$(in_client dig +short $NAME @9.9.9.9) $(in_client dig +short -t AAAA $NAME @2620:fe::9)" "0.0.0.0 ::" "by MAC; dns: sinkhole"
	reloaded "{name: a, clients: [lan0], $all}" "{name: b, action: allow}"
	is "$(asked)" NXDOMAIN "by interface; dns: nxdomain"
	reloaded "{name: a, clients: [10.9.9.9, 'fd99::/16', '02:00:00:00:00:09', lan9], $all}" "{name: b, action: allow}"
	is "$(asked) $(asked 2620:fe::9)" "NOERROR NOERROR" "other clients"
}

by_match() {
	reloaded "{name: a, match: {ports: [tcp/443]}, action: reject}" "{name: b, action: allow}"
	is "$(asked) $(fetch $NAME)" "NOERROR 35" "a policy of one port"
	reloaded "{name: a, match: {categories: [activation]}, action: reject}" "{name: b, action: log}"
	is "$(asked) $(asked "" activation-v2.kaspersky.com)" "NOERROR NXDOMAIN" "of one category"
	reloaded "{name: a, match: {confidence: [low]}, action: reject}" "{name: b, action: log}"
	is "$(asked) $(asked "" some.kaspersky.com)" "NOERROR NXDOMAIN" "of one confidence"
	reloaded "{name: a, match: {products: [none such]}, action: reject}" "{name: b, action: log}"
	is "$(asked)" NOERROR "of a product that the entry is not about"
	reloaded "{name: a, match: {packs: [canary]}, action: reject}" "{name: b, action: log}"
	is "$(asked) $(asked "" blocked.nfqd.invalid)" "NOERROR NXDOMAIN" "of another pack"
	reloaded "{name: a, until: 2020-01-01, action: allow}" "{name: b, from: 2020-01-01, action: reject}"
	is "$(asked)" NXDOMAIN "from and until"
}

observing() {
	nfqd_stop
	rm "$lab_dir/state.json"
	policies "{name: site, match: {packs: [kaspersky]}, action: stage, observe-for: 2d}"
	start
	is "$(asked) $(asked "" blocked.nfqd.invalid)" "NOERROR NXDOMAIN" "a pack that is new is only observed; the canary is not of it"
	like "$(nfqd_ctl status)" 'only observed until 20' "status says so"
	like "$(nfqd_ctl why $NAME)" 'log.*the pack is new: it is only observed until' "why, too"
	nfqd_stop
	jq -c '.first_seen.kaspersky = "2026-01-02"' "$lab_dir/state.json" >"$lab_dir/aged.json"
	mv "$lab_dir/aged.json" "$lab_dir/state.json"
	start
	is "$(asked)" NXDOMAIN "when the time is over it is enforced"
}

# A pack of the future, with a stage of its own time: the clock says neither has come.
wrong_clock() {
	cat >"$lab_dir/future.yaml" <<-END
		pack: future
		vendor: Future
		version: 2099.03.01.1
		sources: [{id: s, title: t}]
		stages: [{id: later, from: 2099-01-01, action: block, basis: site, citation: c}]
		entries: [{id: e, names: [future.example.org], category: update, sources: [s], confidence: high, side_effect: none}]
	END
	nfqd_conf | sed "s,^rules:.*,rules: [$lab_dir/future.yaml]," >"$lab_dir/nfqd.yaml"
	sed -i 's/kaspersky\]/future]/' "$lab_dir/nfqd.yaml"
	restart
	is "$(asked "" future.example.org)" NXDOMAIN "a clock before the pack's date does not disarm its stage"
	is "$(grep -c 'clock: .*wrong' "$lab_dir/nfqd.log")" 1 "it is said once"
	is "$(status '.clock.wrong, .clock.judged_as' | xargs)" "true 2099-02-28T10:00:00Z" "and in status"
	is "$(nfqd_ctl why future.example.org --at 2098-12-31 --json | jq -r .action)" log "why for a time of one's own does not care"
}

reloads() {
	cp rules/kaspersky.yaml "$lab_dir/pack.yaml"
	nfqd_conf | sed "s,^rules:.*,rules: [$lab_dir/pack.yaml]," >"$lab_dir/nfqd.yaml"
	restart
	sed -i 's/^version: .*/version: 2026.11.23.9/; s/^  - id: kav-update-downloads$/  - id: kav-other-id/; 0,/names: \["s\[00-19\]/s//names: ["s[00-29]/' "$lab_dir/pack.yaml"
	is "$(nfqd_ctl reload --json | jq -c '[.from, .to, .entries_added, .entries_removed, .names_added, .names_removed, .packs]')" \
		'[1,2,1,1,10,0,[{"pack":"kaspersky","from":"'"$(awk '$1 == "version:" { print $2 }' rules/kaspersky.yaml)"'","to":"2026.11.23.9"}]]' "reload says what it changed"
	is "$(asked "" s25.upd.kaspersky.com)" NXDOMAIN "and it is live"
	like "$(nfqd_ctl reload)" 'generation 2 -> 3.*0 added, 0 removed' "nothing changed"
	echo "nonsense: true" >>"$lab_dir/pack.yaml"
	like "$(nfqd_ctl reload 2>&1)" 'pack\.yaml:[0-9]+: ' "a bad pack: file and line"
	is "$(asked "" s25.upd.kaspersky.com) $(status .generation)" "NXDOMAIN 3" "the old rules stay"
	nfqd_ctl allow s25.upd.kaspersky.com --for 1h --reason x >/dev/null
	is "$(asked "" s25.upd.kaspersky.com)" NOERROR "exceptions do not need the packs' files"
}

# Names that no pack has, and what holds for ever: in a file that the configuration includes.
own_names() {
	local own="$lab_dir/own.yaml" conf="$lab_dir/nfqd.yaml"

	reloaded "{name: kids, clients: [10.9.9.9], match: {names: [.games.example]}, action: reject}" \
		"{name: mine, match: {names: ['ads[1-3].example', .play.example]}, action: reject, dns: refused}" "{name: all, $all}"
	is "$(asked "" ads2.example) $(asked "" a.play.example) $(asked "" ads4.example)" "REFUSED REFUSED NOERROR" "names of a policy's own"
	is "$(asked "" a.games.example) $(fetch a.games.example)" "NOERROR 0" "of another client's policy: as if it listed nothing"
	is "$(fetch ads1.example)" 35 "TLS, too"
	echo 'list.example  # one' >"$lab_dir/my.txt"
	reloaded "{name: file, match: {names-file: my.txt}, action: reject}" "{name: all, $all}"
	is "$(asked "" list.example) $(asked "" ads2.example)" "NXDOMAIN NOERROR" "from a file beside the configuration"
	like "$(nfqd_ctl block www.example.net -c "$conf" --reason 'homework')" 'www.example.net: blocked, for everybody, for ever' "block says what it did"
	is "$(asked "" www.example.net)" NXDOMAIN "and it is refused"
	is "$(nfqd_ctl status | grep -c 'names of this site')" 1 "all such policies are one line of status"
	nfqd_ctl allow $NAME --for ever --client 10.1.0.2 --config "$conf" >/dev/null
	is "$(asked) $(in_router dig +time=2 +tries=6 $NAME @9.9.9.9 | grep -o NXDOMAIN)" "NOERROR NXDOMAIN" "allow --for ever, for one client"
	nfqd_ctl allow www.example.net --for ever --config "$conf" >/dev/null
	is "$(asked "" www.example.net) $(grep -c www.example.net "$own")" "NOERROR 1" "the later one takes the place of the earlier"
	cp "$own" "$lab_dir/own.before"
	like "$(nfqd_ctl block '*.com' -c "$conf" 2>&1)" "name '\*\.com': a label of" "what is not a name is refused"
	ok "and the file is as it was" cmp -s "$own" "$lab_dir/own.before"
	rm "$own"
}

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
exceptions
refused_exceptions
configured
owners
restarts
modes
by_client
by_match
own_names
observing
wrong_clock
reloads
nfqd_stop
is $? 0 "nfqd stops"
lab_down
done_testing
