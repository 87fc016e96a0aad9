#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: a signed bundle changes policies, profiles, exceptions and packs of a running sensor, in stages, and nothing
# else; one that is forged, older, damaged or that would change more is refused; nfqd-fleet says when to stop.
set -u
. tests/lib/tap.sh
. tools/lab/fleet.sh
need dig
fleet_enter "$@"

fleet_store gw1
certificate() { with_libraries_run tools/fleet/certificates policy "$1" "$fleet_dir/keys"; }
certificate site && certificate stranger || bail "no certificates"
site=$fleet_dir/site.yaml out=$fleet_dir/out conf=$fleet_dir/gw1/nfqd.yaml base=$fleet_dir/base.yaml
publish() { NFQD=$NFQD with_libraries_run tools/fleet/policy publish --sign "$fleet_dir/keys/site" "$@" "$site" "$out" 2>&1; }
take() {
	NFQD=$NFQD NFQCTL=$NFQCTL with_libraries_run tools/fleet/policy take --from "$out" --key "$fleet_dir/keys/site.crt" --base "$base" \
		--conf "$conf" --state "$fleet_dir/took" --sensor "$fleet_dir/gw1/sensor.json" --socket "$fleet_dir/gw1/control.sock" 2>&1
}
refuses() { in_sensor gw1 dig +time=3 +tries=1 @192.0.2.53 "$1" | grep -q 'status: NXDOMAIN'; }

# what lets one name pass, as the sensor starts
sensor_conf gw1 1s | sed '/^policies:/,/dns: nxdomain/d' >"$base"
policies() {	# the names that pass
	echo "policies:"
	echo "  - {name: banned-vendors, match: {packs: [kaspersky]}, action: ${1:-stage}, dns: nxdomain}"
}
sensor_up gw1 1s
cp "$conf" "$fleet_dir/first"
ok "a listed name is refused" refuses s07.upd.kaspersky.com

policies log >"$site"
is "$(publish --number 1 --share 0)" "" "a bundle is published"
like "$(take)" "bundle 1 is not for this sensor yet" "which is for no sensor yet"
id=$(sed -n 's/.*"sensor": *"\([0-9a-f-]*\)".*/\1/p' "$fleet_dir/gw1/sensor.json")
is "$(publish --number 1 --share 0 --canary "$id")" "" "for one of them"
like "$(take)" "bundle 1 is in force" "which takes it"
ok "and it is in force" test "$(refuses s07.upd.kaspersky.com && echo refused)" = ""
like "$(take)" "bundle 1 is in force already" "once"
policies >"$site"
publish --number 2 >/dev/null
like "$(take)" "bundle 2 is in force" "the next one"
ok "refuses again" refuses s07.upd.kaspersky.com
same() { cmp -s "$conf" "$fleet_dir/kept"; }
cp "$conf" "$fleet_dir/kept"

refused() {	# PATTERN WHAT
	said=$(take)
	is $? 1 "refused: $2"
	like "$said" "$1" "and why"
	ok "nothing has changed" same
}
publish --number 1 >/dev/null
refused 'bundle 1 is older than 2' "an older bundle"
publish --number 3 >/dev/null
sed -i 's/stage/allow/' "$out/site.yaml"
refused 'site.yaml is not the one that was signed' "another file than was signed"
publish --number 3 --sign "$fleet_dir/keys/stranger" >/dev/null
refused 'the bundle is not signed by' "another signer of the same authority"
publish --number 3 >/dev/null
sed -i 's/^share.*/share 100 /' "$out/bundle"
refused 'the bundle is not signed by' "a list that was changed"
while IFS='|' read -r text what; do
	{ policies; printf '%b\n' "$text"; } >"$site"
	like "$(publish --number 3)" 'only ' "not published: $what"
done <<-'END'
	log: {outputs: []}|a log
	"heartbeat": off|a heartbeat, in quotes
	{control: /tmp/x}|a flow mapping
	--- \nmode: off|another document
	? mode\n: off|a key in two lines
	exceptions: []\rheartbeat: off|a carriage return
	exceptions: []\xc2\x85heartbeat: off|a next-line character
	&a mode: off|an anchor
