#!/bin/bash
# Stands for zapret#462, OpenVPN#151 and openvpn-install#453: other protocols over TCP on any port. Whoever speaks
# first, they get through without an exception, also where they mention a listed name; only a hello or a
# request for one is refused (u11).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

PIECES="22 445 3389 3478 5222 5353 8444 13000 13111 14000 17111" GREETS="25 3306"

# Each row: what, the port, the pieces that the client sends, each after the server's answer to the one before.
cat_client() {
	cat <<-'END'
		import os, random, socket, sys
		sys.path.insert(0, "tests/lib")
		from hello import client_hello
		host, listed = sys.argv[1:]
		S = client_hello(random.Random(1), listed)
		O = client_hello(random.Random(1), "www.example.org")
		L = listed.encode()
		rows = [
		    ("OpenVPN", 8444, b"\0\x0e\x38" + os.urandom(13), os.urandom(200)),
		    ("OpenVPN, tls-crypt", 8444, b"\0\x36\x38" + os.urandom(53)),
		    ("SSH", 22, b"SSH-2.0-OpenSSH_9.2\r\n"),
		    ("nothing that is known", 8444, b"\x80" + os.urandom(900)),
		    ("nothing that is known, a byte each", 8444, *[bytes([b]) for b in b"\x80" + os.urandom(19)]),
		    ("MTProto", 8444, b"\xef\xef\xef\xef" + os.urandom(60)),
		    ("TURN", 3478, bytes.fromhex("000300082112a442") + os.urandom(12) + bytes.fromhex("0019000411000000")),
		    ("MySQL", 3306, b"\x20\0\0\1" + os.urandom(32)),
		    ("RDP", 3389, bytes.fromhex("030000130ee000000000000100080003000000")),
		    ("RDP, then a hello", 3389, bytes.fromhex("030000130ee000000000000100080003000000"), O),
		    ("SMB", 445, b"\0\0\0\x54\xffSMBr" + bytes(76)),
		    ("XMPP", 5222, b"<?xml version='1.0'?><stream:stream to='example.org'>"),
		    ("a management agent's TLS", 13000, O),
		    ("the same without a name", 13000, client_hello(random.Random(1), None)),
		    ("a management agent's HTTP", 14000, b"POST /transport HTTP/1.1\r\nHost: ksc.corp.lan:14000\r\n\r\n"),
		    ("a proxy of the LAN, raw", 13111, b"\x80" + os.urandom(99)),
		    ("a proxy of the LAN, TLS", 17111, O),
		    ("a mirror on the LAN", 8444, b"GET /Updates/index/u1313g.xml HTTP/1.1\r\nHost: ksc.corp.lan:8060\r\n\r\n"),
		    ("a web socket", 8444, b"GET /ws HTTP/1.1\r\nHost: www.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", os.urandom(500)),
		    ("a VPN that looks like DNS", 5353, b"\1\0" + os.urandom(256)),
		    ("memcached, of the name", 8444, b"get " + L + b"\r\n"),
		    ("syslog, of the name", 8444, b"<13>Nov 28 host app: " + L + b"\n"),
		    ("STARTTLS, listed", 25, b"EHLO x\r\n", b"STARTTLS\r\n", S),
		    ("RDP, then a hello, listed", 3389, bytes.fromhex("030000130ee000000000000100080003000000"), S),
		    ("a request to a proxy, listed", 8444, b"GET http://" + L + b"/index HTTP/1.1\r\nHost: " + L + b"\r\n\r\n"),
		    ("CONNECT, listed", 8444, b"CONNECT " + L + b":443 HTTP/1.1\r\n\r\n"),
		    ("PROXY v1 and a hello, listed", 8444, b"PROXY TCP4 10.1.0.2 203.0.113.80 1234 443\r\n" + S),
		    ("PROXY v2 and a hello, listed", 8444, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\1\0\2\xcb\0\x71\x50\4\xd2\1\xbb" + S),
		]
		for what, port, *pieces in rows:
		    try:
		        with socket.create_connection((host, port), 4) as s:
		            if port in (25, 3306):
		                s.recv(99)
		            for piece in pieces:
		                s.sendall(piece)
		                got = s.recv(99)
		        said = "through" if got else "ended"
		    except OSError as e:
		        said = "reset" if isinstance(e, ConnectionResetError) else type(e).__name__
		    print(f"{what}: {said}")
	END
}

field_up plain
cat_client >"$lab_dir/client.py"
# shellcheck disable=SC2086	# words
lab_spawn others "$LAB_SERVER" "$LAB_PYTHON" tests/lib/sink.py $(printf 'pieces:%s ' $PIECES) $(printf 'greets:%s ' $GREETS)
for port in $PIECES $GREETS; do
	lab_wait 5 lab_listens "$LAB_SERVER" t "$port" || bail "no server on port $port"
done
field_nfqd
for v in 4 6; do
	while IFS= read -r row; do
		case $row in
		*listed:*) is "${row##*: }" reset "IPv$v, ${row%: *}: reset" ;;
		*) is "${row##*: }" through "IPv$v, ${row%: *}: through" ;;
		esac
	done < <(in_client "$LAB_PYTHON" "$lab_dir/client.py" "${LAB_WEB[$v]}" $FIELD_TLS)
done
lab_wait 2 nfqd_has_records 12
is "$(nfqd_records) $(nfqd_records '.nfqd.action == "reject"')" "12 12" "the refused ones are recorded, no others"
nfqd_stop
is $? 0 "nfqd stops"
done_testing
