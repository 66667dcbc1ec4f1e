"""The built site loads nothing from other hosts. `tox -e docs` builds it first."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pytest

BUILT: Final = Path(os.environ.get("VBLKFUZZ_SITE", ""))
LOADED: Final = re.compile(
    r"<(?!a\s)\w+\s[^>]*?(?:src|href)=\"?((?:https?:)?//[^\s\">]+)"
    r"|(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\s\"')]+)"
)

NEEDS_SITE: Final = pytest.mark.skipif(
    "VBLKFUZZ_SITE" not in os.environ, reason="VBLKFUZZ_SITE names no built site"
)


def loaded(text: str) -> list[str]:
    """Return the addresses on other hosts that a page or a style sheet loads from."""
    return [one or other for one, other in LOADED.findall(text)]


@NEEDS_SITE
def test_it_has_its_pages() -> None:
    names = ("index.html", "docs/tutorial.html", "docs/reference/rules.html")
    assert [name for name in names if not (BUILT / name).is_file()] == []
    assert "var __index" in (BUILT / "search" / "search_index.js").read_text()[:20]


@NEEDS_SITE
def test_nothing_comes_from_other_hosts() -> None:
    files = [path for path in BUILT.rglob("*") if path.suffix in (".html", ".css")]
    found = {path: loaded(path.read_text(errors="replace")) for path in files}
    assert {path: hosts for path, hosts in found.items() if hosts} == {}


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ('<script src="https://a.example/x.js">', ["https://a.example/x.js"]),
        ('<link rel="stylesheet" href="//a.example/x.css">', ["//a.example/x.css"]),
        ("@font-face { src: url(https://a.example/f.woff) }", ["https://a.example/f.woff"]),
        ('<a href="https://a.example/"><img src="here.png">', []),
    ],
)
def test_what_is_loaded(text: str, hosts: list[str]) -> None:
    assert loaded(text) == hosts
