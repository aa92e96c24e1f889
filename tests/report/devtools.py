"""Chromium through its debugging pipe: a page as users get it, under its own policy.

What the page's policy forbids stays forbidden; questions are asked from outside.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.report.browser import CHROMIUM
from tests.waiting import PATIENCE


class Tab:
    """One tab. Commands are answered in order; events are kept until somebody waits for them."""

    def __init__(self, write: int, read: int, downloads: Path) -> None:
        self._write, self._read, self._left = write, read, b""
        self._events: list[dict[str, Any]] = []
        self._sent, self._session = 0, ""
        self.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads),
                 eventsEnabled=True)  # fmt: skip
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        self.ask("Page.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters}
        session = {"sessionId": self._session} if self._session else {}
        os.write(self._write, json.dumps(message | session).encode() + b"\0")
        while (found := self._next()).get("id") != self._sent:
            self._events.append(found)
        assert "error" not in found, found
        return dict(found["result"])

    def wait_for(self, method: str, **wanted: Any) -> None:
        """Wait until an event of this name, with these parameters, has come."""
        while not any(
            one.get("method") == method and wanted.items() <= one["params"].items()
            for one in self._events
        ):
            self._events.append(self._next())
        self._events.clear()

    def open(self, page: Path, width: int = 1280, scheme: str = "light", media: str = "") -> None:
        """Show a page at a width, in a colour scheme, on a screen or as it is printed."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900,
                 deviceScaleFactor=1, mobile=False)  # fmt: skip
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[feature])
        self.ask("Page.navigate", url=page.as_uri())
        self.wait_for("Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """Return what an expression comes to in the page."""
        found = self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def picture(self, path: Path, height: int | None = None) -> None:
        """Save the page as a picture, all of it or its first pixels."""
        width, whole = (
            self.value(f"document.documentElement.{one}") for one in ("clientWidth", "scrollHeight")
        )
        clip = {"x": 0, "y": 0, "width": width, "height": height or whole, "scale": 1}
        found = self.ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._read], [], [], PATIENCE)
            more = os.read(self._read, 1 << 16) if ready else b""
            assert more, "Chromium ended or hangs"
            self._left += more
        message, _, self._left = self._left.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def tab(folder: Path) -> Iterator[Tab]:
    """Start Chromium with a profile in a folder, which downloads go to as well; end it after."""
    assert CHROMIUM is not None
    (theirs_in, ours_out), (ours_in, theirs_out) = _pipe(), _pipe()
    downloads = folder / "downloads"
    downloads.mkdir()
    # Chromium reads commands from descriptor 3 and answers on 4.
    script = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
    command = [
        "bash", "-c", script, "bash", CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
        "--disable-background-networking", "--disable-component-update", "--no-first-run",
        "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}", "--remote-debugging-pipe",
    ]  # fmt: skip
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, pass_fds=(theirs_in, theirs_out), stdout=quiet, stderr=quiet
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Tab(ours_out, ours_in, downloads)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
        os.close(ours_in)
        os.close(ours_out)


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends lie above the descriptors that Chromium takes."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
