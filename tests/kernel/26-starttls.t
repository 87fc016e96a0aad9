#!/bin/bash
# Proves: where mail programs turn TLS on in mid-connection (STARTTLS of SMTP and IMAP, STLS of POP3), a
# listed server name is refused at once, at both ends, and recorded, routed or the router's own; an unlisted
# one passes. A mail that goes on in the clear because its server refuses STARTTLS arrives whole, and one
# that quotes a hello to a listed name in its text, too.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

LISTED=activation-v2.kaspersky.com OPEN=www.example.org
declare -A PORT=([smtp]=25 [imap]=143 [pop3]=110)
REFUSES=587

# through, reset, or the last that openssl said; "late" when it took longer than a refusal may
starttls() {	# in_client|in_router VERSION PROTOCOL NAME
	local start said

	start=$(lab_now_ms)
	said=$("$1" timeout 5 openssl s_client -starttls "$3" -connect "$(lab_bracket "${LAB_WEB[$2]}"):${PORT[$3]}" \
		-servername "$4" </dev/null 2>&1)
	case $said in
	*'BEGIN CERTIFICATE'*) echo through ;;
	*errno=104*) [ $(($(lab_now_ms) - start)) -lt 1500 ] && echo reset || echo late ;;
	*) tail -n 1 <<<"$said" ;;
	esac
}

send() { "$1" "$LAB_PYTHON" tests/lib/starttls.py "$3" "${LAB_WEB[$2]}" "$4" $LISTED; }	# WHO VERSION HOW PORT
mail_open() { [ -n "$(in_server ss -Htn state established "sport = :$1")" ]; }
mail_closed() { ! mail_open "$1"; }

protocols() {	# WHO VERSION TITLE
	local p before

	for p in smtp imap pop3; do
		before=$(nfqd_records)
		is "$(starttls "$1" "$2" $p $LISTED)" reset "$3, $p: a listed name is reset"
		ok "$3, $p: the server was told" lab_wait 2 mail_closed ${PORT[$p]}
		is "$(starttls "$1" "$2" $p $OPEN)" through "$3, $p: an unlisted name passes"
		lab_wait 2 nfqd_has_records $((before + 1))
		is $(($(nfqd_records) - before)) 1 "$3, $p: one record"
	done
}

clear_text() {	# WHO VERSION TITLE
	local before

	before=$(nfqd_records)
	is "$(send "$1" "$2" --refused $REFUSES)" "STARTTLS 454, message 250 whole, QUIT 221" \
		"$3: STARTTLS is refused, the mail goes on in the clear"
	is "$(send "$1" "$2" --send ${PORT[smtp]})" "message 250 whole, QUIT 221" "$3: a mail that quotes a hello arrives whole"
	is $(($(nfqd_records) - before)) 0 "$3: neither is recorded"
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
lab_spawn mail "$LAB_SERVER" "$LAB_PYTHON" tests/lib/starttls.py "$lab_dir/cert.pem" "$lab_dir/key.pem" \
	smtp:25 imap:143 pop3:110 smtp-refuses:$REFUSES
lab_wait 10 lab_listens "$LAB_SERVER" t $REFUSES || bail "the mail servers do not start: $(cat "$lab_dir/mail.log")"
for p in smtp imap pop3; do
	is "$(starttls in_client 4 $p $LISTED)" through "$p: without nfqd it arrives"
done
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
for v in 4 6; do
	for who in in_client in_router; do
		protocols $who $v "IPv$v, ${who#in_}"
		clear_text $who $v "IPv$v, ${who#in_}"
	done
done
is "$(nfqd_records '.nfqd.seen_in == "tls.sni" and .nfqd.action == "reject" and .alert.action == "blocked" and .nfqd.name == "'$LISTED'"')" 12 \
	"every record says tls.sni, reject, blocked and the name"
is "$(nfqd_log | jq -r .dest_port | sort -n | uniq -c | xargs)" "4 25 4 110 4 143" "and the mail port"
is "$(nfqd_lost)" 0 "the kernel dropped no queued packet"
nfqd_stop
is $? 0 "nfqd stops"
lab_down
done_testing
