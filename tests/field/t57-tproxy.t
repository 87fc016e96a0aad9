#!/bin/bash
# Stands for sing-box#4556 and routers with Clash, Xray or redsocks: client connections end in a transparent proxy on
# the router, whose own sockets carry a mark. Not judged by default, and said; judged with marked-output: queue.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

proxy() {
	lab_spawn proxy "$LAB_ROUTER" "$LAB_PYTHON" -u -c '
import socket, threading
def copy(a, b):
    try:
        while d := a.recv(65536):
            b.sendall(d)
    except OSError:
        pass
    for x in (a, b):
        try:
            x.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
def serve(c):
    u = socket.socket()
    u.setsockopt(socket.SOL_SOCKET, 36, 255)  # SO_MARK
    u.settimeout(3)
    try:
        u.connect(c.getsockname())
    except OSError:
        return c.close()
    u.settimeout(None)
    threading.Thread(target=copy, args=(c, u), daemon=True).start()
    copy(u, c)
l = socket.socket()
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
l.bind(("0.0.0.0", 12345))
l.listen(50)
while True:
    threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()'
	ip -n "$LAB_ROUTER" rule add fwmark 1 table 100
	ip -n "$LAB_ROUTER" route add local default dev lo table 100
	in_router iptables-legacy -t mangle -A PREROUTING -i lan0 -p tcp --dport 443 -j TPROXY --on-port 12345 --tproxy-mark 0x1/0x1
	lab_wait 5 lab_listens "$LAB_ROUTER" t 12345
}

field_up masquerade
proxy || bail "no proxy"
field_nfqd
is "$(field_tls $FIELD_OPEN 4) $(field_dns $FIELD_DNS 8.8.8.8)" "fine NXDOMAIN" "an unlisted site by the proxy; DNS is judged"
is "$(field_tls $FIELD_TLS 4)" fine "a listed one is not judged by default"
like "$(cat "$lab_dir/nfqd.log")" 'check: iptables-legacy: table mangle, chain PREROUTING, rule [12] \(TPROXY\).*marked-output: queue' \
	"which is said, with the cure"
nfqd_stop
nfqd_conf | sed 's/^default:/inspect: {marked-output: queue}\n&/' >"$lab_dir/nfqd.yaml"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start"
is "$(field_tls $FIELD_OPEN 4) $(field_tls $FIELD_TLS 4 | sed 's/curl .*/refused/; s/reset/refused/')" "fine refused" "the cure"
is "$(jq -r 'select(.alert and .nfqd.seen_in == "tls.sni") | "\(.src_ip) \(.nfqd.action)"' "$lab_dir/eve.json")" "${LAB_WAN[4]} reject" \
	"the record names the router"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
