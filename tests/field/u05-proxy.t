#!/bin/bash
# Stands for NethServer#5299 and opnsense#5868: clients that use an explicit proxy on the router or on another host of the
# LAN: refused, and the proxy is named as the client, as nfqd(8) says (u05).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# A proxy for CONNECT and absolute URIs, which asks 8.8.8.8 by itself.
proxy_program() {
	cat <<-'PY'
		import socket, socketserver, struct, sys, threading
		def address(name):
		    q = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + b"".join(bytes([len(x)]) + x for x in name.encode().split(b".")) + b"\0\0\1\0\1"
		    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		        s.settimeout(3)
		        s.sendto(q, ("8.8.8.8", 53))
		        a = s.recv(999)
		    return socket.inet_ntoa(a[-4:]) if a[3] & 15 == 0 and a[7] else None
		def copy(a, b):
		    try:
		        while d := a.recv(65536):
		            b.sendall(d)
		        b.shutdown(socket.SHUT_WR)
		    except OSError:
		        pass
		class Handler(socketserver.StreamRequestHandler):
		    def handle(self):
		        method, url, _ = self.rfile.readline().decode().split()
		        head = b""
		        while (line := self.rfile.readline()) not in (b"\r\n", b""):
		            head += line
		        host = url.split("/")[2] if "/" in url else url.split(":")[0]
		        port = 443 if method == "CONNECT" else 80
		        to = address(host)
		        if not to:
		            return self.wfile.write(b"HTTP/1.1 502 No such host\r\nContent-Length: 0\r\n\r\n")
		        up = socket.create_connection((to, port), 4)
		        if method == "CONNECT":
		            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
		        else:
		            up.sendall(f"{method} / HTTP/1.0\r\n".encode() + head + b"\r\n")
		        threading.Thread(target=copy, args=(up, self.connection), daemon=True).start()
		        copy(self.connection, up)
		class Server(socketserver.ThreadingTCPServer):
		    allow_reuse_address = daemon_threads = True
		print("up")
		Server((sys.argv[1], 3128), Handler).serve_forever()
	PY
}

by() { in_client curl -sk -m 6 -x "http://$1:3128" -o /dev/null -w '%{http_code} %{http_connect}' "$2"; }

field_up masquerade
proxy_program >"$lab_dir/proxy.py"
field_nfqd
for who in "$LAB_ROUTER ${LAB_OWN[4]} ${LAB_WAN[4]}" "$LAB_CLIENT ${LAB_HOST[4]} ${LAB_HOST[4]}"; do
	read -r netns at as <<<"$who"
	rm -f "$lab_dir/eve.json"
	kill -HUP "${lab_pid[nfqd]}"
	lab_wait 5 test -e "$lab_dir/eve.json" || bail "no new log"
	lab_spawn proxy "$netns" "$LAB_PYTHON" -u "$lab_dir/proxy.py" "$at"
	lab_wait 5 grep -q up "$lab_dir/proxy.log" || bail "no proxy: $(cat "$lab_dir/proxy.log")"
	t="proxy at $at"
	is "$(by "$at" http://$FIELD_OPEN/), $(by "$at" https://$FIELD_OPEN/)" "200 000, 200 200" "$t: unlisted names"
	is "$(by "$at" http://$FIELD_DNS/)" "502 000" "$t: a listed one, HTTP"
	is "$(by "$at" https://$FIELD_TLS/)" "000 502" "$t: a listed one, CONNECT"
	ok "$t: both are on record" lab_wait 5 nfqd_has_records 2
	is "$(nfqd_log | jq -r .src_ip | sort -u)" "$as" "$t: as the proxy's"
	lab_end proxy
done
nfqd_stop
is $? 0 "nfqd stops"
done_testing
