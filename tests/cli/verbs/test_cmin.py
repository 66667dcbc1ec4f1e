"""`vblkfuzz cmin`: a corpus with the same features and fewer inputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.verbs.corpora import contents, run
from vblkfuzz.scenario.codec import MAX_BYTES

pytestmark = pytest.mark.e2e


def test_cmin_keeps_all_features_in_fewer_inputs(corpus: Path, tmp_path: Path) -> None:
    done = run("cmin", corpus, "-o", tmp_path / "small", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["inputs"] == 72
    assert contents(tmp_path / "small") <= contents(corpus)
    assert found["kept"] == len(list((tmp_path / "small").iterdir())) < 60
    again = json.loads(run("cmin", tmp_path / "small", "-o", tmp_path / "s2", "--json").stdout)
    assert again == {**found, "inputs": found["kept"]}


def test_the_same_in_both_modes(corpus: Path, tmp_path: Path) -> None:
    for mode in ("inline", "processes"):
        assert run("cmin", corpus, "-o", tmp_path / mode, "--mode", mode).returncode == 0
    assert contents(tmp_path / "inline") == contents(tmp_path / "processes")


def test_texts_and_files_that_cannot_be_read(tmp_path: Path, bad: Path, clean: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(MAX_BYTES + 1))
    done = run("cmin", tmp_path, "-o", tmp_path / "small")
    assert done.returncode == 2
    assert done.stdout.startswith("1 input, ")
    reported = sorted(done.stderr.splitlines())
    assert [line.split(": ")[1] for line in reported] == [str(bad), str(tmp_path / "large")]
    assert len(list((tmp_path / "small").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("cmin {0}/no -o {0}/new", "{0}/no: expected a folder of inputs"),
        ("cmin {0}/full -o {0}/full", "{0}/full: expected a folder that is new or empty"),
    ],
)
def test_what_cannot_be_done(tmp_path: Path, arguments: str, problem: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    done = run(*arguments.format(tmp_path).split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"vblkfuzz: {problem.format(tmp_path)}")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["full", "mine"]


def test_a_folder_without_inputs(tmp_path: Path) -> None:
    """An error, as for `replay`, `minimize` and `export`."""
    (tmp_path / "empty").mkdir()
    done = run("cmin", str(tmp_path / "empty"), "-o", str(tmp_path / "small"))
    assert (done.returncode, (tmp_path / "small").exists()) == (2, False)
    assert "expected a folder with inputs (.vblk, .toml or raw ones), found none" in done.stderr
