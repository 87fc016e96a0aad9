#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: what nfqd was not told it says: whose rules it took where neither a configuration nor packs
# were named; a configuration that cannot be read is an error, never the built-in one in its place.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
nfqd=${NFQD:-build/nfqd} nfqctl=${NFQCTL:-build/nfqctl}
work=$(mktemp -d) || bail "no temporary folder"
trap 'rm -rf "$work"' EXIT
python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))' >"$work/empty.pcap"

run() { "$nfqd" "$@" 2>"$work/stderr"; }
is "$(run -r "$work/empty.pcap")" "" "a capture without packets: no record"
like "$(<"$work/stderr")" 'without a configuration: by (the canary alone|/.*/kaspersky\.yaml)' "and whose rules were taken"
run -r "$work/empty.pcap" --rules rules/kaspersky.yaml
is "$(<"$work/stderr")" "" "packs that were named are not repeated"
run -r "$work/empty.pcap" -c nfqd/man/nfqd.yaml
is "$(<"$work/stderr")" "" "nor a configuration"

# ---- every mistake gets an answer ----

cat >"$work/wrong.yaml" <<END
mode: enforc
rules: [$PWD/rules/kaspersky.yaml]
inspect: {inside: [auto, lan0], nat64: [1.2.3.4], proxies: [3128, 70000]}
policies:
  - {name: a, clients: [10.0.0.300], action: alow}
  - {name: b, match: {packs: [kasperski]}, action: reject}
exceptions:
  - {name: x, names: ["*.com"], owner: o, reason: r, expires: 2026-02-30}
colour: red
sightings: {names: [10.0.0.7 printer, printer]}
END
run -t -c "$work/wrong.yaml"
is "$? $(grep -v warning "$work/stderr" | cut -d: -f3 | tr -d '\n')" "1 159310335688 11 mistakes" "-t: the line of every mistake, and how many there are"
for what in "'enforc' is not one of" "'alow' is not one of" "unknown key 'colour'" "'auto' cannot be" "'printer' is not an address" "'1.2.3.4' is not" "'70000' is not a port" "'10.0.0.300'" \
	"pack 'kasperski' is unknown" "'2026-02-30' is not a date" "name '\*.com'"; do
	is "$(grep -c -- "$what" "$work/stderr")" 1 "-t: $what"
done
echo 'mode: log' >"$work/empty.yaml"
run -t -c "$work/empty.yaml"
is "$? $(<"$work/stderr")" "1 nfqd: $work/empty.yaml:1: missing key 'rules'" "-t: one mistake is said once"
cat >"$work/odd.yaml" <<END
rules: [$PWD/rules/kaspersky.yaml]
policies:
  - {name: first, clients: [lan0, 10.0.0.0/8], match: {packs: [kaspersky]}, action: log}
  - {name: narrow, clients: [lan0], match: {packs: [kaspersky], categories: [update]}, action: reject}
  - {name: other, clients: [lan1], match: {packs: [kaspersky]}, action: reject}
  - {name: wide, match: {packs: [kaspersky]}, action: reject}
exceptions:
  - {name: old, names: [a.example.com], owner: o, reason: r, expires: 2026-02-20}
