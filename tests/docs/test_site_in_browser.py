"""The built site in a real browser: identifiers in tables are whole. `tox -e browser` builds it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.docs.test_site import BUILT, NEEDS_SITE
from tests.waiting import WAIT_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [NEEDS_SITE, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]

PAGES = ("docs/defects", "docs/device-api", "docs/real-devices", "docs/reference/commands")
BROKEN = r"""() => [...document.querySelectorAll("article td code, article td a")]
    .filter(one => !/[\s-]/.test(one.textContent) && one.getClientRects().length > 1)
    .map(one => one.textContent)"""
TOO_WIDE = "() => document.documentElement.scrollWidth > window.innerWidth"


@pytest.mark.parametrize("width", [400, 1280])
def test_identifiers_in_tables_are_whole(width: int) -> None:
    """A table that is too wide scrolls, not the page."""
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=WAIT_S * 1000
        )
        page = browser.new_page(viewport={"width": width, "height": 800})
        for name in PAGES:
            page.goto(Path(os.path.abspath(BUILT / f"{name}.html")).as_uri())
            assert page.locator("article td code").count() > 0
            assert (name, page.evaluate(BROKEN)) == (name, [])
            assert not page.evaluate(TOO_WIDE)
        browser.close()
