"""Everything in corpus/ is in the one canonical form, so that a change shows what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.canonical import canonical, rewrite
from vblkfuzz.scenario.text import read_text

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus"
FILES = sorted(CORPUS.rglob("*.toml"))


def place(path: Path) -> str:
    return str(path.relative_to(CORPUS))


@pytest.mark.parametrize("path", FILES, ids=place)
def test_canonical(path: Path) -> None:
    text = path.read_text()
    assert canonical(text, place(path)) == text, "python -m vblkfuzz.scenario.canonical corpus"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_the_place_says_what_it_is(path: Path) -> None:
    """start/NAME.toml has no verdict; regress and defects have one in each folder."""
    said = read_text(path.read_text(), path.name)
    kind = path.relative_to(CORPUS).parts[0]
    assert kind in ("start", "regress", "defects")
    assert (said.expectation is None) == (kind == "start")
    assert path.name == "scenario.toml" or kind == "start"


def test_rewriting_keeps_what_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a" / "x.toml"
    path.parent.mkdir()
    path.write_text('# Why.\n#  Indented.\n\nformat = 1\nops = [{op = "init"}]  # set up\n')
    before = read_text(path.read_text(), "x")
    assert rewrite(tmp_path) == [path]
    assert rewrite(tmp_path) == []
    assert read_text(path.read_text(), "x") == before
    assert path.read_text().splitlines()[:3] == ["# Why.", "#  Indented.", "format = 1"]


def test_what_is_no_scenario(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("format = 1\nops = 3\n")
    with pytest.raises(InputFileError, match=r"x\.toml: ops: expected an array, found 3"):
        rewrite(tmp_path)
