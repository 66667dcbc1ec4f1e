"""The examples work in a folder of their own, as they would in somebody else's repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import vblkfuzz
from tests.checkout import source_copy
from tests.ossfuzz.clusterfuzz import crash_state

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture
def own_device(tmp_path: Path) -> Path:
    return source_copy(EXAMPLES / "own_device", tmp_path / "own_device")


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    package = str(Path(vblkfuzz.__file__).parent.parent)
    command = [sys.executable, "-m", "pytest", "-pvblkfuzz.pytest_plugin", "-pno:cacheprovider"]
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": package},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tests_of_an_own_device_pass(own_device: Path) -> None:
    run = pytest_in(own_device)
    assert run.returncode == 0, run.stdout
    assert "4 passed" in run.stdout


def own_program(folder: Path, device: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program in `folder` on that device of own_device.py."""
    program = folder / "fuzz_own_device.py"
    program.write_text(program.read_text().replace(":Forgetful", f":{device}"))
    return subprocess.run(
        [sys.executable, program.name, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(vblkfuzz.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def program_of_the_page() -> str:
    page = (EXAMPLES.parent / "docs" / "oss-fuzz.md").read_text()
    return page.partition("```python\n")[2].partition("```")[0]


@pytest.mark.parametrize("of_page", [False, True])
def test_an_own_program_finds_the_bug(own_device: Path, of_page: bool) -> None:
    """That of the example, and that of docs/oss-fuzz.md.

    The mistake shows in a reset (S7), in a stop of the VM (S16) and after it (L3): the seed decides
    which first. The right device has no finding with the same input.
    """
    if of_page:
        (own_device / "fuzz_own_device.py").write_text(program_of_the_page())
    run = own_program(own_device, "Forgetful", "-seed=2", "-runs=20000")
    assert run.returncode == 77, run.stderr
    rules = {name.partition("-")[0] for name in crash_state(run.stdout)}
    assert len(rules) == 1 and rules <= {"s7", "s16", "l3"}, run.stdout
    (crash,) = own_device.glob("crash-*")
    assert own_program(own_device, "Throttled", crash.name).returncode == 0
    assert own_program(own_device, "Throttled", "-seed=2", "-runs=500").returncode == 0


def test_the_corpus_fails_on_the_device_with_the_bug(own_device: Path) -> None:
    run = pytest_in(own_device, "corpus", "--vblk-device", "own_device:Forgetful")
    assert run.returncode == 1
    assert "expected clean on own_device:Forgetful, got violation of S7" in run.stdout


def test_the_corpus_fails_where_the_bug_does_not_show(own_device: Path) -> None:
    """A regression scenario that no longer fails on its bug has rotted."""
    path = own_device / "corpus" / "s7-reset-keeps-waiting-requests" / "scenario.toml"
    path.write_text(path.read_text().replace(":Forgetful", ":Throttled"))
    run = pytest_in(own_device, "corpus")
    assert run.returncode == 1
    assert "expected violation of S7" in run.stdout
    assert "on own_device:Throttled, got clean" in run.stdout
