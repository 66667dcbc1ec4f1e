"""Where the file of a device is looked for that an input names."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text
from vblkfuzz.triage.device_file import found_in
from vblkfuzz.triage.inputs import input_at

NAME = "device.py:Own+no_selfkick"


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a device and the same input in both forms; below the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").mkdir()
    text = to_text(Scenario(), "", Expectation("clean"), NAME)
    Path("corpus/one.toml").write_text(text)
    Path("corpus/one.vblk").write_bytes(dump_artifact(Artifact(Scenario(), device=NAME)))
    return Path("corpus")


@pytest.mark.parametrize("form", ["one.toml", "one.vblk"])
def test_beside_the_input_then_in_the_working_directory(corpus: Path, form: str) -> None:
    path = str(corpus / form)
    Path("device.py").touch()
    assert input_at(path).artifact.device == NAME
    (corpus / "device.py").touch()
    assert input_at(path).artifact.device == f"corpus/{NAME}"


def test_the_first_folder_that_has_it(corpus: Path) -> None:
    (corpus / "device.py").touch()
    assert found_in("device.py:Own", "nowhere", "corpus", ".") == "corpus/device.py:Own"
    Path("device.py").touch()
    assert found_in("device.py:Own", ".", "corpus") == "device.py:Own"


@pytest.mark.parametrize(
    "name", ["patch-v4", "package.module:Own", "/device.py:Own", "gone.py:Own"]
)
def test_other_names_stay(corpus: Path, name: str) -> None:
    Path("corpus/seed").touch()
    assert found_in(name, "corpus") == name