END
is "$(run -t -c "$work/odd.yaml")" "$work/odd.yaml: configuration OK" "-t: what is only odd is OK"
is "$(sed 's/^nfqd: warning: policy: //' "$work/stderr")" "$work/odd.yaml:8: exception 'old' has expired: it allows nothing
policy 'narrow' is never reached: policy 'first' before it matches all that it does" "-t: and is said"
printf 'rules: [x]\nexceptions:\n  - names: [*.example.com]\n' >"$work/star.yaml"
run -t -c "$work/star.yaml"
like "$(<"$work/stderr")" "star.yaml:3: text that begins with '\*' needs quotes: quote it" "-t: an unquoted *.name"
run foo
is "$? $(head -n 1 "$work/stderr")" "2 nfqd: unexpected argument 'foo'" "an argument too many is named"
# What is wrong on a command line is named, before the usage.
usage() {	# ARGUMENTS... FAULT: with exit status 2
	local fault=${*: -1}

	"$nfqctl" -s "$work/none" "${@:1:$#-1}" </dev/null >"$work/stdout" 2>"$work/stderr"
	is "$? $(head -n 1 "$work/stderr") $(<"$work/stdout")" "2 nfqctl${fault/#[!:]/ &} " "nfqctl ${*:1:$#-1}: $fault"
}
usage why "why: NAME is missing"
usage why a b "why: unexpected argument 'b'"
usage why --foo a "why: unrecognized option '--foo'"
usage why -c a --rules b c "why: -c and --rules exclude each other"
usage status $'\e[31m' "status: unexpected argument '\x1b[31m'"
usage reload now "reload: unexpected argument 'now'"
usage metrics a "metrics: unexpected argument 'a'"
usage doctor a "doctor: unexpected argument 'a'"
usage allow "allow: NAME is missing"
usage allow a --for 1h "allow: --reason is missing"
usage allow a --reason b "allow: --for or --until is missing"
usage allow a --for 1h --until 2030-01-01 --reason b "allow: --for and --until exclude each other"
usage allow a --for 1h --reason b --config c "allow: --config is for --for ever"
usage block "block: NAME is missing"
usage exceptions a "exceptions: unexpected argument 'a'"
usage mode log off "mode: unexpected argument 'off'"
usage mode --for 1h "mode: --for needs a mode"
# A value that cannot be is a usage error, too, daemon or not.
usage mode foo "mode: mode: 'foo' is unknown (allowed: enforce, log, off)"
usage mode log --for 0s "mode: --for: '0s' is not a length of time up to a year (write 90s, 10m, 1h or 7d)"
usage mode log --for -1h "mode: --for: '-1h' is not a length of time up to a year (write 90s, 10m, 1h or 7d)"
usage why a.example --at foo "why: at: 'foo' is not a time (write 2024-09-29 or 2024-09-29T04:00:00Z)"
usage why a.example --port 99999 "why: port: '99999' is not a port (write 443, tcp/443 or udp/443)"
usage why a.example --client 'a b' "why: --client: 'a b' is not an address, a network such as 10.0.0.0/8 with zero bits after the prefix, a MAC, an interface of this machine, the name of a machine that called, or this-machine"
usage why 300.1.1.1 "why: '300.1.1.1' is neither a name nor an address"
usage why '' ": the argument after 'why' is empty"
usage why $'a\e.b' "why: 'a\x1b.b' is not a name: there is a control character in it"
usage why "$(printf 'a%.0s' {1..300}).b" "why: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' is longer than the 253 characters of a name"
usage allow a.example --until foo --reason b "allow: --until: 'foo' is not a date (write 2027-03-01 or 2027-03-01T12:00:00Z)"
usage hosts --since 2026-01-02 --until 2026-01-01 "hosts: --since is after --until"
usage rules update --key x "rules update: --key: 'x': not a verifier key (NAME+HASH+DATA)"
usage allow a.example --for 2w3 --reason r "allow: --for: '2w3' is not a length of time up to a year (write 90s, 10m, 1h or 7d)"
usage allow a.example --for 99999999w --reason r "allow: --for: '99999999w' is not a length of time up to a year (write 90s, 10m, 1h or 7d)"
usage allow com --for 1h --reason r "allow: 'com' is a public suffix: everybody's names are below it"
usage allow a.example --for ever --json "allow: --for ever and --json exclude each other"
usage block com "block: 'com' is a public suffix: everybody's names are below it"
usage block .co.uk "block: '.co.uk' is a public suffix: everybody's names are below it"
usage block 10.0.0.1 "block: '10.0.0.1' is an address; this is for names"
usage block 'a"b' "block: name 'a\"b': '\"' cannot be part of a name"
usage block a.example --client 10.0.0.300 "block: --client: '10.0.0.300' is not an address, a network such as 10.0.0.0/8 with zero bits after the prefix, a MAC, an interface of this machine, the name of a machine that called, or this-machine"
usage block a.example --reason 'a"b' "block: name, client and reason may have no quotes, backslashes or control characters"
usage tail --action shoot a "tail: --action: 'shoot' is unknown (allowed: allow, log, reject, drop, allowed, blocked)"
usage hosts --sort foo "hosts: --sort: 'foo' is unknown (allowed: last, first, name, refused, logged, leaked)"
usage hosts --since foo "hosts: --since: 'foo' is not a time (write 7d, 2026-11-23 or 2026-11-23T12:00:00Z)"
usage evidence foo a "evidence: 'foo' is not a record (SENSOR/BOOT/SEQ)"
usage log prove foo a "log prove: 'foo' is not a record (BOOT:SEQ, or SENSOR/BOOT/SEQ)"
usage rules export --format hosts --categories update,x a "rules export: --categories: 'x' is unknown (allowed: update, telemetry, reputation, activation, account, push, crash, web, resolver, canary, firmware, licence)"
usage top a b "top: unexpected argument 'b'"
usage tail a b "tail: unexpected argument 'b'"
usage hosts a "hosts: unexpected argument 'a'"
usage hosts --db a --from b "hosts: --db and --from exclude each other"
usage host "host: ID is missing"
usage host a --split b --forget "host: --forget and --split exclude each other"
usage report "report: one of --html, --csv and --json is missing"
usage report --csv --json "report: --csv and --json exclude each other"
usage preview --pack a -c b "preview: -c and --pack exclude each other"
usage sightings "sightings: a command is missing"
usage sightings rebuild "sightings rebuild: LOG is missing"
usage log key a "log key: unexpected argument 'a'"
usage log verify "log verify: FILE is missing"
usage log verify a --key b "log verify: 'b': not a verifier key (NAME+HASH+DATA)"
usage log prove 1:1 "log prove: FILE is missing"
usage log resend x "log resend: 'x' is not a range of records"
usage log resend 1:1 --output 1x "log resend: --output: '1x' is not the number of an output"
usage replay "replay: FILE is missing"
usage evidence "evidence: SENSOR/BOOT/SEQ is missing"
usage rules show "rules show: NAME|ADDRESS|ID is missing"
usage rules list a "rules list: unexpected argument 'a'"
usage rules lint "rules lint: FILE is missing"
usage rules diff a "rules diff: NEW is missing"
usage rules check "rules check: --popular is missing"
usage rules cite "rules cite: --against is missing"
usage rules export a "rules export: --format is missing"
usage rules export --format hosts "rules export: PACK is missing"
usage rules import auto "rules import: FILE is missing"
usage rules import hosts a --out b.yaml --exceptions c "rules import: --exceptions: 'c' is not own or global"
usage rules new "rules new: VENDOR is missing"
usage rules publish a "rules publish: --key is missing"
usage rules sids "rules sids: FILE is missing"
usage rules update a "rules update: unexpected argument 'a'"
usage completion "completion: SHELL is missing"
usage completion tcsh "completion: 'tcsh' is none of these shells"
said=$("$nfqctl" log verify /etc/passwd 2>&1)
is "$? $said" "1 nfqctl log verify: /etc/passwd: none of the lines is a record of nfqd" "nfqctl log verify of a file of another kind proves nothing"
for what in "top --once" tail; do
	# shellcheck disable=SC2086 # words
	like "$("$nfqctl" $what / 2>&1)" 'nfqctl (top|tail): /: Is a directory' "nfqctl $what of a folder"
