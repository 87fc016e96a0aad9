#!/bin/bash
# Stands for systemd#11332, aardvark-dns#605, rubydns#73 (use-vc) and unbound#756: what the C library's look-up makes of each
# kind of refusal, over UDP and TCP, with two resolvers, a search list and single-request: an error at once, never a wait
# for the next resolver, and unlisted names as ever (u04).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl unshare "$LAB_PYTHON"

# With a resolv.conf of its own: what getaddrinfo() says of a listed and of an unlisted name, and whether at once.
look_up() {	# OPTIONS-LINE
	printf 'nameserver 8.8.8.8\nnameserver 1.1.1.1\n%s\n' "$1" >"$lab_dir/resolv.conf"
	# shellcheck disable=SC2016
	in_client unshare -m sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$lab_dir/resolv.conf" \
		"$LAB_PYTHON" - $FIELD_DNS $FIELD_OPEN <<-'END'
		import socket, sys, time
		said = []
		begun = time.monotonic()
		for name in sys.argv[1:]:
		    try:
		        found = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
		        said.append("+".join(sorted({x[4][0] for x in found})))
		    except socket.gaierror as e:
		        said.append({socket.EAI_NONAME: "none", socket.EAI_AGAIN: "again", -5: "nodata"}.get(e.errno, str(e)))
		print(*said, "late" if time.monotonic() - begun > 4 else "soon")
	END
}
OPEN="${LAB_WEB[6]}+${LAB_WEB[4]}"
[[ ${LAB_WEB[6]} < ${LAB_WEB[4]} ]] || OPEN="${LAB_WEB[4]}+${LAB_WEB[6]}"

refusals() {	# STYLE UDP TCP
	nfqd_conf | sed "s/dns: nxdomain/dns: $1/" >"$lab_dir/style.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/style.yaml"
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(cat "$lab_dir/nfqd.log")"
	is "$(look_up 'options timeout:8 attempts:2')" "$2 $OPEN soon" "dns: $1, over UDP"
	is "$(look_up 'options timeout:8 single-request')" "$2 $OPEN soon" "dns: $1, one question at a time"
	is "$(look_up 'options timeout:8 use-vc')" "$3 $OPEN soon" "dns: $1, over TCP"
	nfqd_stop
}

field_up masquerade
# Over TCP a connection ends with the first answer (RFC 7766 6.2.4 lets the rest be asked again); glibc, which asks for
# both kinds of address at once, does not ask again, and reports a failure that is not for ever.
refusals nxdomain none again
is "$(jq -r 'select(.alert).nfqd | "\(.name) \(.action)"' "$lab_dir/eve.json" | sort -u)" "$FIELD_DNS reject" "and nothing else is on record"
refusals refused again again
refusals nodata nodata again
refusals sinkhole '0.0.0.0+::' again
field_nfqd
is "$(look_up 'search lan.test'$'\n''options timeout:8')" "$OPEN $OPEN soon" "a search list: the name below another domain is another one"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
