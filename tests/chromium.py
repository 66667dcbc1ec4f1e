"""A real browser for the tests of pages; without it they are skipped, and say why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from tests.waiting import WAIT_S

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

_PROGRAM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDS_CHROMIUM: Final = pytest.mark.skipif(_PROGRAM is None, reason="there is no chromium")
WAIT_MS: Final = WAIT_S * 1000

# Playwright has types, but may be missing.
Browser = Any


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser, and close it."""
    with playwright.sync_playwright() as tool:
        found = tool.chromium.launch(
            executable_path=_PROGRAM, args=["--no-sandbox"], timeout=WAIT_MS
        )
        yield found
        found.close()
