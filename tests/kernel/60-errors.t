#!/bin/bash
# Proves: what is wrong is said clearly, with file and line where a file is wrong, the exit code is
# 1 (2 for wrong usage), and nothing that runs is harmed by it.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx setpriv openssl jq "$LAB_PYTHON"

# fails TITLE REGEX COMMAND...: exit code 1, and what it said matches
fails() { fails_with 1 "$@"; }
fails_with() {
	local code=$1 title=$2 regex=$3 said status=0

	shift 3
	said=$(timeout 10 "$@" 2>&1 </dev/null) || status=$?
	is $status "$code" "$title: exit code $code" || diag "$said"
	like "$said" "$regex" "$title: the message"
}

# Both to check a file and to run it; it must never get as far as being ready.
refuses_file() {	# TITLE REGEX
	fails "$1, -t" "$2" "$NFQD" -t -c "$lab_dir/bad.yaml"
	fails "$1, -c" "$2" ip netns exec "$LAB_ROUTER" "$NFQD" -c "$lab_dir/bad.yaml"
}

# Line number of the first line that matches, in the file.
line_of() { grep -n -m 1 -e "$1" "$2" | cut -d: -f1; }

bad_config() {	# TITLE SED-SCRIPT LINE-REGEX SAYS
	nfqd_conf | sed "$2" >"$lab_dir/bad.yaml"
	refuses_file "$1" "bad\.yaml:$(line_of "$3" "$lab_dir/bad.yaml"):.*$4"
}

bad_pack() {	# TITLE SED-SCRIPT LINE-REGEX SAYS
	sed "$2" rules/kaspersky.yaml >"$lab_dir/pack.yaml"
	nfqd_conf | sed "s,^rules:.*,rules: [$lab_dir/pack.yaml]," >"$lab_dir/bad.yaml"
	refuses_file "$1" "pack\.yaml:$(line_of "$3" "$lab_dir/pack.yaml"):.*$4"
}

files() {
	bad_config "a word that is no mode" 's/^mode: .*/mode: enfroce/' enfroce enfroce
	bad_config "an unknown key" 's/^fail: /fial: /' fial fial
	bad_config "an unknown action" 's/action: stage/action: explode/' explode explode
	bad_config "not YAML" 's/^default: allow/default: [allow/' 'control:' '.'
	bad_pack "pack: an unknown key" '0,/  *category: update/s//    categroy: update/' categroy categroy
	bad_pack "pack: an unknown category" '0,/category: update$/s//category: upgrades/' upgrades upgrades
	bad_pack "pack: a label of * alone" '0,/names: .downloads.upd.kaspersky.com./s//names: ["*.upd.kaspersky.com"]/' '"\*\.upd' '\*\.upd'
	nfqd_conf | sed "s,^rules:.*,rules: [$lab_dir/none.yaml]," >"$lab_dir/bad.yaml"
	refuses_file "a pack that is not there" 'none\.yaml'
	fails "a configuration that is not there" 'none\.yaml' "$NFQD" -t -c "$lab_dir/none.yaml"
	# a copy: the repository may stand where only root may look
	cp rules/kaspersky.yaml "$lab_dir/good-pack.yaml"
	nfqd_conf | sed "s,^rules:.*,rules: [$lab_dir/good-pack.yaml]," >"$lab_dir/good.yaml"
	ok "a good configuration passes -t, without root" setpriv --reuid=65534 --regid=65534 --clear-groups "$NFQD" -t -c "$lab_dir/good.yaml"
	ok "-t opened no log" [ ! -e "$lab_dir/eve.json" ]
}

captures() {
	echo "this is no capture" >"$lab_dir/text"
	: >"$lab_dir/empty"
	printf '\xd4\xc3\xb2\xa1\x02\x00' >"$lab_dir/cut.pcap"
	fails "a capture that is none" 'text' "$NFQD" -r "$lab_dir/text" --rules rules/kaspersky.yaml
	fails "an empty file" 'empty' "$NFQD" -r "$lab_dir/empty" --rules rules/kaspersky.yaml
	fails "a capture cut in its header" 'cut\.pcap' "$NFQD" -r "$lab_dir/cut.pcap" --rules rules/kaspersky.yaml
	fails "a capture that is not there" 'none\.pcap' "$NFQD" -r "$lab_dir/none.pcap" --rules rules/kaspersky.yaml
	fails_with 2 "a wrong option" usage "$NFQD" --no-such-option
	fails_with 2 "nfqctl without a command" 'command' "$NFQCTL"
}

running() {
	fails "no privileges" '[Pp]rivilege|not permitted|CAP_NET_ADMIN|root' ip netns exec "$LAB_ROUTER" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$NFQD" -c "$lab_dir/good.yaml"
	fails_with 3 "nfqctl status, nobody there" 'NOT PROTECTED, no daemon.*control\.sock' "$NFQCTL" -s "$lab_dir/control.sock" status
	fails "nfqctl, nobody there" 'control\.sock' "$NFQCTL" -s "$lab_dir/control.sock" exceptions
	is "$(nfqd_left)" "" "all these left no table and no rule"
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	before=$(nfqd_left | sort)
	sed 's,state\.json,second-state.json,; s,control\.sock,second.sock,; s,eve\.json,second.json,' "$lab_dir/nfqd.yaml" >"$lab_dir/second.yaml"
	fails "a second nfqd" 'another nfqd steers' ip netns exec "$LAB_ROUTER" "$NFQD" -c "$lab_dir/second.yaml"
	is "$(nfqd_left | sort)" "$before" "a second nfqd: table and rules of the first are untouched"
	ok "a second nfqd: the first goes on" refuses
	sed -i 's/^mode: .*/mode: enfroce/' "$lab_dir/nfqd.yaml"
	fails "reload with a bad configuration" "nfqd\.yaml:1:.*enfroce" ip netns exec "$LAB_ROUTER" "$NFQCTL" -s "$lab_dir/control.sock" reload
	ok "a bad reload: the old rules go on" refuses
	nfqd_conf >"$lab_dir/nfqd.yaml"
	ok "reload when it is good again" nfqd_ctl reload
	ok "and it goes on" refuses
	nfqd_stop
	is $? 0 "nfqd stops"
}

refuses() { in_client dig +time=2 +tries=1 s07.upd.kaspersky.com @9.9.9.9 | grep -q 'status: NXDOMAIN'; }

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
files
captures
running
done_testing
