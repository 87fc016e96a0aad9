#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drives every page of a running nfqd-console in Chromium; a line for each row: 0 or 1, and what it shows.
console_pages.py URL FIRST-LINK NETNS-OF-THE-ROUTER NETNS-OF-THE-CLIENT LISTED-NAME FOLDER [AXE.js]"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser  # noqa: E402

URL, LINK, ROUTER, CLIENT, LISTED, FOLDER, *AXE = sys.argv[1:]
EVIL = "<script>document.title='gotcha'</script><b>\"'&amp;\u202eabc\u202c " + "x" * 255
PASSWORD = "correct horse battery"
PAGES = {"": "Is it on?", "machines": "Machines", "live": "Live", "what-if": "What if", "exceptions": "Exceptions and mode",
         "report": "Report", "why?name=" + LISTED: "Why", "what-if?pack=kaspersky&since=7d&at=2027-01-01": "What if"}

# What a reader of screens and a keyboard need, of our own; axe-core looks at the rest where it is at hand.
A11Y = """(() => { const bad = [], all = q => [...document.querySelectorAll(q)];
if (document.documentElement.lang !== 'en') bad.push('no language');
if (all('h1').length !== 1 || all('main').length !== 1) bad.push('one h1, one main');
all('input:not([type=hidden]), select').forEach(e => { if (!e.labels.length || !e.labels[0].innerText.trim()) bad.push('no label: ' + e.name); });
all('button, a').forEach(e => { if (!(e.innerText.trim() || e.getAttribute('aria-label'))) bad.push('no name: ' + e.outerHTML); });
all('main > .scroll:not(.report) > table').forEach(t => { if (!t.caption || !t.querySelector('thead th[scope=col]')) bad.push('a table without heads'); });
all('.scroll').forEach(e => { if (e.tabIndex !== 0 || !e.getAttribute('aria-label')) bad.push('a region that no key reaches'); });
const ids = all('[id]').map(e => e.id); if (new Set(ids).size !== ids.length) bad.push('an id twice: ' + ids);
all('svg[role=img]').forEach(e => { if (!e.getAttribute('aria-label')) bad.push('a picture without a name'); });
if (all('script:not([src]), [style], [onclick], [onload]').length) bad.push('inline script or style');
const lum = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => (x /= 255) <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
all('main p, main td, main th, main a, button, nav a, label span, dt, dd, footer p').forEach(e => { if (!e.innerText.trim() || e.closest('svg')) return;
const a = lum(getComputedStyle(e).color), b = lum(back(e)), k = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
if (k < 4.5) bad.push('contrast ' + k.toFixed(1) + ': ' + e.innerText.slice(0, 30)); });
return bad.slice(0, 5).join('; '); })()"""


def row(good, what, *why):
    print(int(not good), what + ("" if good else ": " + " ".join(map(str, why)).replace("\n", " ")[:600]), flush=True)


def in_client(*command):
    return subprocess.run(["ip", "netns", "exec", CLIENT, *command], capture_output=True, text=True, timeout=60)


def ask_listed(name=LISTED):
    in_client("dig", "+time=2", "+tries=2", name, "@1.1.1.1")


def axe(b):
    if not AXE:
        return []
    b.js(open(AXE[0]).read() + ";0")
    r = b.js("axe.run({resultTypes: ['violations']}).then(r => JSON.stringify(r.violations.map(v => [v.impact, v.id, v.nodes[0].html])))")
    return [v for v in json.loads(r) if v[0] in ("serious", "critical")]


def look(b, path, title, width, dark):
    b.size(width)
    b.dark(dark)
    b.goto(f"{URL}/{path}")
    what = f"{title}, {width} px{', dark' if dark else ''}"
    shown = b.js("document.querySelector('h1').innerText")
    wide = b.js("document.documentElement.scrollWidth")
    png = b.screenshot(os.path.join(FOLDER, f"shot-{path.split('?')[0] or 'on'}-{width}.png"))
    row(shown == title and wide <= width and len(png) > 6000, f"{what}: it is there, within the width, and not blank", shown, wide, len(png))
    found = b.js(A11Y)
    row(found == "", f"{what}: labels, heads, names, contrast", found)
    if AXE:
        found = axe(b)
        row(not found, f"{what}: axe-core finds nothing serious", found)


