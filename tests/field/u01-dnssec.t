#!/bin/bash
# Stands for NLnetLabs/unbound#450, DietPi#4218, Technitium#977, pi-hole#2686 and systemd#39041: a validating
# resolver asks for names of a signed zone. A refusal is no proof, so its client hears SERVFAIL; one look-up makes
# one record, and the rest of the zone stays valid.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl unshare dpkg-deb "$LAB_PYTHON"

AUTH=192.0.2.53 ZONES="kaspersky.com example.org"
PATH=$PATH:/lib/systemd

sign() {	# ZONE
	local ksk zsk

	cat >"$1" <<-'END'
		$TTL 300
		@ SOA ns h 1 3600 600 86400 60
		@ NS ns
		ns A 192.0.2.53
		* A 203.0.113.80
		s07.upd A 203.0.113.80
	END
	ksk=$(dnssec-keygen -q -a ECDSAP256SHA256 -f KSK "$1") && zsk=$(dnssec-keygen -q -a ECDSAP256SHA256 "$1") &&
		cat "$ksk.key" "$zsk.key" >>"$1" && dnssec-signzone -q -o "$1" -f "$1.signed" "$1" >/dev/null &&
		grep -v '^;' "$ksk.key" >"$1.anchor" && echo "$ksk" >"$1.ksk"
}

authority() {
	local z

	mkdir -p "$lab_dir/zones" && cd "$lab_dir/zones" || return
	for z in $ZONES; do sign "$z" || return; done
	{
		echo "options { directory \"$lab_dir/zones\"; listen-on port 53 { $AUTH; }; listen-on-v6 { none; };
			recursion no; pid-file none; session-keyfile none; }; controls { };"
		for z in $ZONES; do echo "zone \"$z\" { type primary; file \"$z.signed\"; };"; done
	} >auth.conf
	cd "$LAB_REPO" || return
	ip -n "$LAB_SERVER" addr add $AUTH/32 dev lo
	lab_spawn authority "$LAB_SERVER" named -g -4 -c "$lab_dir/zones/auth.conf"
	lab_wait 5 lab_listens "$LAB_SERVER" t 53 && lab_wait 5 in_client dig +time=1 +tries=1 www.example.org @$AUTH
}

# ---- the four resolvers, each on a port or address of its own in the client ----

run_unbound() {
	local z

	{
		printf 'server:\n username: ""\n chroot: ""\n directory: "%s"\n pidfile: ""\n port: 5300\n' "$lab_dir"
		printf ' interface: 127.0.0.1\n do-ip6: no\n module-config: "validator iterator"\n ede: yes\n'
		for z in $ZONES; do printf ' trust-anchor-file: "%s"\n' "$lab_dir/zones/$z.anchor"; done
		for z in $ZONES; do printf 'forward-zone:\n name: "%s"\n forward-addr: %s\n' "$z" $AUTH; done
		printf 'remote-control:\n control-enable: no\n'
	} >"$lab_dir/validator.conf"
	lab_spawn validator "$LAB_CLIENT" unbound -d -c "$lab_dir/validator.conf"
}

run_bind() {
	{
		echo "options { directory \"$lab_dir\"; listen-on port 5301 { 127.0.0.1; }; listen-on-v6 { none; };
			recursion yes; dnssec-validation yes; pid-file none; session-keyfile none;
			forwarders { $AUTH; }; forward only; }; controls { }; trust-anchors {"
		for z in $ZONES; do
			awk '{ for (i = 1; $i != "DNSKEY"; i++) ; printf "%s static-key %s %s %s \"", $1, $(i+1), $(i+2), $(i+3)
				for (i += 4; i <= NF; i++) printf "%s", $i; print "\";" }' "$lab_dir/zones/$z.anchor"
		done
		echo "};"
	} >"$lab_dir/bind.conf"
	lab_spawn validator "$LAB_CLIENT" named -g -4 -c "$lab_dir/bind.conf"
}

anchors_ds() { local z; for z in $ZONES; do (cd "$lab_dir/zones" && dnssec-dsfromkey -2 "$(cat "$z.ksk")"); done; }

