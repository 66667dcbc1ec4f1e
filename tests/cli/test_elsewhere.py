"""Without Atheris, and without the system calls that only Linux has: what still works."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.checkout import CHECKOUT
from vblkfuzz.suggestion import SEE_DOCTOR

BUG = str(CHECKOUT / "corpus" / "regress" / "s1-reset-in-drain")
EXAMPLE = str(CHECKOUT / "examples" / "own_device")
Ended = dict[str, tuple[int, str]]

RUN = """
import importlib, json, os, pkgutil, sys
import pytest
from typer.testing import CliRunner

sys.modules["atheris"] = None
for name in sys.argv[1].split():
    delattr(os, name)
from vblkfuzz.cli.app import app

ended = {}
for name, arguments in json.loads(sys.argv[2]).items():
    done = CliRunner().invoke(app, arguments)
    ended[name] = done.exit_code, done.output
"""
PLUGIN = """
options = ["-q", "-pvblkfuzz.pytest_plugin", "-pno:cacheprovider", "corpus"]
ended["pytest"] = int(pytest.main(options)), ""
"""
IMPORTS = """
import vblkfuzz

for module in pkgutil.walk_packages(vblkfuzz.__path__, "vblkfuzz."):
    if module.name not in ("vblkfuzz.__main__", "vblkfuzz.campaign.worker"):
        importlib.import_module(module.name)
"""
REPORT = """
print(json.dumps(ended))
"""


def without(code: str, calls: str, verbs: dict[str, list[str]], cwd: str | Path) -> Ended:
    """Run verbs in a Python without Atheris and without some functions of `os`."""
    command = [sys.executable, "-c", RUN + code + REPORT, calls, json.dumps(verbs)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: Ended = json.loads(done.stdout.splitlines()[-1])
    return {name: (status, text) for name, (status, text) in found.items()}


def test_without_atheris_only_campaigns_are_missing(finding: Path, tmp_path: Path) -> None:
    verbs = {
        "fuzz": ["fuzz", "--runs", "1", "--out", str(tmp_path / "new")],
        "detect": ["bench", "detect", "--results", str(tmp_path / "new")],
        "replay": ["replay", str(finding)],
        "triage": ["triage", str(finding.parents[2])],
        "export": ["export", BUG, "--to", "pytest", "-o", str(tmp_path / "test_bug.py")],
    }
    ended = without(PLUGIN, "", verbs, EXAMPLE)
    for name in ("fuzz", "detect"):
        status, text = ended.pop(name)
        assert status == 125
        assert text.startswith("vblkfuzz: a campaign needs Atheris, which is not installed")
        assert text.rstrip().endswith(SEE_DOCTOR)
        assert text.count("\n") == 1
    statuses = {name: status for name, (status, _) in ended.items()}
    assert statuses == {"replay": 77, "triage": 0, "export": 0, "pytest": 0}
    assert not (tmp_path / "new").exists()


def test_on_another_system_revisions_run_inline(tmp_path: Path) -> None:
    """Every module can be imported there."""
    own = f"{EXAMPLE}/own_device.py:Throttled"
    verbs = {
        "doctor": ["doctor"],
        "inline": ["replay", BUG, "--mode", "inline"],
        "show": ["show", f"{BUG}/scenario.toml"],
        "processes": ["replay", BUG, "--mode", "processes"],
        "own": ["replay", BUG, "--mode", "inline", "--device", own],
    }
    calls = "memfd_create eventfd eventfd_read eventfd_write pidfd_open pipe2 sched_setaffinity"
    ended = without(IMPORTS, calls, verbs, tmp_path)
    assert (ended["inline"][0], ended["show"][0]) == (77, 0)
    assert ended["doctor"][0] == 1
    assert "memfd_create" in ended["doctor"][1]
    for name in ("processes", "own"):
        status, text = ended[name]
        assert (status, text.count("processes of the model need Linux")) == (125, 1)
