"""The report in a real browser: it fits, keys step through it, JavaScript is optional."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import NEEDS_CHROMIUM, WAIT_MS, Browser, chromium
from tests.triage.stories import case
from vblkfuzz.export.html_report import html_text
from vblkfuzz.triage.recorded import Others, Recorded

pytestmark = NEEDS_CHROMIUM


# Playwright has types, but may be missing.
Page = Any
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(html_text([case()]))
    return path


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Open]:
    """Open the report; nothing may be fetched, and no script may fail."""
    contexts = []
    errors: list[str] = []

    def open_page(width: int = 1280, **options: object) -> Page:
        size = {"width": width, "height": 800}
        context = browser.new_context(viewport=size, offline=True, **options)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda request: errors.append(request.url))
        page.goto(report.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def fact(page: Page, name: str) -> str:
    found: str = page.locator(f".state dt:text-is('{name}') + dd").text_content()
    return found


def background(page: Page) -> str:
    found: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return found


@pytest.mark.parametrize("width", [400, 1280])
def test_it_fits(opened: Open, width: int) -> None:
    page = opened(width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".lanes").bounding_box()["width"] > width / 2


def test_it_begins_at_the_clash(opened: Open) -> None:
    page = opened()
    assert page.locator(".state h4").text_content() == "pop q0 r1 h0 avail 1"
    here = page.locator(".here").bounding_box()
    lanes = page.locator(".lanes").bounding_box()
    assert lanes["y"] < here["y"] < lanes["y"] + lanes["height"]


def test_arrow_keys_step(opened: Open) -> None:
    page = opened()
    page.locator(".lanes").focus()
    begin = int(fact(page, "step").split()[0])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert int(fact(page, "step").split()[0]) == begin + 2
    assert fact(page, "parked") == "r1"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    assert fact(page, "step").startswith("1 of ")
    assert fact(page, "device") == "off"
    page.keyboard.press("c")
    assert int(fact(page, "step").split()[0]) == begin


def test_each_step_shows_its_row_of_the_table(opened: Open) -> None:
    page = opened()
    page.locator(".lanes").focus()
    page.keyboard.press("Home")
    rows = page.locator(".steps tbody tr")
    for index in range(rows.count()):
        event = rows.nth(index).locator("td").nth(2).text_content()
        assert page.locator(".state h4").text_content() == event
        page.keyboard.press("ArrowDown")


def test_a_click_goes_there(opened: Open) -> None:
    page = opened()
    page.locator(".hit[data-step='30']").click()
    assert fact(page, "step").startswith("31 of ")


def test_zoom(opened: Open) -> None:
    page = opened()
    before = page.locator(".drawing").bounding_box()["width"]
    page.get_by_role("button", name="zoom in").click()
    assert page.locator(".drawing").bounding_box()["width"] == pytest.approx(before * 1.25)
    page.keyboard.press("-")
    assert page.locator(".drawing").bounding_box()["width"] == pytest.approx(before)


def test_light_and_dark(opened: Open) -> None:
    light, dark = (background(opened(color_scheme=scheme)) for scheme in ("light", "dark"))
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(21, 24, 28)")


def test_it_reads_without_javascript(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator(".state h4").text_content() == "pop q0 r1 h0 avail 1"
    assert page.locator(".tools").is_hidden()
    assert page.locator(".drawing text:text-is('pop q0 r1 h0 avail 1')").is_visible()
    page.locator("summary").click()
    assert page.locator(".steps tbody tr").last.is_visible()


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A report on one finding of many, whose names and sentences are long."""
    path = tmp_path / "report.html"
    rows = [
        Recorded(f"S{rule}", f"s{rule}-{'reset_' * 12}{n}", "Sentence. " * 9, "7 times", 2)
        for rule in (1, 2)
        for n in range(50)
    ]
    command = f"vblkfuzz export {'x' * 80} --to html --page 2 -o report-2.html"
    path.write_text(html_text([case()], (), Others(rows, 1, 3, command)))
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_an_index_of_many(opened: Open, index: Path, width: int, scheme: str) -> None:
    page = opened(width, color_scheme=scheme)
    assert index.exists()
    assert page.locator("h1").text_content() == "101 findings"
    rows = page.locator("#others tbody tr")
    assert rows.first.is_hidden()
    page.locator("#others input").fill("S2-" + "RESET_" * 12 + "42")
    assert page.locator("#others [role=status]").text_content() == "1 found"
    assert [row.is_visible() for row in rows.all()].count(True) == 1
    page.locator("#others input").fill("")
    page.locator("#others summary").first.click()
    assert rows.first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_an_index_without_javascript(opened: Open, index: Path) -> None:
    page = opened(java_script_enabled=False)
    assert index.exists()
    assert page.locator("#others input").is_hidden()
    page.locator("#others summary").last.click()
    assert page.locator("#others tbody tr").last.is_visible()
