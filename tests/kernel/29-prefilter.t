#!/bin/bash
# Proves: with inspect.prefilter a plain question for an unlisted name and its plain answer pass in the kernel and are
# never queued; everything else is queued and judged as without it: listed names in any case, what is not plain, names
# that a policy, a reload or an exception adds or takes, questions to the router's own resolver. An address of an answer
# that passed is not watched for a listed name. A removed table comes back with its programs. What cannot be is said.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx jq openssl setpriv "$LAB_PYTHON"

LISTED=s07.upd.kaspersky.com
declare -A DNS=([4]=8.8.8.8 [6]=2001:4860:4860::8888)

# prefiltered EVENTS: nfqd with the key
prefiltered() {
	{ nfqd_conf enforce open "$1"; echo "inspect: {prefilter: bpf}"; } >"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml" || return
	lab_wait 60 nfqd_ready_or_dead && nfqd_says_ready
}
filter() { nfqd_ctl status --json | jq -c ".steering.prefilter | $1"; }
passed() { filter ".passed_questions"; }
status_of() { in_client dig +time=2 +tries=2 "$@" | grep -oE 'status: \w+' | head -n 1; }
refused() { [ "$(status_of +notcp "$@")" = "status: NXDOMAIN" ]; }
answered() { [ "$(status_of +notcp "$@")" = "status: NOERROR" ]; }
# passes NAME [OPTION...]: its question is answered, and passed in the kernel
passes() {
	local before

	before=$(passed)
	answered "$@" "@${DNS[4]}" && lab_wait 1 more_passed "$before"
}
more_passed() { [ "$(passed)" -gt "$1" ]; }
queued() { ! passes "$@"; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
prefiltered matches || bail "nfqd: $(cat "$lab_dir/nfqd.log")"
is "$(filter .on)" true "the kernel takes the programs"

# ---- what passes ----

before=$(nfqd_queued)
for i in $(seq 20); do
	in_client dig +time=2 +tries=2 +notcp "n$i.open.example" "@${DNS[4]}" >/dev/null
	in_client dig +time=2 +tries=2 +notcp +noedns "N$i.Open.Example" AAAA "@${DNS[6]}" >/dev/null
done
queued=$(($(nfqd_queued) - before))
ok "of forty plain questions and their answers hardly any is queued: $queued" test "$queued" -le 4
ok "the questions are counted: $(passed)" test "$(passed)" -ge 38
ok "and so are the answers: $(filter .passed_answers)" test "$(filter .passed_answers)" -ge 38
for type in TXT HTTPS MX ANY; do ok "a question of type $type passes" passes www.open.example "$type"; done

# ---- what does not ----

for name in "$LISTED" "${LISTED^^}" "a.b.$LISTED"; do
	for v in 4 6; do ok "$name over IPv$v is refused" refused "$name" "@${DNS[$v]}"; done
done
is "$(status_of +tcp "$LISTED" "@${DNS[4]}")" "status: NXDOMAIN" "and over TCP"
ok "and without EDNS" refused +noedns "$LISTED" "@${DNS[4]}"
ok "and with options" refused +subnet=192.0.2.0/24 +cookie +padding=128 "$LISTED" "@${DNS[4]}"
segments() { in_client "$LAB_PYTHON" tests/lib/dnsq.py udp "$1" www.open.example other.open.example "$LISTED" --segments | jq -rs '[.[].rcode] | "\(.[0]) \(.[2])"'; }
for v in 4 6; do is "$(segments "${DNS[$v]}")" "NOERROR NXDOMAIN" "nor behind another question in one packet of several (IPv$v)"; done
ok "of class CH: queued" queued -c CH www.open.example
ok "an unlisted name of many labels: queued" queued a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.open.example
ok "a name near a listed one passes" passes open-kaspersky.example
lab_wait 5 nfqd_has_records 11
is "$(nfqd_records '.nfqd.action == "reject" and .nfqd.sent == "dns-nxdomain"')" 11 "eleven refusals, eleven records"

judged=$(nfqd_ctl status --json | jq '.counters | [.questions, .questions_unlisted]')
like "$(jq -c . <<<"$judged")" '^\[[12][0-9],[2-9]\]$' "those that were judged are counted, and the unlisted ones among them"

# the router's own resolver remembers who asked
before=$(passed)
ok "a question to the router's own resolver is answered" answered www.open.example "@${LAB_OWN[4]}"
ok "and a listed one is refused" refused "$LISTED" "@${LAB_OWN[4]}"
lab_wait 5 nfqd_has_records 12
is "$(nfqd_log | jq -rs '.[-1].src_ip')" "${LAB_HOST[4]}" "with the client in its record"

# ---- shared addresses ----

# every name of the lab has the address of its web server: the answer for an unlisted one has just passed
nfqd_ctl mode log >/dev/null
answered "$LISTED" "@${DNS[4]}"
nfqd_ctl mode enforce >/dev/null
lab_wait 2 false
is "$(in_router nft -j list set inet nfqd watched4 | jq '[.nftables[].set.elem? // [] | .[]] | length')" 0 \
	"the address is not watched for the listed name, since an unlisted one has it, too"

# ---- names come and go ----

ok "a name before it is blocked passes" passes own.open.example
{ nfqd_conf enforce; echo "inspect: {prefilter: bpf}"; echo "include: mine.yaml"; } >"$lab_dir/nfqd.yaml"
printf 'policies:\n  - {name: own, match: {names: [.own.open.example]}, action: reject}\n' >"$lab_dir/mine.yaml"
ok "reload" nfqd_ctl reload
ok "a name of a policy is refused" refused own.open.example "@${DNS[4]}"
ok "and what is below it" refused www.own.open.example "@${DNS[4]}"
ok "names beside it pass" passes other.open.example
ok "an exception" nfqd_ctl allow own.open.example --for 1h --reason test
ok "lets it pass, through the queue" answered own.open.example "@${DNS[4]}"
lab_wait 5 eval 'nfqd_log | jq -e "select(.nfqd.exception)" | grep -q .'
ok "with a record" eval 'nfqd_log | jq -e "select(.nfqd.exception)" | grep -q .'
echo 'policies: []' >"$lab_dir/mine.yaml"
ok "reload" nfqd_ctl reload
ok "a name that nobody lists any more is answered" answered www.own.open.example "@${DNS[4]}"
like "$(nfqd_ctl why www.open.example --json | jq -r .candidate)" false "why tells that a name is no candidate"
like "$(nfqd_ctl why "$LISTED" --json | jq -r .candidate)" true "and that a listed one is"
like "$(nfqd_ctl status)" 'prefilter: [1-9][0-9]* questions and [1-9][0-9]* answers passed in the kernel' "status says what passed"

# ---- the table ----

in_router nft delete table inet nfqd
ok "a removed table is back" lab_wait 10 in_router nft list table inet nfqd
ok "a listed name is refused" lab_wait 5 refused "$LISTED" "@${DNS[4]}"
ok "others pass in the kernel" lab_wait 5 passes www.open.example
repairs=$(nfqd_ctl status --json | jq .steering.repairs)
lab_wait 7 false	# a look, every five seconds
is "$(nfqd_ctl status --json | jq .steering.repairs)" "$repairs" "the table with its programs is taken for whole"
lab_end nfqd TERM
is $? 0 "it ends"
is "$(in_router nft list tables)" "" "and leaves nothing"

# ---- a daemon that is gone ----

{ nfqd_conf enforce closed; echo "inspect: {prefilter: bpf}"; } >"$lab_dir/nfqd.yaml"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 60 nfqd_ready_or_dead
ok "with fail: closed, plain questions pass in the kernel" lab_wait 5 passes www.open.example
lab_end nfqd KILL
unanswered() { ! in_client dig +time=1 +tries=1 +notcp www.open.example "@${DNS[4]}"; }
ok "nothing passes any more two seconds after the daemon has died" lab_wait 10 unanswered
in_router nft delete table inet nfqd

# ---- when it cannot be ----

prefiltered all
is "$(filter .on)" false "where every question is recorded, none passes unseen"
like "$(cat "$lab_dir/nfqd.log")" 'prefilter: off: log.events: all wants every question' "and that is said"
like "$(nfqd_ctl status)" 'prefilter: off: log.events: all' "in status, too"
ok "a question is judged" answered www.open.example "@${DNS[4]}"
ok "and recorded" lab_wait 5 nfqd_has_records 1 '.dns.rrname == "www.open.example"'
nfqd_stop

# ---- with the rights that the unit leaves it ----

# as_unit [FILE...]: the prefilter's state, as the daemon says it
as_unit() {
	{ nfqd_conf; echo "inspect: {prefilter: bpf}"; } >"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" setpriv --bounding-set "$(nfqd_unit_bounds "$@")" --inh-caps -all "$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 60 nfqd_ready_or_dead
	filter '[.on, .reason]'
	nfqd_stop
}
like "$(as_unit)" '^\[false,.*CAP_BPF and CAP_PERFMON are needed; nfqd\(8\)' "the unit has no rights for BPF: what to do is said"
is "$(as_unit nfqd/man/nfqd.8)" '[true,null]' "with the lines of nfqd(8) it is on"
done_testing