END
printf '  extra: 1\npolicies: []\n' >"$site"
like "$(publish --number 3)" 'only ' "not published: what goes on with the key before"
# a publisher without that check gets no further
policies >"$site"
publish --number 3 >/dev/null
printf 'mode: "off"\n' >>"$out/site.yaml"
sed "s/^site .*/site $(sha256sum <"$out/site.yaml" | cut -d ' ' -f 1)/" -i "$out/bundle"
with_libraries_run certtool --p7-detached-sign --load-privkey "$fleet_dir/keys/site.key" --load-certificate "$fleet_dir/keys/site.crt" \
	--infile "$out/bundle" --outfile "$out/bundle.p7" >/dev/null 2>&1
refused 'only policies, profiles and exceptions' "a mode, signed"
printf 'policies:\n  - {name: x, action: explode}\n' >"$site"
publish --number 3 >/dev/null
refused 'bundle 3 does not load' "a policy that is none"

# ---- packs, and when to stop ----

"$NFQCTL" rules publish --new-key site/rules --key "$fleet_dir/rules.key" >"$fleet_dir/rules.pub"
"$NFQCTL" rules publish --key "$fleet_dir/rules.key" --out "$fleet_dir/release" rules/kaspersky.yaml >/dev/null || bail "no release"
{ sed "s|^rules:.*|rules: [$fleet_dir/packs/current]|" "$base"
	echo "update: {from: $fleet_dir/nowhere, keys: ['$(cat "$fleet_dir/rules.pub")'], into: $fleet_dir/packs}"; } >"$fleet_dir/base2"
"$NFQCTL" rules update --from "$fleet_dir/release" --key "$(cat "$fleet_dir/rules.pub")" --into "$fleet_dir/packs" >/dev/null || bail "no packs"
cp "$fleet_dir/base2" "$base"
policies >"$site"
publish --number 4 >/dev/null
like "$(take)" 'bundle 4 is in force' "a sensor with packs of releases"
sed 's/^version: .*/version: 2099.1.1.1/' rules/kaspersky.yaml >"$fleet_dir/kaspersky.yaml"
"$NFQCTL" rules publish --key "$fleet_dir/rules.key" --out "$fleet_dir/release" "$fleet_dir/kaspersky.yaml" >/dev/null
publish --number 5 --packs "$fleet_dir/release" >/dev/null
said=$(take)
like "$said" 'bundle 5 is in force' "takes packs with a bundle" || diag "$said"
like "$("$NFQCTL" -s "$fleet_dir/gw1/control.sock" status)" '2099.1.1.1' "which are in force"
begun=$(sql -c 'SELECT now()')
policies >"$site"
publish --number 6 >/dev/null
like "$(take)" 'bundle 6 is in force' "a rollout begins"
ok "a name that was not refused before" refuses s11.upd.kaspersky.com
has() { grep -q "$1" "$fleet_dir/gw1/eve.json"; }
ok "is recorded" until_in 60 has s11.upd
sed "s/'/''/g; s/.*/SELECT fleet.take('&');/" "$fleet_dir/gw1/eve.json" | sql -U nfqd_writer -1 -o /dev/null -f -
sql -c "UPDATE fleet.sensor SET beat = 'refused', beat_received = now(), every = '1 hour'"
is "$(fleet packs | awk '$1 == "kaspersky" { print $2, $3 }')" "2099.1.1.1 1" "packs: the version that it runs"
said=$(fleet rollout "$begun" --max-new-refusals 1)
is $? 0 "rollout: one name more is what was expected"
like "$said" '1 sensors have reloaded, 0 have not; 0 heartbeats fail, 1 names newly refused' "and it says so"
said=$(fleet rollout "$begun")
is $? 1 "without --max-new-refusals it is not"
like "$said" 'STOP' "and says stop"
sql -c "UPDATE fleet.sensor SET beat = 'open'"
said=$(fleet rollout "$begun" --max-new-refusals 1)
is $? 1 "nor with a heartbeat that fails"
done_testing
