"""The built site in a real browser: identifiers in tables are whole. `tox -e browser` builds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chromium import NEEDS_CHROMIUM, chromium
from tests.docs.test_site import BUILT, NEEDS_SITE

pytestmark = [NEEDS_SITE, NEEDS_CHROMIUM]

PAGES = ("docs/defects", "docs/device-api", "docs/real-devices", "docs/reference/commands")
BROKEN = r"""() => [...document.querySelectorAll("article td code, article td a")]
    .filter(one => !/[\s-]/.test(one.textContent) && one.getClientRects().length > 1)
    .map(one => one.textContent)"""
TOO_WIDE = "() => document.documentElement.scrollWidth > window.innerWidth"


@pytest.mark.parametrize("width", [400, 1280])
def test_identifiers_in_tables_are_whole(width: int) -> None:
    """A table that is too wide scrolls, not the page."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": 800})
        for name in PAGES:
            page.goto(Path(os.path.abspath(BUILT / f"{name}.html")).as_uri())
            assert page.locator("article td code").count() > 0
            assert (name, page.evaluate(BROKEN)) == (name, [])
            assert not page.evaluate(TOO_WIDE)
