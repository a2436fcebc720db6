"""A headless Chromium, driven through its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).

The connection is a pipe (`--remote-debugging-pipe`), because a WebSocket would need a package.
"""

import json
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium")
_SECONDS = 60.0
# As root, Chromium needs --no-sandbox. The other options keep it from calling its vendor.
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-pipe", "about:blank"),
)

Message = dict[str, Any]


class Browser:
    """One tab. `events` are what the browser has reported since the last `visit`."""

    def __init__(self, commands: int, messages: int, downloads: Path) -> None:
        self._commands, self._messages = commands, messages
        self._received, self._sent, self._session = b"", 0, ""
        self.events: list[Message] = []
        self.downloads = downloads
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads), eventsEnabled=True)
        self._session = session
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> Message:
        """Return the result of a command."""
        self._sent += 1
        command = {"id": self._sent, "method": method, "params": parameters}
        if self._session and not method.startswith("Browser."):
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (message := self._next()).get("id") != self._sent:
            self.events.append(message)
        assert "error" not in message, f"{method}: {message}"
        result: Message = message["result"]
        return result

    def wait_for(self, method: str, **parameters: Any) -> Message:
        """Return the parameters of the first event with this name and these parameters. The event may have come
        already."""
        read = 0
        while True:
            for event in self.events[read:]:
                found: Message = event.get("params", {})
                if event.get("method") == method and parameters.items() <= found.items():
                    return found
            read = len(self.events)
            self.events.append(self._next())

    def visit(self, url: str) -> bool:
        """Open an address. Return whether the browser shows it; the alternative is that it saves a file."""
        self.events.clear()
        if "errorText" in self.call("Page.navigate", url=url):
            return False
        self.wait_for("Page.loadEventFired")
        return True

    def run(self, script: str, *arguments: Any) -> Any:
        """Run an asynchronous JavaScript function in the page. Return its result, or raise its error."""
        called = f"({script})(...{json.dumps(arguments)})"
        done = self.call("Runtime.evaluate", expression=called, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def saved(self) -> Path:
        """Return the file that the browser saves, once it is complete."""
        begun = self.wait_for("Browser.downloadWillBegin")
        self.wait_for("Browser.downloadProgress", guid=begun["guid"], state="completed")
        return self.downloads / str(begun["suggestedFilename"])

    def _next(self) -> Message:
        end = time.monotonic() + _SECONDS
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._messages], [], [], max(0, end - time.monotonic()))
            assert ready, f"the browser is silent for {_SECONDS} s"
            received = os.read(self._messages, 65_536)
            assert received, "the browser has ended"
            self._received += received
        message, _, self._received = self._received.partition(b"\0")
        parsed: Message = json.loads(message)
        return parsed


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """Yield a browser with its profile and its downloads in `folder`."""
    assert CHROMIUM is not None
    (downloads := folder / "downloads").mkdir()
    # Chromium reads commands from descriptor 3 and writes responses to descriptor 4.
    (commands_out, commands), (messages, messages_in) = os.pipe(), os.pipe()
    redirected = f'exec "$0" "$@" 3<&{commands_out} 4>&{messages_in}'
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", redirected, CHROMIUM, f"--user-data-dir={folder / 'profile'}", *_FLAGS],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(commands_out, messages_in),
        )
    os.close(commands_out)
    os.close(messages_in)
    try:
        browser = Browser(commands, messages, downloads)
        yield browser
        with suppress(AssertionError):
            browser.call("Browser.close")
    finally:
        os.close(commands)
        os.close(messages)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing to the output of the tests."""


@contextmanager
def served_pages(folder: Path) -> Iterator[str]:
    """Yield the origin of a web server with the files of `folder`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
