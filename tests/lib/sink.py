#!/usr/bin/env python3
"""Small servers for the lab, each given as KIND:PORT (on IPv4 and IPv6) or KIND:PORT@ADDRESS.

count     TCP: reads to the end, then answers with one JSON line {bytes, sha256}
login     TCP: greets like a log-in service and echoes lines
pieces    TCP: answers each piece of data with its length
greets    TCP: speaks first, then likewise
datagram  UDP: answers each datagram with its length
"""
import hashlib
import json
import socket
import socketserver
import sys
import threading


class Count(socketserver.BaseRequestHandler):
    def handle(self):
        total, digest = 0, hashlib.sha256()
        while data := self.request.recv(1 << 18):
            total += len(data)
            digest.update(data)
        self.request.sendall((json.dumps({"bytes": total, "sha256": digest.hexdigest()}) + "\n").encode())


class Login(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"SSH-2.0-lab\r\n")
        for line in self.rfile:
            self.wfile.write(b"you said " + line)


class Pieces(socketserver.BaseRequestHandler):
    greeting = b""

    def handle(self):
        try:
            self.request.sendall(self.greeting)
            while data := self.request.recv(1 << 16):
                self.request.sendall(b"got %d\n" % len(data))
        except ConnectionError:
            pass


class Greets(Pieces):
    greeting = b"220 lab.test\r\n"


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(b"%d bytes arrived\n" % len(data), self.client_address)


def server(base, address):
    class Server(base):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        allow_reuse_address, daemon_threads = True, True
        max_packet_size, request_queue_size = 65535, 128

        def server_bind(self):
            if address == "::":
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            super().server_bind()
    return Server


KINDS = {
    "count": (socketserver.ThreadingTCPServer, Count),
    "login": (socketserver.ThreadingTCPServer, Login),
    "pieces": (socketserver.ThreadingTCPServer, Pieces),
    "greets": (socketserver.ThreadingTCPServer, Greets),
    "datagram": (socketserver.ThreadingUDPServer, Datagram),
}


def main():
    servers = []
    for arg in sys.argv[1:]:
        where, _, address = arg.partition("@")
        kind, port = where.split(":")
        base, handler = KINDS[kind]
        address = address or "::"
        servers.append(server(base, address)((address, int(port)), handler))
    for other in servers[1:]:
        threading.Thread(target=other.serve_forever, daemon=True).start()
    servers[0].serve_forever()


main()
