#!/bin/bash
# Proves: a reload says what is true. When another program has just removed nfqd's table, the reload
# puts it back, the new rules are in force, and what a reload writes down is written down.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx openssl jq "$LAB_PYTHON"

refuses() { in_client dig +time=2 +tries=1 "$1" @9.9.9.9 | grep -q 'status: NXDOMAIN'; }

flushed() {
	local said status=0

	cat >"$lab_dir/second.yaml" <<-END
		pack: second
		vendor: Second
		title: a second pack
		version: 2026.01.01.1
		expires: 2029-01-01
		license: CC0-1.0
		sources: [{id: s, title: s, url: "https://second.example/", publisher: vendor, retrieved: 2026-01-01}]
		stages: [{id: all, from: 2024-01-01, action: block, basis: site, citation: policy}]
		entries: [{id: one, names: [one.second.example], category: update, sources: [s], confidence: high, side_effect: none}]
		tests: {match: [one.second.example], no_match: [two.second.example]}
	END
	sed -i "s|^rules:.*|rules: [$LAB_REPO/rules/kaspersky.yaml, $lab_dir/second.yaml]|" "$lab_dir/nfqd.yaml"
	sed -i 's/packs: \[kaspersky\]/packs: [kaspersky, second]/' "$lab_dir/nfqd.yaml"
	in_router nft delete table inet nfqd
	said=$(nfqd_ctl reload 2>&1) || status=$?
	is $status 0 "the table was removed just before: nfqctl reload succeeds" || diag "$said"
	like "$said" 'pack second: .* -> 2026.01.01.1' "and says what is new"
	is "$(nfqd_ctl status --json | jq .steering.in_place)" true "the table is in place again"
	ok "a name of the new pack is refused" refuses one.second.example
	ok "one of the old pack as well" refuses s07.upd.kaspersky.com
	is "$(grep -c 'running rules stay' "$lab_dir/nfqd.log")" 0 "nothing says that the old rules stay"
	ok "when the pack was first loaded is saved" jq -e '.packs.second // .first_seen.second' "$lab_dir/state.json"
}

# What a reload cannot change is named.
restart() {
	sed -i 's/^  events: .*/  events: matches\n  client-names: false/' "$lab_dir/nfqd.yaml"
	ok "a key that needs a restart: the reload succeeds" nfqd_ctl reload
	ok "and names the key" grep -q 'warning: reload: .*only at the next start: log.client-names$' "$lab_dir/nfqd.log"
}

refused() {
	local said status=0

	sed -i 's/^mode: .*/mode: enfroce/' "$lab_dir/nfqd.yaml"
	said=$(nfqd_ctl reload 2>&1) || status=$?
	is $status 1 "a configuration that does not load: exit code 1"
	like "$said" "nfqd\.yaml:1:.*enfroce.*the running rules stay" "and the running rules stay, it says"
	ok "they do" refuses one.second.example
	echo 'colour: red' >>"$lab_dir/nfqd.yaml"
	like "$(nfqd_ctl reload 2>&1)" "2 mistakes: .*colour.*enfroce.*|2 mistakes: .*enfroce.*colour.*the running rules stay" "of two mistakes both are named"
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
flushed
restart
refused
nfqd_stop
is $? 0 "nfqd stops"
done_testing
