"""A report is one file that fetches nothing, and text of an artifact is always escaped in it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser

from tests.checkout import CHECKOUT
from tests.triage.stories import QUIET, SIGNATURE, case
from vblkfuzz.export.html_report import html_text
from vblkfuzz.export.lane_layout import ROW, lane_layout
from vblkfuzz.store.reduction import Reduction

_VOID = {"meta", "rect", "line", "circle", "path"}


class Balance(HTMLParser):
    """Records the open tags, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_tag_is_closed_and_nothing_is_fetched() -> None:
    text = html_text([case(), case(QUIET, "reference")])
    page = Balance()
    page.feed(text)
    assert page.open == []
    assert all(address.startswith("#") for address in page.addresses)
    assert not re.search(r"https?://|@import|url\(", text)


def test_what_it_says() -> None:
    text = html_text([case()])
    for part in (
        f'id="{SIGNATURE}"',
        "Request 1 was dequeued from queue 0",
        "S1: No request is dequeued inside a drained section.",
        "vblkfuzz replay x.vblk --device patch-v4 --mode inline",
        "pop q0 r1 h0 avail 1",
        "quiesce_counter 1, drained",
        f"All {len(case().steps)} events with the state after each",
    ):
        assert part in text


def test_what_a_minimized_finding_was() -> None:
    small = replace(case(), reduction=Reduction(44, 5, 4, 0, 19, complete=True))
    assert "<dd>44 operations + 5 deviations became 4 + 0 in 19 tries</dd>" in html_text([small])


def test_the_same_findings_give_the_same_bytes() -> None:
    assert html_text([case()]) == html_text([case()])


def test_text_of_an_artifact_stays_text() -> None:
    text = html_text([case(path="</code><script>alert(1)</script>")])
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_a_plain_install_can_write_it() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert any(one.startswith("jinja2") for one in project["dependencies"])


def test_the_drained_section_is_one_band_and_the_clash_lies_in_it() -> None:
    story = case()
    layout = lane_layout(story.steps, story.scenario.ops)
    *_, band = layout.bands  # the first is that of the start, which moves the node
    first, second = layout.clash
    assert (first.clash, second.clash) == ("first", "second")
    assert band.y < first.y < second.y < band.y + band.height
    assert [mark.y for mark in layout.marks] == [
        index * ROW + ROW // 2 for index in range(len(story.steps))
    ]
