"""Links of pages to a heading: it exists. That the files exist is in test_tidy.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.checkout import CHECKOUT, CODE_BLOCK, LINK, project_files

PAGES: Final = [path for path in project_files() if path.suffix == ".md"]
FENCED: Final = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
HEADING: Final = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def anchors(page: str) -> set[str]:
    """The anchors that a forge, and the site, make of the headings of a page."""
    found: dict[str, int] = {}
    for heading in HEADING.findall(FENCED.sub("", page)):
        text = LINK.sub(lambda link: link[0].partition("](")[0][1:], heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {f"{slug}-{n}" if n else slug for slug, last in found.items() for n in range(last + 1)}


def broken_anchors(page: Path) -> list[str]:
    """The links of a page to a heading that there is not, in its own text or in another page."""
    broken = []
    for link in LINK.finditer(CODE_BLOCK.sub("", page.read_text())):
        path, _, anchor = link["target"].partition("#")
        if anchor and ":" not in path:
            target = page.parent / path if path else page
            if target.suffix == ".md" and anchor not in anchors(target.read_text()):
                broken.append(link["target"])
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_its_links_to_headings_lead_somewhere(page: Path) -> None:
    assert broken_anchors(page) == []


def test_a_heading_that_is_missing_is_found(tmp_path: Path) -> None:
    other, page = tmp_path / "other.md", tmp_path / "page.md"
    other.write_text("# `A b`: c, [d](e.md)\n## Twice\n## Twice\n```\n# no heading\n```\n")
    links = ("#own", "#gone", "other.md#a-b-c-d", "other.md#twice-1", "other.md#no-heading")
    page.write_text("# Own\n" + " ".join(f"[x]({link})" for link in links))
    assert broken_anchors(page) == ["#gone", "other.md#no-heading"]
