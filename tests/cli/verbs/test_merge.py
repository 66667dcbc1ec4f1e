"""`vblkfuzz merge`: adds inputs with new features to a corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.verbs.corpora import run
from vblkfuzz.scenario.codec import decode, encode

pytestmark = pytest.mark.e2e


def test_merge_adds_what_is_new(corpus: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "first").write_bytes(encode(decode(b"")))
    found = json.loads(run("merge", mine, corpus, "--json").stdout)
    assert found["added"] == len(list(mine.iterdir())) - 1 > 0
    assert 0 < found["new_features"] < found["features"]
    again = run("merge", mine, corpus)
    assert again.stdout == f"72 inputs; 0 with 0 new features added to {mine}\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("merge {0}/no {0}/full", "{0}/no: expected a folder of inputs"),
        ("merge {0}/full {0}/full --device nonsense", "device nonsense: expected qemu-8.0"),
    ],
)
def test_what_cannot_be_done(tmp_path: Path, arguments: str, problem: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    done = run(*arguments.format(tmp_path).split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"vblkfuzz: {problem.format(tmp_path)}")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["full", "mine"]
