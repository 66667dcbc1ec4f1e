"""The dashboard in a real browser: it fits, is live, and asks nobody but its server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium import NEEDS_CHROMIUM, WAIT_MS, Browser, chromium
from tests.web.folders import output_folder
from tests.web.serving import Serving, serving
from vblkfuzz.store.history import LEDGER
from vblkfuzz.store.ledger import Ledger

pytest.importorskip("uvicorn", reason="the extra web is not installed")
pytestmark = NEEDS_CHROMIUM

SHOTS = os.environ.get("VBLKFUZZ_SHOTS")
"""A folder for pictures of all pages, to look at."""
PAGES = ("/", "/findings", "/situations", "/corpus")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return output_folder(tmp_path_factory.mktemp("served") / "out", 120, 60)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Serving]:
    with serving(folder) as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_and_asks_nobody_else(
    browser: Browser, server: Serving, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme)
    context.set_default_timeout(WAIT_MS)
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(server.url)
    assert page.url == f"{server.address}/"
    for path in PAGES:
        page.goto(server.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if SHOTS:
            name = path.strip("/") or "overview"
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png", full_page=True)
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert (ink, paper) == {
        "light": ("rgb(28, 32, 36)", "rgb(255, 255, 255)"),
        "dark": ("rgb(230, 232, 235)", "rgb(21, 24, 28)"),
    }[scheme]
    assert said == []
    assert all(one.startswith((server.address, "data:")) for one in asked)
    context.close()


def test_it_is_live(browser: Browser, server: Serving, folder: Path) -> None:
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(server.url)
    page.locator("#live", has_text="594,880").wait_for()
    ledger = Ledger(folder / LEDGER)
    ledger.begin("2026-01-03T00:00:00+00:00", "patch-v4", "inline", 1, 3)
    ledger.progress(1, 1234, 5, (0, 0))
    page.locator("#live", has_text="596,114").wait_for()
    ledger.close()
    context.close()


def test_it_reads_without_javascript(browser: Browser, server: Serving) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(server.url)
    assert page.locator("polyline").first.is_visible()
    assert page.locator("#lost").is_hidden()
    page.get_by_role("link", name="Findings", exact=True).click()
    page.get_by_role("link", name="next").first.click()
    assert page.locator(".rows li").count() == 10
    context.close()
