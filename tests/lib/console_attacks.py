#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks a running nfqd-console; a line for each row: 0 or 1, and what it shows. Runs beside it, in its namespace.
console_attacks.py PORT PROGRAM PASSWORD-FILE; the accounts are olga (operate) and vera (view), their passwords name-name-name."""
import http.client
import re
import resource
import socket
import subprocess
import sys
import time
import urllib.parse

PORT, CONSOLE, PASSWORDS = int(sys.argv[1]), *sys.argv[2:]
HOST = f"127.0.0.1:{PORT}"
ORIGIN = "http://" + HOST


def row(good, what, *why):
    print(int(not good), what + ("" if good else ": " + " ".join(map(str, why)).replace("\n", " ")[:400]), flush=True)


def ask(method, path, body=None, cookie=None, host=HOST, **headers):
    """(status, headers, text); status 0: the connection ended without an answer."""
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    try:
        c.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if host is not None:
            c.putheader("Host", host)
        if cookie:
            c.putheader("Cookie", "nfqd=" + cookie)
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        data = urllib.parse.urlencode(body).encode() if isinstance(body, dict) else body
        if data is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            headers.setdefault("Content-Length", str(len(data)))
        for k, v in headers.items():
            c.putheader(k, v)
        c.endheaders()
        if data:
            c.send(data)
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, {}, ""
    finally:
        c.close()


def raw(data, wait=10):
    """What comes back for these bytes, up to its first 200 bytes."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=wait) as s:
        try:
            s.sendall(data)
            return s.recv(200)
        except OSError:
            return b""


def token_of(cookie, path="/exceptions"):
    found = re.search(r'name=token value="([0-9a-f]{64})"', ask("GET", path, cookie=cookie)[2])
    return found.group(1) if found else ""


def sign_in(user, password=None, cookie=None):
    """The new cookie; "": none."""
    body = {"token": token_of(cookie, "/sign-in"), "user": user, "password": password or "-".join([user] * 3)}
    for _ in range(50):
        status, headers, _ = ask("POST", "/sign-in", body, cookie, Origin=ORIGIN)
        if status != 429:
            break
        time.sleep(0.3)
    found = re.match(r"nfqd=([0-9a-f]{64});", headers.get("Set-Cookie", ""))
    return found.group(1) if found else ""


def change(cookie, path="/allow", method="POST", token=None, origin=ORIGIN, **headers):
    body = {"name": "s01.upd.kaspersky.com", "for": "1h", "reason": "attack", "mode": "off", "which": "s01.upd.kaspersky.com",
            "change": "merge", "id": "x", "other": "y", "token": token_of(cookie) if token is None else token}
    if origin:
        headers["Origin"] = origin
    return ask(method, path, body, cookie, **headers)


def changes_are_none(cookie):
    text = ask("GET", "/api/exceptions", cookie=cookie)[2] + ask("GET", "/api/mode", cookie=cookie)[2]
    return '"exceptions": []' in text and '"mode": "enforce"' in text


# ---- begun first, looked at last: what takes its time ----

def slow_begin():
    found = []
    for head in (f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX-", f"POST /sign-in HTTP/1.1\r\nHost: {HOST}\r\nOrigin: {ORIGIN}\r\nContent-Type: "
                 "application/x-www-form-urlencoded\r\nContent-Length: 8000\r\n\r\n", "G"):
        s = socket.create_connection(("127.0.0.1", PORT), timeout=30)
        s.sendall(head.encode())
        found.append(s)
    return found, time.monotonic()


def slow_end(slow):
    sockets, begun = slow
    open_ones = list(sockets)
    while open_ones and time.monotonic() - begun < 90:
        for s in list(open_ones):
            try:
                s.sendall(b"a")
                s.settimeout(0.3)
                if s.recv(100) == b"":
                    open_ones.remove(s)
            except TimeoutError:
                pass
            except OSError:
                open_ones.remove(s)
        time.sleep(0.3)
    row(not open_ones, "a request that comes a byte at a time is ended: in its line, its headers, its body", len(open_ones))
    for s in sockets:
        s.close()


# ---- one by one ----

def strangers():
    for path in ("/", "/machines", "/machine?id=x", "/live", "/why?name=x", "/what-if", "/exceptions", "/report", "/report/file?as=csv",
                 "/evidence?record=x", "/metrics", "/no-such-page"):
        status, headers, text = ask("GET", path)
        if not (status == 303 and headers.get("Location") == "/sign-in" and text == ""):
            row(False, f"without a session {path} says nothing", status, text)
    row(True, "without a session every page leads to the sign-in")
    row(ask("GET", "/api/hosts")[0] == 401 and ask("GET", "/live/events")[0] != 200, "the API and the stream say nothing either")
    row(all(change(None, p, token=token_of(None, "/sign-in"))[0] == 401 for p in ("/allow", "/revoke", "/mode", "/machine")), "nothing is changed without a session")