def first_account(b):
    b.size(1280)
    b.goto(URL + "/")
    row(b.js("location.pathname") == "/sign-in", "without a session every page leads to the sign-in", b.js("location.href"))
    b.goto(LINK)
    b.fill("input[name=password]", "short")
    b.fill("input[name=again]", "short")
    b.js("document.querySelectorAll('input').forEach(i => { i.removeAttribute('minlength'); })")
    b.click("main form button")
    row("at least 10 characters" in b.text(), "a short password is refused", b.text())
    b.fill("input[name=password]", PASSWORD)
    b.fill("input[name=again]", PASSWORD)
    b.click("main form button")
    row("Protection is on" in b.text(), "the one-time link makes the first account, and it is signed in", b.text())
    b.goto(LINK)
    row("used already" in b.text(), "the link works once", b.text())


def machines(b):
    ask_listed()
    b.goto(URL + "/machines")
    row(b.until("document.querySelectorAll('tbody tr').length > 0 || (location.reload(), false)"), "a machine that called is there", b.text())
    b.js("document.querySelector('select[name=vendor]').value = 'Kaspersky'; document.querySelector('select[name=since]').value = '7d'")
    b.click("main form button")
    row("vendor=Kaspersky" in b.js("location.href") and b.js("document.querySelectorAll('tbody tr').length") == 1,
        "filtered by vendor and period", b.js("location.href"))
    b.click("tbody th a")
    row(LISTED in b.text() and "By day" in b.text() and b.js("document.querySelectorAll('svg[role=img] rect').length") > 0,
        "one machine: names, days, a chart", b.text()[:200])


def live(b):
    rows = "document.querySelectorAll('tbody tr').length"
    b.goto(URL + "/live")
    row(b.until("!!document.getElementById('pause')"), "the live page has its script")
    before = b.js(rows)
    ask_listed("s11.upd.kaspersky.com")
    row(b.until(f"document.querySelector('tbody').innerText.includes('s11.upd') && {rows} > {before}"), "a record comes by itself", b.text()[:300])
    b.press("#pause")
    before = b.js(rows)
    ask_listed("s12.upd.kaspersky.com")
    row(b.until("document.querySelector('[role=status]').textContent.includes('+')") and b.js(rows) == before, "paused: it waits", b.js(rows), before)
    b.press("#pause")
    row(b.until("document.querySelector('tbody').innerText.includes('s12.upd')"), "and comes afterwards")
    b.fill("#filter", "s12.upd")
    row(b.js("[...document.querySelectorAll('tbody tr')].filter(r => !r.hidden).every(r => r.innerText.includes('s12.upd'))"), "filtered as it is typed")
    b.goto(URL + "/live?filter=s12.upd")
    row(b.js("[...document.querySelectorAll('tbody tr')].every(r => r.innerText.includes('s12.upd'))"), "and by the server, without the script")
    b.click("tbody td a[href^='/why']")
    row("kav-update-mirrors" in b.text() and "sources" in b.text(), "why: the full answer, in one click", b.text()[:300])


def exceptions(b):
    b.fill("input[name=reason]", EVIL)
    b.click("main form[action='/allow'] button")
    row(b.js("location.pathname") == "/exceptions" and b.js("document.querySelectorAll('#exceptions + .scroll tbody tr').length") == 1,
        "allowed for an hour, from the answer", b.js("location.href"), b.text()[:300])
    row(b.js("document.querySelectorAll('#exceptions + .scroll tbody td')[3].textContent") == EVIL and "gotcha" not in b.js("document.title"),
        "markup, quotes, right-to-left marks and 255 bytes stay text", b.js("document.querySelectorAll('#exceptions + .scroll tbody td')[3].textContent"))
    row("uid 60704 for admin" in b.text() or "nfqd-console for admin" in b.text(), "its owner is who was signed in", b.text()[:400])
    b.click("form[action='/revoke'] button")
    row("Nothing is allowed" in b.text(), "revoked", b.text()[:300])
    row(b.until("document.querySelector('#history + .scroll').innerText.includes('revoked') || (location.reload(), false)"), "and in the history", b.text("#history + .scroll"))
    b.js("document.querySelector('select[name=mode]').value = 'log'; document.querySelector('form[action=\"/mode\"] input[name=for]').value = '10m'")
    b.click("form[action='/mode'] button")
    row("Mode now: log until" in b.text(), "the mode, for ten minutes", b.text()[:200])
    b.goto(URL + "/")
    row("Protection is OFF" in b.text() and "nfqctl mode enforce" in b.text(), "which the first page says, with the command that mends it", b.text()[:300])
    b.goto(URL + "/exceptions")
    b.js("document.querySelector('select[name=mode]').value = 'enforce'")
    b.click("form[action='/mode'] button")