run_dnsmasq() {
	local args=() z tag alg digest rest

	while read -r z rest; do
		read -r tag alg digest rest <<<"${rest#IN DS }"
		args+=("--trust-anchor=${z%.},$tag,$alg,$digest,${rest// /}")
	done < <(anchors_ds)
	lab_spawn validator "$LAB_CLIENT" dnsmasq -k -C /dev/null -p 5302 --listen-address=127.0.0.1 --bind-interfaces -R \
		-S $AUTH --dnssec --dnssec-check-unsigned --user=root --pid-file= "${args[@]}" \
		--trust-anchor=.,20326,8,2,E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
}

run_resolved() {
	mkdir -p "$lab_dir/systemd"
	printf '[Resolve]\nDNS=%s\nDNSSEC=yes\nLLMNR=no\nMulticastDNS=no\nFallbackDNS=\n' $AUTH >"$lab_dir/systemd/resolved.conf"
	anchors_ds >"$lab_dir/anchors.positive"
	cp /etc/passwd "$lab_dir/passwd" && cp /etc/group "$lab_dir/group"
	grep -q systemd-resolve "$lab_dir/passwd" || {
		echo 'systemd-resolve:x:991:991::/:/usr/sbin/nologin' >>"$lab_dir/passwd"
		echo 'systemd-resolve:x:991:' >>"$lab_dir/group"
	}
	lab_spawn validator "$LAB_CLIENT" unshare -m sh -c "
		mount -t tmpfs none /run && mkdir -p /run/systemd/resolve /run/systemd/netif/links /run/dnssec-trust-anchors.d &&
		cp $lab_dir/anchors.positive /run/dnssec-trust-anchors.d/ && chown -R 991:991 /run/systemd/resolve &&
		mkdir -p /etc/systemd && mount --bind $lab_dir/systemd /etc/systemd &&
		mount --bind $lab_dir/passwd /etc/passwd && mount --bind $lab_dir/group /etc/group &&
		exec systemd-resolved"
}

look_up() {	# NAME AT PORT: status, and AD
	in_client dig +time=8 +tries=1 "$1" "@$2" -p "$3" |
		awk '/status:/ { gsub(",", ""); s = $6 } /flags:.* ad[ ;]/ { s = s " AD" } END { print s ? s : "TIMEOUT" }'
}

answers() { [ "$(look_up alive.example.org "$1" "$2")" = "NOERROR AD" ]; }

refusals() { jq -r 'select(.alert).nfqd | select(.action == "reject").name' "$lab_dir/eve.json" | sort | uniq -c | awk '{ print $2 "=" $1 }' | xargs; }

try() {	# RESOLVER AT PORT WHAT-A-CLIENT-HEARS
	rm -f "$lab_dir/eve.json"
	"run_$1"
	lab_wait 10 answers "$2" "$3" || { diag "$(tail -n 5 "$lab_dir/validator.log")"; bail "$1 does not validate"; }
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	is "$(look_up www.example.org "$2" "$3")" "NOERROR AD" "$1: an unlisted signed name"
	is "$(look_up s07.upd.kaspersky.com "$2" "$3")" "$4" "$1: a listed name of a signed zone"
	is "$(look_up activation-v2.kaspersky.com "$2" "$3")" "$4" "$1: another one"
	is "$(look_up www2.kaspersky.com "$2" "$3")" "NOERROR AD" "$1: a name of that zone that is not refused stays valid"
	nfqd_stop
	is "$(refusals)" "activation-v2.kaspersky.com=1 s07.upd.kaspersky.com=1" "$1: one look-up is one refusal on record"
	lab_end validator
}

field_unpacked || bail "BIND and systemd-resolved cannot be unpacked"
field_up masquerade
authority || bail "no signed zones: $(tail -n 5 "$lab_dir/authority.log")"
try unbound 127.0.0.1 5300 SERVFAIL
try bind 127.0.0.1 5301 SERVFAIL
try dnsmasq 127.0.0.1 5302 SERVFAIL
try resolved 127.0.0.53 53 NXDOMAIN
done_testing
