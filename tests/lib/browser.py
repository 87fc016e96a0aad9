# SPDX-License-Identifier: GPL-2.0-or-later
"""Drives a real Chromium by its debugging protocol, over a pair of pipes: no port, no library."""
import base64
import json
import os
import select
import subprocess
import tempfile
import time


class Browser:
    """One Chromium with a profile of its own; prefix is a command that runs it (ip netns exec NAME)."""

    def __init__(self, prefix=()):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.number, self.buffer, self.events = 0, b"", []
        their_in, self.out = os.pipe()
        self.back, their_out = os.pipe()

        def place():  # it reads 3 and writes 4
            a, b = os.dup(their_in), os.dup(their_out)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [*prefix, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--disable-default-apps", "--hide-scrollbars", f"--user-data-dir={self.folder.name}", "--remote-debugging-pipe",
             "--ignore-certificate-errors", "about:blank"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(their_in)
        os.close(their_out)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    # ---- messages ----

    def read(self, end):
        while b"\0" not in self.buffer:
            if not select.select([self.back], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            part = os.read(self.back, 1 << 20)
            if not part:
                raise OSError("Chromium ended")
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, wait=60, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        end = time.monotonic() + wait
        while True:
            m = self.read(end)
            if m.get("id") == self.number:
                if "error" in m:
                    raise RuntimeError(f"{method}: {m['error']['message']}")
                return m["result"]
            self.events.append(m)

    def wait_event(self, name, wait=60):
        end = time.monotonic() + wait
        while True:
            for i, m in enumerate(self.events):
                if m.get("method") == name:
                    return self.events.pop(i)["params"]
            self.events.append(self.read(end))

    def drop_events(self, name):
        self.events = [m for m in self.events if m.get("method") != name]

    # ---- what tests do ----

    def size(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def dark(self, on):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if on else "light"}])

    def goto(self, url):
        self.drop_events("Page.loadEventFired")
        self.call("Page.navigate", url=url)
        self.wait_event("Page.loadEventFired")

    def js(self, text):
        r = self.call("Runtime.evaluate", expression=text, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(r["exceptionDetails"].get("exception", {}).get("description", "exception"))
        return r["result"].get("value")

    def until(self, text, wait=30):
        """Waits for an expression to hold; false when it does not in time."""
        end = time.monotonic() + wait
        while time.monotonic() < end:
            try:
                if self.js(text):
                    return True
            except RuntimeError:
                pass  # the page is being replaced
            time.sleep(0.05)
        return False

    def fill(self, selector, value):
        self.js(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)};"
                " e.dispatchEvent(new Event('input', {bubbles: true})); return true; })()")

    def click(self, selector):
        """Clicks what leads to another page, and waits for it."""
        self.drop_events("Page.loadEventFired")
        self.js(f"document.querySelector({json.dumps(selector)}).click()")
        self.wait_event("Page.loadEventFired")

    def press(self, selector):
        """Clicks what stays on the page."""
        self.js(f"document.querySelector({json.dumps(selector)}).click()")

    def text(self, selector="main"):
        return self.js(f"(document.querySelector({json.dumps(selector)}) || {{}}).innerText || ''")

    def screenshot(self, path=None):
        png = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        if path:
            with open(path, "wb") as f:
                f.write(png)
        return png

    def problems(self):
        """What the console shows as errors, since the start."""
        self.js("0")
        found = []
        for m in self.events:
            p = m.get("params", {})
            if m.get("method") == "Runtime.exceptionThrown":
                found.append(p["exceptionDetails"].get("text", "exception"))
            elif m.get("method") == "Runtime.consoleAPICalled" and p["type"] in ("error", "assert"):
                found.append(str(p["args"])[:200])
            elif m.get("method") == "Log.entryAdded" and p["entry"]["level"] == "error":
                found.append(f"{p['entry']['text']} {p['entry'].get('url', '')}")
        return found

    def requests(self):
        """Every URL that was asked for, since the start."""
        self.js("0")
        return [m["params"]["request"]["url"] for m in self.events if m.get("method") == "Network.requestWillBeSent"]
