"""Tables in the docs say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages import DOCS, TABLES, tables_in, written
from tests.pure_build import pure_build

PAGES = sorted(DOCS.rglob("*.md"))
CALLED = "device-api.md"
"""Says who calls each method, which is seen by replacing them."""


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=str(path.relative_to(DOCS)), marks=pure_build if path.name == CALLED else ()
        )
        for path in PAGES
    ],
)
def test_its_tables_are_those_of_the_code(path: Path) -> None:
    page = path.read_text()
    assert page == written(page), "run `python tests/pages.py` and look at what it changed"


def test_each_table_has_its_page() -> None:
    assert sorted(name for path in PAGES for name in tables_in(path.read_text())) == sorted(TABLES)