def fetch(b, path):
    return json.loads(b.js(f"fetch({json.dumps(path)}).then(async r => JSON.stringify([r.status, r.headers.get('content-disposition'), await r.text()]))"))


def report(b):
    b.goto(URL + "/report")
    row("At least 1 machines" in b.text() and "Was nfqd watching?" in b.text(), "the report", b.text()[:300])
    status, disposition, text = fetch(b, "/report/file?as=csv")
    row(status == 200 and "report.csv" in disposition and text.startswith("machine,name"), "as CSV", status, disposition)
    status, disposition, text = fetch(b, "/report/file?as=html&since=2026-01-01")
    row(status == 200 and "report.html" in disposition and "<h1>Machines that call" in text, "as a page of its own", status, disposition)
    b.goto(URL + "/live?filter=reject")
    href = b.js("document.querySelector(\"tbody a[href^='/evidence']\").getAttribute('href')")
    status, disposition, text = fetch(b, href)
    evidence = json.loads(text) if status == 200 else {}
    row("evidence.json" in str(disposition) and evidence.get("record", {}).get("nfqd", {}).get("action") == "reject" and
        evidence["why"]["listed"] is True and evidence["packs"], "the evidence of a record", status, text[:200])


def keyboard(b):
    b.goto(URL + "/")
    b.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
    row(b.js("document.activeElement.className") == "skip", "the first key leads past the navigation", b.js("document.activeElement.outerHTML"))
    b.call("Emulation.setEmulatedMedia", media="print")
    row(b.js("getComputedStyle(document.querySelector('header')).display") == "none", "in print without navigation")
    b.call("Emulation.setEmulatedMedia", media="")


def sign_out(b):
    b.goto(URL + "/")
    cookie = b.call("Network.getCookies", urls=[URL])["cookies"][0]
    row(cookie["httpOnly"] and cookie["sameSite"] == "Strict" and b.js("document.cookie") == "", "the cookie is HttpOnly and SameSite=Strict", cookie)
    b.click("form[action='/sign-out'] button")
    b.goto(URL + "/machines")
    row(b.js("location.pathname") == "/sign-in", "signed out", b.js("location.href"))
    b.fill("input[name=user]", "admin")
    b.fill("input[name=password]", PASSWORD)
    b.click("main form button")
    row("Protection is on" in b.text(), "and in again by name and password", b.text()[:200])


def main():
    b = Browser(("ip", "netns", "exec", ROUTER))
    try:
        first_account(b)
        machines(b)
        live(b)
        exceptions(b)
        report(b)
        keyboard(b)
        sign_out(b)
        machine = b.js("fetch('/api/hosts').then(r => r.json()).then(o => 'machine?id=' + encodeURIComponent(o.hosts[0].id))")
        for path, title in [*PAGES.items(), (machine, "Machine")]:
            for width, dark in ((1280, False), (360, True)):
                look(b, path, title, width, dark)
        problems = [p for p in b.problems() if not ("400" in p and "/first" in p) and not ("403" in p and "/first" in p)]
        row(not problems, "the browser's console shows no error", problems)
        strange = {u for u in b.requests() if not u.startswith(URL + "/")}
        row(not strange - {"about:blank"}, "no request goes anywhere else", strange)
    finally:
        b.close()
    print("end")


main()
