"""`vblkfuzz new`: the project works at once, and nothing is replaced."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import vblkfuzz
from tests.cli.conftest import Cli

FILES = [
    "README.md",
    "corpus/reset-in-drain/scenario.toml",
    "device.py",
    "pyproject.toml",
    "test_device.py",
]


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    package = str(Path(vblkfuzz.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": package, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_its_tests_pass(cli: Cli, tmp_path: Path) -> None:
    result = cli("new", tmp_path / "a folder" / "my-disk_2")
    assert result.exit_code == 0
    project = tmp_path / "a folder" / "my-disk_2"
    assert files_in(project) == FILES
    run = python(project, "-m", "pytest", "-pvblkfuzz.pytest_plugin", "-pno:cacheprovider")
    assert (run.returncode, "3 passed" in run.stdout) == (0, True), run.stdout


def test_the_command_that_it_prints_fuzzes(cli: Cli, tmp_path: Path) -> None:
    output = cli("new", tmp_path / "my_disk").stdout
    (line,) = (line for line in output.splitlines() if line.startswith("  vblkfuzz fuzz"))
    name, *words = shlex.split(line)
    assert name == "vblkfuzz"
    assert words[2] == f"{tmp_path}/my_disk/device.py:MyDisk"
    run = python(tmp_path, "-m", name, *words, "--runs", "20", "--workers", "1", "--seed", "1")
    assert run.returncode == 0, run.stderr


def test_no_file_is_replaced(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "test_device.py").write_text("mine")
    project = tmp_path.rename(tmp_path.with_name("my_disk"))
    result = cli("new", project)
    assert result.exit_code == 2
    assert result.stderr == (
        f"vblkfuzz: {project}/test_device.py: exists; expected a new folder, or one without this"
        " file\n"
    )
    assert files_in(project) == ["test_device.py"]
    assert (project / "test_device.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["7", "virtio_blk", "none", "steps", "disk.é"])
def test_a_name_that_makes_no_class(cli: Cli, tmp_path: Path, name: str) -> None:
    result = cli("new", tmp_path / name)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / name).exists()


def test_a_folder_that_cannot_be_made(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = cli("new", tmp_path / "file" / "my_disk")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "cannot be written" in result.stderr
