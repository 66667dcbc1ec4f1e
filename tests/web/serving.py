"""`vblkfuzz serve` as a process, and a client that has its URL."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import NamedTuple

from tests.waiting import WAIT_S


class Serving(NamedTuple):
    """A server that can be asked."""

    process: subprocess.Popen[str]
    url: str
    """With the token."""

    @property
    def address(self) -> str:
        return self.url.partition("/?")[0]


@contextmanager
def serving(place: Path | str, *options: str) -> Iterator[Serving]:
    # Also where these tests run under nohup, SIGHUP ends it.
    signals = ["env", "--default-signal"]
    command = [*signals, sys.executable, "-m", "vblkfuzz", "serve", str(place), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Serving(process, process.stdout.readline().strip())
        finally:
            process.kill()


def opener() -> urllib.request.OpenerDirector:
    """Return a browser with cookies, which goes to this machine only."""
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )


def text_of(browser: urllib.request.OpenerDirector, url: str) -> str:
    with browser.open(url, timeout=WAIT_S) as answer:
        text: str = answer.read().decode()
    return text
