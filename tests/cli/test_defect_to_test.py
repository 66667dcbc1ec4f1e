"""From a planted defect to a test that keeps it fixed, by the commands that a user would type.

Fuzz, minimize, explain, export; then the exported test fails on the defect and passes on the
reference. VBLKFUZZ_DEFECTS=all tests every defect, with each campaign starting from the defect's
scenario in corpus/defects: some are rare, and tests/soak measures campaigns from an empty corpus.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import vblkfuzz
from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.errors import ExitStatus

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "defects"
ALL = os.environ.get("VBLKFUZZ_DEFECTS") == "all"
QUICK = ("cleanup_reads", "no_selfkick", "reset_ignores_parked")

pytestmark = pytest.mark.e2e


def run_module(name: str, *arguments: object, device: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(vblkfuzz.__file__).parents[1])}
    environment.pop("VBLK_DEVICE", None)
    if device:
        environment["VBLK_DEVICE"] = device
    command = [sys.executable, "-m", name, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def ended(status: int, *arguments: object) -> str:
    """Run the command line and return its stdout."""
    run = run_module("vblkfuzz", *arguments)
    assert run.returncode == status, run.stdout + run.stderr
    return run.stdout


def found_by_fuzzing(defect: str, out: Path) -> tuple[Path, str]:
    """Return the folder and the signature of a campaign's first finding."""
    budget = ["--runs", 200_000, "--stop-on-first", "--no-minimize", "--json"]
    setup = ["--device", "reference", "--defect", defect, "--seed", 1, "--workers", 1]
    corpus = ["--corpus", CORPUS / defect] if ALL else []
    output = ended(
        ExitStatus.VIOLATION, "fuzz", *setup, "--mode", "inline", *corpus, *budget, "--out", out
    )
    first, *_ = json.loads(output.splitlines()[-1])["findings"]
    return Path(first["path"]), first["signature"]


@pytest.mark.parametrize("defect", DEFECTS if ALL else QUICK)
def test_a_defect_becomes_a_test(defect: str, tmp_path: Path) -> None:
    out, test = tmp_path / "out", tmp_path / "test_found.py"
    folder, signature = found_by_fuzzing(defect, out)

    ended(0, "minimize", folder / "finding.vblk", "-o", folder / "minimized.vblk")
    (line,) = [json.loads(one) for one in ended(0, "triage", out, "--json").splitlines()]
    assert (line["signature"], line["reproduced"]) == (signature, line["runs"])
    assert line["path"].endswith("minimized.vblk")

    story = ended(0, "triage", out, "show", signature)
    assert line["sentence"] in story
    assert f"--device reference+{defect}" in story

    ended(0, "export", folder, "--to", "pytest", "-o", test)
    options = ("-q", "-pno:cacheprovider", test)
    with_defect = run_module("pytest", *options)
    assert with_defect.returncode == 1
    assert f"AssertionError: {line['rule']}: " in with_defect.stdout
    without = run_module("pytest", *options, device="reference")
    assert without.returncode == 0, without.stdout