done
run -i ''
is "$? $(head -n 1 "$work/stderr")" "2 nfqd: an argument is empty" "nfqd: an empty argument"
run -r x --events foo
is "$? $(head -n 1 "$work/stderr")" "2 nfqd: --events: 'foo' is unknown (allowed: matches, all)" "nfqd --events: the words"
for what in "top --once" tail; do
	# shellcheck disable=SC2086 # words
	said=$("$nfqctl" $what /etc/passwd 2>&1)
	like "$? $said" '^1 nfqctl (top|tail): /etc/passwd: none of its (last )?lines is a record of nfqd$' "nfqctl $what of a file of another kind"
done
echo '{"nfqd": {"vendor": "Acme", "action": "reject"}}' >"$work/one.json"
is "$("$nfqctl" tail --vendor nope "$work/one.json" 2>&1)" "nfqctl tail: none of the last 1 records matches; none is of a vendor or pack 'nope'" \
	"nfqctl tail: why nothing is shown"
is "$("$nfqctl" tail --vendor acme "$work/one.json" 2>&1 | wc -l)" 1 "a vendor that is there, in any case of letters"
said=$("$nfqctl" hosts --db "$work/none.db" 2>&1)
is "$? $said" "1 nfqctl hosts: $work/none.db: No such file or directory" "nfqctl hosts: a database that is not there"
if [ ! -e /var/lib/nfqd/sightings/sightings.db ]; then
	said=$("$nfqctl" -s "$work/none" hosts 2>&1)
	like "$said" 'No such file or directory .*is it running\?.*--from' "nfqctl hosts without a daemon: what helps"
