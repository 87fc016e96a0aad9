#!/bin/bash
# Proves: who attacks nfqd-console gets nothing and changes nothing (CSRF, DNS rebinding, h2c, tokens, fixation, paths, slow
# and endless requests, 1,000 connections, floods, roles, guessing), and every question is judged meanwhile; the process
# has given up what it does not need; it does not start where it would be open to others.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/console.sh
need ip nft dig dnsmasq curl jq openssl setpriv "$LAB_PYTHON"
need_console

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
ok "an account that operates" console_account olga operate olga-olga-olga
ok "one that looks on" console_account vera view vera-vera-vera
is "$(stat -c %a "$lab_dir/passwords") $(cut -d: -f1,2 "$lab_dir/passwords" | paste -sd' ') $(grep -c ':\$y\$' "$lab_dir/passwords")" \
	'600 olga:operate vera:view 2' "the password file: for its owner alone, yescrypt"
like "$(console_account olga operate short 2>&1)" 'a password 10 to 256' "a short password is refused"

# ---- where it does not start ----

refuses() {	# OPTION...
	in_router timeout 20 "$CONSOLE" -s "$lab_dir/control.sock" --passwords "$lab_dir/passwords" "$@" 2>&1
	echo "exit $?"
}
like "$(refuses --listen 10.1.0.1:9477)" 'only with TLS: give --certificate and --key.*exit 1' "another address without TLS: it says why"
like "$(refuses --listen 0.0.0.0:9477)" 'only with TLS.*exit 1' "all addresses without TLS"
like "$(refuses --listen 10.1.0.1:9477 --certificate "$lab_dir/cert.pem")" 'go together.*exit 1' "a certificate without its key"
like "$(refuses --listen localhost:9477)" 'is not an address.*exit 1' "a name"
like "$(refuses --client-ca "$lab_dir/cert.pem")" 'is for TLS.*exit 1' "mutual TLS without TLS"
chmod 644 "$lab_dir/passwords"
like "$(refuses)" 'only its owner may read.*exit 1' "a password file that others may read"
chmod 600 "$lab_dir/passwords"

# ---- what it has given up ----

console_start || bail "the console does not start: $(cat "$lab_dir/console.log")"
pid=$(in_router pgrep -P "${lab_pid[console]}" -x nfqd-console || echo "${lab_pid[console]}")
status_of() { awk -v key="$1:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/$pid/status"; }
is "$(status_of Uid | cut -d' ' -f1) $(status_of CapEff) $(status_of CapBnd | wc -w) $(status_of NoNewPrivs) $(status_of Seccomp)" \
	"$(getent passwd nfqd-console | cut -d: -f3 | grep . || echo 60704) 0000000000000000 1 1 $([[ $CONSOLE == *asan* ]] && echo 0 || echo 2)" \
	"it is nfqd-console, without capabilities, and has few system calls"
