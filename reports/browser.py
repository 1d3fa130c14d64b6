"""A headless Chromium, driven through the pipe of its DevTools protocol. Nothing beyond Python's own library."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find():
    """The path of a browser, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class BrowserError(Exception):
    pass


class Browser:
    """One page. Its console errors and exceptions gather in `errors`; `computed` is what the last opening cost."""

    def __init__(self, program, patience=60):
        self.patience, self.last, self.errors, self.buffer, self.replies, self.events = patience, 0, [], b"", {}, []
        self.profile = tempfile.TemporaryDirectory(prefix="plumb_browser_", ignore_cleanup_errors=True)
        to_child, self.write_end = os.pipe()
        self.read_end, from_child = os.pipe()
        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--disable-extensions", "--disable-background-networking", "--hide-scrollbars",
                   "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "about:blank"]
        # The protocol's ends are descriptors 3 and 4, which pipes of this process may have been given as well.
        shell = f'exec "$@" 3<&{to_child} 4>&{from_child}'
        self.process = subprocess.Popen(["bash", "-c", shell, "bash", *command], pass_fds=(to_child, from_child),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Performance"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.write_end)
        os.close(self.read_end)
        self.profile.cleanup()

    def call(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        reply = self.wait(lambda: self.replies.pop(self.last, None), method)
        if "error" in reply:
            raise BrowserError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def wait(self, ready, what):
        end = time.monotonic() + self.patience
        while (found := ready()) is None:
            if not select.select([self.read_end], [], [], max(0, end - time.monotonic()))[0]:
                raise BrowserError(f"{what}: no answer in {self.patience} s")
            chunk = os.read(self.read_end, 1 << 16)
            if not chunk:
                raise BrowserError(f"{what}: the browser ended with status {self.process.wait()}")
            self.receive(chunk)
        return found

    def receive(self, chunk):
        *messages, self.buffer = (self.buffer + chunk).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.replies[message["id"]] = message
            else:
                self.notice(message["method"], message["params"])

    def notice(self, method, parameters):
        self.events.append(method)
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.errors.append(" ".join(str(a.get("value", a)) for a in parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.errors.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if not url.startswith(("file:", "data:", "about:")):
                self.errors.append("the page asked for " + url)

    def width(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def go(self, url):
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait(lambda: True if "Page.loadEventFired" in self.events else None, "load")

    def open(self, path, fragment=""):
        """Seconds until the page was loaded and its script had run, painting of the first frame included."""
        self.go("about:blank")  # a fragment alone would not load it again
        begin, computed = time.monotonic(), self.processor_time()
        self.go("file://" + os.path.abspath(path) + fragment)
        self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
        seconds = time.monotonic() - begin
        self.computed = self.processor_time() - computed
        return seconds

    def processor_time(self):
        """Seconds that the page's process has computed."""
        metrics = self.call("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "ProcessTime")

    def run(self, script):
        """The value of a script's last expression; a promise is waited for."""
        reply = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise BrowserError(reply["exceptionDetails"].get("exception", {}).get("description", "exception"))
        return reply["result"].get("value")

    def screenshot(self, path, whole=True):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot["data"]))
