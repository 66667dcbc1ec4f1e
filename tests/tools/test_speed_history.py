"""tools/speed_history.py in a repository of its own: what it adds, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import vblkfuzz
from tests.checkout import CHECKOUT

TOOL = CHECKOUT / "tools" / "speed_history.py"
AUTHOR = ("-c", "user.name=Author", "-c", "user.email=author@example.org")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
]


def git(root: Path, *arguments: str) -> str:
    run = subprocess.run(
        ["git", *AUTHOR, *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of one commit, with an old line in its history."""
    for name in ("docs/speed-history.jsonl", "vblkfuzz/code.py", "tools/speed_history.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("{}\n")
    shutil.copy(TOOL, tmp_path / "tools")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def run_tool(root: Path) -> subprocess.CompletedProcess[str]:
    path = str(Path(vblkfuzz.__file__).parents[1])
    return subprocess.run(
        [sys.executable, str(root / "tools" / "speed_history.py"), "--rounds", "1"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_run_adds_a_line_with_commit_machine_and_figures(root: Path) -> None:
    runs = [run_tool(root) for _ in range(2)]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    old, *added = (root / "docs" / "speed-history.jsonl").read_text().splitlines()
    assert old == "{}"
    assert added == [run.stdout.strip() for run in runs]
    for line in map(json.loads, added):
        assert line["commit"] == git(root, "rev-parse", "HEAD")
        assert line["date"] == git(root, "log", "-1", "--format=%cI")
        assert line["figures"]["rounds"] == 1
        assert line["figures"]["inline_execs_per_s"] > 0
        assert line["cpu"]
        assert line["cores"] >= 1
        assert line["load"] >= 0
        assert "-" in line["build"]


def test_code_of_no_commit_is_not_measured(root: Path) -> None:
    (root / "vblkfuzz" / "code.py").write_text("changed = True\n")
    run = run_tool(root)
    assert run.returncode == 1
    assert "vblkfuzz/code.py" in run.stderr
    assert (root / "docs" / "speed-history.jsonl").read_text() == "{}\n"