is "$(stat -Lc %d:%i "/proc/$pid/root")" "$(stat -c %d:%i "$lab_dir")" "it sees the folder of the sockets alone"
[[ $CONSOLE == *san/* ]] || is "$(find "/proc/$pid/fd" -lname '/*' -printf '%l\n' | grep -vE '^/dev/null|console.log|/passwords$' | paste -sd' ')" "" "and has no other file"
is "$(awk '/^flags/ { print substr($2, length($2)) }' "$(find "/proc/$pid/fd" -lname '*/passwords' -printf "/proc/$pid/fdinfo/%f")")" 0 "the passwords it can only read"

# ---- the attacks, while a client goes on asking ----

asks() {
	while [ ! -e "$lab_dir/enough" ]; do
		in_client dig +time=3 +tries=1 s05.upd.kaspersky.com @1.1.1.1 | grep -o 'status: [A-Z]*' >>"$lab_dir/listed"
		in_client dig +time=3 +tries=1 www.example.org @1.1.1.1 | grep -o 'status: [A-Z]*' >>"$lab_dir/unlisted"
	done
}
: >"$lab_dir/listed"
: >"$lab_dir/unlisted"
asks &
asking=$!
console_rows in_router "$LAB_PYTHON" tests/lib/console_attacks.py 9477 "$CONSOLE" "$lab_dir/passwords"
touch "$lab_dir/enough"
wait $asking
is "$(sort -u "$lab_dir/listed") $(sort -u "$lab_dir/unlisted")" "status: NXDOMAIN status: NOERROR" \
	"through all of it $(wc -l <"$lab_dir/listed") listed questions were refused, and the others answered"
ok "they were many" [ "$(wc -l <"$lab_dir/listed")" -ge 20 ]
is "$(pgrep -P "${lab_pid[console]}" -x nfqd-console || echo "${lab_pid[console]}")" "$pid" "it is the same process"
failed_recorded() { jq -se 'any(.[].nfqd; .kind == "sign-in" and .what == "failed" and .user == "olga" and .from == "127.0.0.1")' "$lab_dir/eve.json"; }
ok "failed sign-ins are recorded" lab_wait 10 failed_recorded
like "$(cat "$lab_dir/console.log")" "failed for 'olga' from 127.0.0.1" "and said"
[[ $CONSOLE == *san/* ]] || ok "its memory stayed below 24 MB" [ "$(status_of VmHWM | cut -d' ' -f1)" -lt 24576 ] || diag "VmHWM $(status_of VmHWM)"
lab_end console TERM

# ---- who may only look on ----

console_start --view --unix "$lab_dir/console.sock" || bail "the console does not start with --view: $(cat "$lab_dir/console.log")"
pid=$(pgrep -P "${lab_pid[console]}" -x nfqd-console || echo "${lab_pid[console]}")
is "$(status_of Groups)" "" "--view: it has no group that may change something"
here() { in_router curl -s --unix-socket "$lab_dir/console.sock" "$@"; }
is "$(here -o /dev/null -w '%{http_code}' -d 'mode=off' http://console/mode) $(nfqd_ctl mode --json | jq -r .mode)" "403 enforce" "and root at its unix socket changes nothing"
view() { setpriv --reuid=60704 --regid="$(stat -c %g "$lab_dir/control-view.sock")" --clear-groups "$NFQCTL" -s "$1" "${@:2}" 2>&1; }
like "$(view "$lab_dir/control.sock" mode off)" 'Permission denied' "its user cannot use the control socket"
like "$(view "$lab_dir/control-view.sock" mode off)" "no such command: 'mode'" "the read-only twin has no command that changes something"
like "$(view "$lab_dir/control-view.sock" status)" '^protected' "but answers"
like "$(echo '{"ask": "forget", "id": "x"}' | setpriv --reuid=60704 --regid="$(stat -c %g "$lab_dir/control-view.sock")" --clear-groups \
	socat - "UNIX-CONNECT:$lab_dir/control-sightings.sock")" 'only operators' "nor can it correct the inventory"
lab_end console TERM

# ---- the unix socket ----

console_start --listen none --unix "$lab_dir/console.sock" || bail "the console does not start by a unix socket: $(cat "$lab_dir/console.log")"
is "$(here -o /dev/null -w '%{http_code}' -d 'mode=log&for=10m' http://console/mode) $(nfqd_ctl mode --json | jq -r .mode)" "303 log" "root at the unix socket operates, without a sign-in"
nfqd_ctl mode enforce >/dev/null
is "$(here -o /dev/null -w '%{http_code}' -H 'Origin: http://evil.example' -d 'mode=off' http://console/mode) $(nfqd_ctl mode --json | jq -r .mode)" "403 enforce" \
	"but not a browser that a proxy brings there"
is "$(in_router setpriv --reuid=12345 --regid=12345 --clear-groups curl -s -o /dev/null -w '%{http_code}' --unix-socket "$lab_dir/console.sock" http://console/)" \
	"000" "and not just anybody"
here -N http://console/live/events >"$lab_dir/stream" &
stream=$!
ok "a stream has begun" lab_wait 20 test -s "$lab_dir/stream"
lab_end console TERM
is $? 0 "it ends when it is told to, with a stream open"
wait $stream
console_account vera view vera-vera-vera

# ---- TLS ----

pem() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" -keyout "$lab_dir/$1.key" -out "$lab_dir/$1.pem" 2>/dev/null; }
pem authority && pem server
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=vera -keyout "$lab_dir/vera.key" -out "$lab_dir/vera.csr" 2>/dev/null
openssl x509 -req -in "$lab_dir/vera.csr" -CA "$lab_dir/authority.pem" -CAkey "$lab_dir/authority.key" -CAcreateserial -days 30 -out "$lab_dir/vera.pem" 2>/dev/null
console_start --listen 10.1.0.1:9477 --certificate "$lab_dir/server.pem" --key "$lab_dir/server.key" --client-ca "$lab_dir/authority.pem" --host console.lan ||
	bail "the console does not start with TLS: $(cat "$lab_dir/console.log")"
tls() { in_client curl -sk --max-time 30 "$@"; }
is "$(tls -o /dev/null -w '%{http_code} %{redirect_url}' https://10.1.0.1:9477/)" "303 https://10.1.0.1:9477/sign-in" "TLS, from another machine: sign in"
is "$(tls -o /dev/null -w '%{http_code}' --resolve console.lan:9477:10.1.0.1 https://console.lan:9477/healthz) $(tls -o /dev/null -w '%{http_code}' \
	--resolve evil.lan:9477:10.1.0.1 https://evil.lan:9477/healthz)" "200 421" "under a name that --host gives, and no other"
token=$(tls https://10.1.0.1:9477/sign-in | grep -o 'token value="[0-9a-f]*"' | cut -d'"' -f2)
like "$(tls -si -H 'Origin: https://10.1.0.1:9477' -d "token=$token&user=olga&password=olga-olga-olga" https://10.1.0.1:9477/sign-in)" \
	'Strict-Transport-Security.*Set-Cookie: __Host-nfqd=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict; Secure' "its cookie is Secure"
like "$(tls --cert "$lab_dir/vera.pem" --key "$lab_dir/vera.key" https://10.1.0.1:9477/)" '<bdi>vera</bdi></b> \(view\)' "mutual TLS: a certificate signs in the account it names"
is "$(tls -o /dev/null -w '%{http_code}' --cert "$lab_dir/server.pem" --key "$lab_dir/server.key" https://10.1.0.1:9477/)" "303" "another authority's does not"
is "$(in_client curl -s -o /dev/null -w '%{http_code}' --max-time 10 http://10.1.0.1:9477/)" "000" "without TLS there is no answer"
lab_end console TERM
done_testing
