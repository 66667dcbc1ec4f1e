"""Tables in the docs say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages import DOCS, TABLES, tables_in, written

PAGES = sorted(DOCS.rglob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_its_tables_are_those_of_the_code(path: Path) -> None:
    page = path.read_text()
    assert page == written(page), "run `python tests/pages.py` and look at what it changed"


def test_each_table_has_its_page() -> None:
    assert sorted(name for path in PAGES for name in tables_in(path.read_text())) == sorted(TABLES)
