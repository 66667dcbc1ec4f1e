"""A target and an export of another package, used through the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installed import install
from vblkfuzz.targets.registry import TARGETS

pytestmark = pytest.mark.e2e

CODE = """
from vblkfuzz.export.export import Export
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target_kind import TargetKind

TARGET = TargetKind(
    summary="a model of theirs",
    device="reference",
    open=lambda device, mode, options: model(device, "inline"),
    without=frozenset(),
)


def text(cases):
    return "".join(f"{one.outcome.run.verdict} {one.outcome.setup.device}\\n" for one in cases)


EXPORT = Export(summary="a line each", text=text)
"""


def vblkfuzz(folder: Path, *arguments: str | Path) -> str:
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-m", "vblkfuzz", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_they_are_used_like_built_in_ones(finding: Path, tmp_path: Path) -> None:
    named = {
        "vblkfuzz.targets": {"theirs": "their_package:TARGET"},
        "vblkfuzz.exports": {"lines": "their_package:EXPORT"},
    }
    install(tmp_path, "their_package", named, CODE)
    rows = [json.loads(row) for row in vblkfuzz(tmp_path, "list", "targets", "--json").splitlines()]
    assert [row["name"] for row in rows] == sorted([*TARGETS.names(), "theirs"])
    (theirs,) = [row for row in rows if row["name"] == "theirs"]
    assert (theirs["summary"], theirs["source"]) == ("a model of theirs", "their_package:TARGET")
    written = tmp_path / "lines.txt"
    vblkfuzz(tmp_path, "export", finding, "--to", "lines", "--target", "theirs", "-o", written)
    assert written.read_text() == "clean reference\n"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_package", "No module named"),
        (
            CODE.replace('model(device, "inline")', '__import__("no_such_package")'),
            "No module named",
        ),
    ],
)
def test_a_rule_is_explained_although_a_target_cannot_be_opened(
    tmp_path: Path, code: str, reason: str
) -> None:
    """Its import fails, or its function `open` fails, which is where slow imports belong."""
    named = {"vblkfuzz.targets": {"broken": "broken_package:TARGET"}}
    install(tmp_path, "broken_package", named, code)
    shown = " ".join(vblkfuzz(tmp_path, "show", "S1").split())
    assert "target broken is not available: " in shown and reason in shown
    assert "asked on model" in shown and "situations that put it to the test" in shown
