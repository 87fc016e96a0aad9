# shellcheck shell=bash disable=SC2154	# lab_dir, LAB_* are from net.sh
# For the tests in tests/field: a public report of somebody's network, rebuilt in the lab of net.sh, and
# what a client sees there. To be sourced after net.sh, nfqd.sh and tap.sh.
#
#	field_up plain|masquerade	the lab, or the end of the test
#	field_nfqd [MODE [FAIL]]	nfqd, or the end of the test
#	field_refused VERSION WHERE	rows: listed names are refused in every way, unlisted ones pass
#

FIELD_DNS=s07.upd.kaspersky.com FIELD_TLS=activation-v2.kaspersky.com FIELD_OPEN=www.example.org
FIELD_CLIENT=in_client		# who asks

field_up() { lab_up "${1:-plain}" || bail "lab: $(cat "$lab_dir/up.log")"; }
field_nfqd() { nfqd_start "$@" || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"; }

# field_dns NAME RESOLVER [DIG-OPTION...]: NOERROR, NXDOMAIN, ... or TIMEOUT
field_dns() {
	$FIELD_CLIENT dig +time=2 +tries=1 "${@:3}" "$1" "@$2" 2>&1 |
		awk '/status:/ { gsub(",", ""); s = $6 } /connection reset/ { s = "RESET" } END { print s ? s : "TIMEOUT" }'
}

# field_tls NAME VERSION: fine, reset, timeout, or curl's exit code
field_tls() {
	local code=0

	$FIELD_CLIENT curl -sk -m 4 --resolve "$1:443:$(lab_bracket "${LAB_WEB[$2]}")" -o /dev/null "https://$1/" || code=$?
	case $code in 0) echo fine ;; 35) echo reset ;; 28) echo timeout ;; *) echo "curl $code" ;; esac
}

field_quic() { $FIELD_CLIENT "$LAB_PYTHON" tests/lib/quic.py "${LAB_WEB[$2]}" 443 "$1"; }	# NAME VERSION

# Everything a client can try, in one line: listed, then unlisted.
field_try() {	# VERSION
	local dns=${LAB_PUBLIC[$1]%% *}

	echo "dns $(field_dns $FIELD_DNS "$dns") tcp $(field_dns $FIELD_DNS "$dns" +tcp)" \
		"tls $(field_tls $FIELD_TLS "$1") quic $(field_quic $FIELD_TLS "$1")," \
		"dns $(field_dns $FIELD_OPEN "$dns") tcp $(field_dns $FIELD_OPEN "$dns" +tcp)" \
		"tls $(field_tls $FIELD_OPEN "$1") quic $(field_quic $FIELD_OPEN "$1")"
}

FIELD_REFUSED='dns NXDOMAIN tcp NXDOMAIN tls reset quic refused'
FIELD_PASSED='dns NOERROR tcp NOERROR tls fine quic answered'

field_refused() { is "$(field_try "$1")" "$FIELD_REFUSED, $FIELD_PASSED" "$2, IPv$1: listed refused, unlisted passes"; }

# field_counter NAME: of `nfqctl status`
field_counter() { nfqd_ctl status --json | jq ".counters.$1"; }

# field_unpacked: BIND and systemd-resolved as programs, without installing them (they would start services).
field_unpacked() {
	(cd "$LAB_REPO" && tools/deps --unpack bind9 bind9-utils systemd-resolved) >/dev/null 2>&1
	command -v named >/dev/null
}