fi
printf 'rules: [%s]\npolicies:\n  - {name: "own b.example", match: {packs: [kaspersky]}, action: log}\n' "$PWD/rules/kaspersky.yaml" >"$work/own-conf.yaml"
# A word that is no client here is refused; an interface may come later.
said=$("$nfqctl" -s "$work/none" block a.example --client tims-laptop -c "$work/own-conf.yaml" 2>&1)
like "$? $said" "^2 .*--client: 'tims-laptop' is not .*the name of a machine that called" "nfqctl block --client: an unknown name"
ok "which is not written" test ! -e "$work/own.yaml"
# What block writes holds without a daemon; what would not load leaves the file as it was.
said=$("$nfqctl" -s "$work/none" block a.example -c "$work/own-conf.yaml" 2>"$work/stderr")
is "$? $said $(<"$work/stderr")" "0 a.example: blocked, for everybody, for ever ($work/own.yaml)
no daemon answers at $work/none: it is in force when nfqd starts " "block without a daemon says what it did"
like "$("$nfqctl" -s "$work/none" block c.example --client wg7 --force -c "$work/own-conf.yaml" 2>&1)" \
	"'wg7' is taken for an interface that is not there.*blocked, for wg7, for ever" "--force: an interface that is not there yet"
cp "$work/own.yaml" "$work/own.before"
said=$("$nfqctl" -s "$work/none" block b.example -c "$work/own-conf.yaml" 2>&1)
is "$? $said $(cmp "$work/own.yaml" "$work/own.before")" "1 nfqctl: $work/own-conf.yaml:3: policy 'own b.example': an earlier policy has the same name " \
	"one that does not load leaves the file as it was"
for what in "rules list --rules rules" "rules list --rules rules/canary.yaml" "completion bash" "--help" "--version"; do
	# shellcheck disable=SC2086 # words
	said=$("$nfqctl" $what 2>&1 >/dev/full)
	is "$? $said" "1 nfqctl: standard output: No space left on device" "nfqctl $what on a full disk is a failure"
done
for what in -V -h "-t -c nfqd/man/nfqd.yaml"; do
	# shellcheck disable=SC2086 # words
	said=$("$nfqd" $what 2>&1 >/dev/full)
	is "$? $said" "1 nfqd: standard output: No space left on device" "nfqd $what on a full disk is a failure"
done
: >"$work/eve.json"
said=$(TERM=xterm timeout 10 "$nfqctl" top "$work/eve.json" </dev/null 2>"$work/stderr")
is "$? $said$(<"$work/stderr")" "1 nfqctl top: standard output is not a terminal that can show it; --once prints a table" "nfqctl top into a pipe says so"

# The default configuration, in a mount namespace of our own: missing, there, and there but unreadable.
if ! unshare -rm true 2>/dev/null; then
	diag "no mount namespaces here: the default configuration is not tried"
	done_testing
fi
at_etc() {	# COMMAND...: where /etc/nfqd is $work/etc, and nothing else is in /etc
	unshare -rm sh -c 'mount -t tmpfs none /etc && mkdir /etc/nfqd && cp -a "$1"/etc/. /etc/nfqd && shift && exec "$@"' \
		sh "$work" "$@" 2>"$work/stderr"
}
mkdir "$work/etc"
is "$(at_etc "$nfqd" -t; echo $?) $(grep -c 'no configuration: /etc/nfqd/nfqd.yaml' "$work/stderr")" "1 1" "none: -t says so, and fails"
echo "rules: [$PWD/rules/kaspersky.yaml]" >"$work/etc/nfqd.yaml"
is "$(at_etc "$nfqd" -t) $(<"$work/stderr")" "/etc/nfqd/nfqd.yaml: configuration OK " "one: taken, and named"
ln -sf nfqd.yaml "$work/etc/nfqd.yaml"
is "$(at_etc "$nfqd" -t) $(<"$work/stderr")" " nfqd: /etc/nfqd/nfqd.yaml: Too many levels of symbolic links" "one that cannot be read: an error"
done_testing