def hosts(cookie):
    for host in ("evil.example", f"evil.example:{PORT}", f"{HOST}.evil.example", "127.0.0.1", "127.0.0.1:80", f"[::1]:{PORT}", "",
                 f"{HOST}@evil.example", f"evil.example#{HOST}"):
        row(ask("GET", "/", cookie=cookie, host=host)[0] in (400, 421), f"DNS rebinding: Host '{host}' is refused", ask("GET", "/", cookie=cookie, host=host)[:1])
    row(raw(b"GET / HTTP/1.1\r\n\r\n")[9:12] in (b"400", b"421"), "a request without a host is refused")
    row(raw(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nHost: evil.example\r\n\r\n".encode())[9:12] == b"400", "two hosts are refused")
    row(raw(f"GET / HTTP/1.0\r\nCookie: nfqd={cookie}\r\n\r\n".encode())[9:12] in (b"400", b"421"), "so is HTTP/1.0 without one")
    row(ask("GET", "/", cookie=cookie, host=f"localhost:{PORT}")[0] == 200, "localhost is this machine")


def upgrades(cookie):
    h2c = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2_Settings": "AAMAAABkAAQAAP__"}
    for who in (None, cookie):
        status, headers, text = ask("GET", "/machines", cookie=who, **h2c)
        row(status == 400 and "Upgrade" not in headers and "<table" not in text, f"h2c upgrade {'with' if who else 'without'} a session is refused", status)
    row(ask("GET", "/machines", cookie=cookie, HTTP2_Settings="AAMAAABkAAQAAP__")[0] == 400, "so are its settings alone")
    row(ask("GET", "/live/events", cookie=cookie, Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Key="x" * 24)[0] == 400, "so is a web socket")
    got = raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    row(b"HTTP/1.1 2" not in got and not got.startswith(b"\0"), "HTTP/2 by prior knowledge is refused", got)


def forgeries(cookie, other):
    row(change(cookie, token="")[0] == 403, "CSRF: a change without a token is refused")
    row(change(cookie, token="0" * 64)[0] == 403, "with a forged one, too")
    row(change(cookie, token=token_of(other))[0] == 403, "and with another session's")
    row(change(cookie, token=token_of(None, "/sign-in"))[0] == 403, "and with the sign-in form's")
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{PORT + 1}", f"https://{HOST}", f"http://{HOST}.evil.example", f"http://localhost:{PORT}"):
        row(change(cookie, origin=origin)[0] == 403, f"from another origin it is refused: {origin}")
    for site in ("cross-site", "same-site", "none"):
        row(change(cookie, Sec_Fetch_Site=site)[0] == 403, f"Sec-Fetch-Site: {site} is refused")
    row(change(cookie, origin=None)[0] == 403, "a browser that says neither is refused")
    row(change(cookie, "/allow", "GET")[0] == 400 and ask("GET", "/allow", cookie=cookie)[0] == 405, "nothing is changed by GET")
    row(ask("POST", "/allow", b'{"name": "x"}', cookie, Origin=ORIGIN, Content_Type="text/plain")[0] == 415, "a form of another type is refused")
    row(ask("PUT", "/allow", b"", cookie, Origin=ORIGIN)[0] in (400, 405) and ask("TRACE", "/", cookie=cookie)[0] in (400, 405), "methods that nothing needs are refused")
    row(changes_are_none(cookie), "none of it changed anything")


def fixation():
    planted = "a" * 64
    cookie = sign_in("olga", cookie=planted)
    row(cookie and cookie != planted and ask("GET", "/", cookie=planted)[0] == 303, "session fixation: a planted cookie is not taken up")
    again = sign_in("olga", cookie=cookie)
    row(again and again != cookie and ask("GET", "/", cookie=cookie)[0] == 303, "another sign-in makes another session and ends the first")
    status = change(again, "/sign-out")[0]
    row(status == 303 and ask("GET", "/", cookie=again)[0] == 303, "a session that was signed out is over", status)


def paths(cookie):
    for path in ("/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/style.css/../machines", "/style.css%00.html", "/..%2f..%2fetc%2fpasswd",
                 "/./machines", "/machines/", "/MACHINES", "/api/../machines", "/api/", "/api/..%2fstatus", "/\\..\\..\\etc\\passwd", "/file:///etc/passwd"):
        status, _, text = ask("GET", path, cookie=cookie)
        row(status in (400, 404) and "root:" not in text, f"path: {path}", status)
    row(ask("GET", "/" + "a" * 300, cookie=cookie)[0] == 414, "a path of 300 bytes is refused")
    row(ask("GET", "/why?name=%ff%fe", cookie=cookie)[0] == 400, "bytes that are not UTF-8 are refused")
    row('value="a%00b"' in ask("GET", "/why?name=a%00b", cookie=cookie)[2], "NUL ends no text")
    text = ask("GET", "/why?name=%3Cscript%3Ealert(1)%3C/script%3E%22'", cookie=cookie)[2]
    row("<script>alert" not in text and "&lt;script&gt;" in text and "&quot;" in text, "markup in a query stays text")
    status, headers, _ = ask("GET", "/machine?id=%0d%0aSet-Cookie:%20x=y", cookie=cookie)
    row(status == 404 and "x=y" not in str(headers), "a line end in a query is no header")


def floods(cookie):
    row(raw(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX: ".encode() + b"a" * 100000)[9:10] in (b"4", b""), "a header of 100 kB is refused")
    row(raw(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n".encode() + b"X: y\r\n" * 20000 + b"\r\n")[9:10] in (b"4", b""), "so are 20,000 headers")
    row(raw(b"GET /" + b"a" * 100000)[9:10] in (b"4", b""), "so is a line without an end")
    row(ask("POST", "/sign-in", b"", Origin=ORIGIN, Content_Length="99999999999")[0] == 413, "a body of 100 GB is refused before it comes")
    row(ask("POST", "/sign-in", b"a=" + b"b" * 9000, Origin=ORIGIN)[0] in (413, 0), "so is one of 9 kB")
    row(ask("POST", "/sign-in", b"", Origin=ORIGIN, Transfer_Encoding="chunked")[0] == 400, "so is one without a length")
    row(ask("POST", "/sign-in", b"&".join(b"a%d=1" % n for n in range(100)), Origin=ORIGIN)[0] == 400, "so are 100 fields")
    row(raw(f"POST /sign-in HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello".encode())[9:12] == b"400", "so are two lengths")
    row(ask("GET", "/machines?" + "&".join(f"a{n}=1" for n in range(100)), cookie=cookie)[0] == 400, "so is a query of 100 fields")


def crowd(cookie):
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    sockets = []
    for n in range(1000):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", PORT))
        sockets.append(s)
    time.sleep(0.5)
    for s in sockets[::2]:
        try:
            s.send(b"GET / HTTP/1.1\r\nHost: ")
        except OSError:
            pass
    status, end = 0, time.monotonic() + 90
    while status != 200 and time.monotonic() < end:
        status = ask("GET", "/healthz")[0]
    row(status == 200, "beside 1,000 connections it answers", status)
    for s in sockets:
        s.close()
    row(ask("GET", "/machines", cookie=cookie)[0] == 200, "and afterwards")


def roles(vera):
    row(ask("GET", "/machines", cookie=vera)[0] == 200 and "<form method=post action=\"/allow\"" not in ask("GET", "/exceptions", cookie=vera)[2],
        "who may only look on sees pages, and no form that changes something")
    row([change(vera, p, token=token_of(vera, "/"))[0] for p in ("/allow", "/revoke", "/mode", "/machine")] == [403] * 4, "and changes nothing by sending one")


def guess(user, password):
    return ask("POST", "/sign-in", {"token": token_of(None, "/sign-in"), "user": user, "password": password}, Origin=ORIGIN)[0]


def guesses():
    """After six wrong ones the wait is eight seconds: more than the next request takes, however slow the machine."""
    seen, end = [], time.monotonic() + 90
    while seen.count(403) < 6 and time.monotonic() < end:
        seen.append(guess(("olga", "nobody")[len(seen) % 2], f"guess number {len(seen)}"))
        time.sleep(0.05)
    row(set(seen) == {403, 429}, "guessing is slowed", seen)
    row(guess("olga", "olga-olga-olga") == 429, "who guesses has to wait with the right one, too")


def main():
    slow = slow_begin()
    strangers()
    olga, vera, second = sign_in("olga"), sign_in("vera"), sign_in("olga")
    row(olga and vera and second and olga != second, "three sign in")
    headers = ask("GET", "/", cookie=olga)[1]
    row("default-src 'self'" in headers.get("Content-Security-Policy", "") and headers.get("X-Content-Type-Options") == "nosniff" and
        headers.get("Cache-Control") == "no-store" and "Access-Control-Allow-Origin" not in headers, "the headers that bind a browser", headers)
    hosts(olga)
    upgrades(olga)
    forgeries(olga, second)
    roles(vera)
    fixation()
    paths(olga)
    floods(olga)
    crowd(olga)
    slow_end(slow)
    row(ask("GET", "/", cookie=olga)[0] == 200 and changes_are_none(olga), "a session of before is there, and nothing was changed")
    guesses()
    subprocess.run([CONSOLE, "--passwords", PASSWORDS, "--remove-user", "vera"], check=True, timeout=60)
    row(ask("GET", "/", cookie=vera)[0] == 303 and ask("GET", "/", cookie=olga)[0] == 200, "an account that is removed has no session any more")
    print("end")


main()
