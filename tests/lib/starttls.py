#!/usr/bin/env python3
"""Mail servers for the lab that offer TLS in mid-connection, each given as KIND:PORT (on IPv4 and IPv6):

smtp, imap, pop3    agree to STARTTLS (RFC 3207, RFC 9051 6.2.1) or STLS (RFC 2595)
smtp-refuses        offers STARTTLS and refuses it (454)

The certificate and the key come first. A message is accepted with the SHA-256 of its bytes.

    starttls.py CERT KEY KIND:PORT...
    starttls.py --send HOST PORT NAME       hands over a mail in the clear that quotes a hello for NAME
    starttls.py --refused HOST PORT NAME    a mail that only writes of NAME, after STARTTLS in vain
"""
import hashlib
import random
import smtplib
import socket
import socketserver
import ssl
import sys
import threading

from hello import client_hello

GREETING = {"smtp": b"220 lab.test ESMTP", "imap": b"* OK lab.test", "pop3": b"+OK lab.test"}


def smtp(verb, words, agrees):
    if verb == "EHLO":
        return b"250-lab.test\r\n250 STARTTLS"
    if verb == "STARTTLS":
        return b"220 go ahead" if agrees else b"454 not now"
    return {"DATA": b"354 go ahead", "QUIT": b"221 bye"}.get(verb, b"250 fine")


def imap(verb, words, agrees):
    tag = words[0].encode()
    if verb == "CAPABILITY":
        return b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done"
    return tag + b" OK done"


def pop3(verb, words, agrees):
    return b"+OK\r\nSTLS\r\n." if verb == "CAPA" else b"+OK"


TALK = {"smtp": smtp, "imap": imap, "pop3": pop3}


class Mail(socketserver.BaseRequestHandler):
    def take_message(self):
        digest = hashlib.sha256()
        while (line := self.file.readline()) not in (b".\r\n", b""):
            digest.update(line.removeprefix(b"."))
        return b"250 " + digest.hexdigest().encode()

    def begin(self, sock):
        self.sock, self.file = sock, sock.makefile("rb")

    def say(self, line):
        self.sock.sendall(line + b"\r\n")

    def handle(self):
        kind, _, refuses = self.server.kind.partition("-")
        self.begin(self.request)
        self.say(GREETING[kind])
        while line := self.file.readline():
            words = line.decode("latin-1").split() or [""]
            verb = words[min(kind == "imap", len(words) - 1)].upper()
            self.say(TALK[kind](verb, words, not refuses))
            if verb in ("STARTTLS", "STLS") and not refuses:
                self.begin(self.server.tls.wrap_socket(self.sock, server_side=True))
            elif verb == "DATA":
                self.say(self.take_message())


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address, daemon_threads = True, True

    def handle_error(self, request, client_address):
        print("ended:", repr(sys.exc_info()[1]), flush=True)    # a reset, as a rule


def serve(cert, key, *kinds):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    threads = []
    for arg in kinds:
        kind, port = arg.split(":")
        server = Server(("::", int(port)), Mail)
        server.kind, server.tls = kind, tls
        threads.append(threading.Thread(target=server.serve_forever))
        threads[-1].start()


def send(how, host, port, name):
    quoted = client_hello(random.Random(1), name) if how == "--send" else name.encode()
    body = b"Subject: a hello\r\n\r\nSTARTTLS\r\n" + quoted + b"\r\n"
    said = []
    with smtplib.SMTP(host, int(port), timeout=5) as s:
        s.ehlo("client.test")
        if how == "--refused":
            said.append("STARTTLS %d" % s.docmd("STARTTLS")[0])
        for line in ("MAIL FROM:<a@client.test>", "RCPT TO:<b@lab.test>"):
            s.docmd(line)
        code, digest = s.data(body)
        said.append("message %d %s" % (code, "whole" if digest.decode() == hashlib.sha256(body).hexdigest() else digest))
        said.append("QUIT %d" % s.quit()[0])
    print(", ".join(said))


if sys.argv[1].startswith("--"):
    try:
        send(*sys.argv[1:])
    except (OSError, smtplib.SMTPException) as e:
        print(type(e).__name__)
else:
    serve(*sys.argv[1:])
