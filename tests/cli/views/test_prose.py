"""Sentences on a terminal are broken between words, commands not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import BUG, Cli
from vblkfuzz.scenario.text import to_text


@pytest.fixture
def on_a_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command line with a terminal of 50 columns."""
    for name, value in (("FORCE_COLOR", "1"), ("TERM", "xterm"), ("COLUMNS", "50")):
        monkeypatch.setenv(name, value)
    return cli


def plain(said: str) -> str:
    """Return the text without colours."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said)


def words_beyond(said: str, width: int = 50) -> list[str]:
    """Return the lines that a terminal would break within a word, commands and names left out."""
    copied = re.compile(r"vblkfuzz |^\S*/\S*: |^ *\S+$|^  written|  signature|  also")
    return [line for line in said.splitlines() if len(line) > width and not copied.search(line)]


def test_the_sentence_of_a_violation(on_a_terminal: Cli, tmp_path: Path) -> None:
    bug = tmp_path / "bug.toml"
    bug.write_text(to_text(BUG))
    replayed = plain(on_a_terminal("replay", bug, "--mode", "inline").stdout)
    head = replayed.partition("  turn actor ")[0]
    assert "although it was attached to" in " ".join(head.split())
    assert words_beyond(head) == []
    explored = on_a_terminal("explore", bug, "--deviations", "0", "--out", tmp_path / "out")
    assert "inside the drained" in " ".join(plain(explored.stderr).split())
    assert words_beyond(plain(explored.stderr)) == []
    small = on_a_terminal("minimize", bug, "-o", tmp_path / "s.toml", "--mode", "inline")
    assert words_beyond(plain(small.stdout)) == []
    listed = plain(on_a_terminal("triage", tmp_path / "out", "--repeat", "1").stdout)
    assert "S8  A host notifier is attached once," in listed
    assert words_beyond(listed.partition("the story of one")[0]) == []
    (command,) = (line for line in listed.splitlines() if line.startswith("the story of one: "))
    assert command.split()[-1].startswith("s")
