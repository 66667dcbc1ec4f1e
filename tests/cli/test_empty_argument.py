"""An empty argument, as of a variable that is not set: one line that names the option."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command_line import options
from tests.cli.conftest import Cli

_MORE = {
    "cmin": ("corpus",),
    "encode": ("path",),
    "export": ("path", "--to", "html"),
    "coverage": ("folder",),
    "compare": ("--binaries", "a", "b"),
}
"""Words of a verb beside the empty one, so that it would begin."""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("verb", "option"),
    [(verb, one.opts[0]) for verb, one in options()],
    ids=lambda words: words if isinstance(words, str) else "-".join(words),
)
def test_an_option(cli: Cli, verb: tuple[str, ...], option: str) -> None:
    done = cli(*verb, *_MORE.get(verb[0], ()), f"{option}=")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"vblkfuzz: {option}: expected ")
    assert done.stderr.endswith(", found an empty argument\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ci", "--junit", ""), "--junit: expected the name of a file"),
        (("ci", "--sarif", ""), "--sarif: expected the name of a file"),
        (("cmin", "corpus", "-o", ""), "--output: expected the name of a folder"),
        (("fuzz", "--corpus", "a", "--corpus", ""), "--corpus: expected the name of a folder"),
        (("replay", "a", ""), "PATH: expected the name of a file or folder"),
        (("merge", "", "other"), "CORPUS: expected the name of a folder"),
        (("status", ""), "DIR|STORE: expected the name of a folder, or the URL of a store"),
        (("new", ""), "DEVICE: expected a value"),
        (("compare", ""), "expected binaries after --binaries, found an empty argument"),
        (("bisect", "a", ""), "expected binaries after --binaries, found an empty argument"),
    ],
)
def test_what_was_expected(cli: Cli, words: tuple[str, ...], expected: str) -> None:
    done = cli(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"vblkfuzz: {expected}")


def test_tap_takes_no_name(cli: Cli) -> None:
    assert cli("ci", "--tap", "").exit_code == 2
