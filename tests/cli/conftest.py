"""Inputs for the tests of verbs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from vblkfuzz.cli.app import app
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text
from vblkfuzz.targets.model import model

Cli = Callable[..., Result]

CLEAN = Scenario(ops=(op("init", how="ok"),))
BUG = Scenario(
    ops=(
        op("init", how="ok"),
        op("drain_begin", wait="poll"),
        op("publish_kick", queue=0, request="out", sector=3),
        op("reset"),
    )
)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command line in this process."""
    for name in ("FORCE_COLOR", "NO_COLOR", "GITHUB_ACTIONS", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture(scope="session")
def bug() -> Artifact:
    """The bug of patch-v4, with everything that a campaign stores."""
    with model("patch-v4", "inline") as target:
        execution = run_scenario(target, BUG)
    (violation,) = [one for one in execution.verdict.violations if one.rule == "S1"]
    return Artifact(
        BUG,
        mode="inline",
        expectation=Expectation("violation", "S1", violation.signature),
        trace_digest=execution.trace.digest,
        versions={"vblkfuzz": "0.1.0"},
    )


@pytest.fixture
def finding(tmp_path: Path, bug: Artifact) -> Path:
    """The artifact in the folder of a finding."""
    folder = tmp_path / "out" / "findings" / "s1"
    folder.mkdir(parents=True)
    (folder / "scenario.toml").write_text(to_text(BUG))
    path = folder / "finding.vblk"
    path.write_bytes(dump_artifact(bug))
    return path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """A text input without a violation."""
    path = tmp_path / "clean.toml"
    path.write_text(to_text(CLEAN))
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A text input with an operation that does not exist."""
    path = tmp_path / "bad.toml"
    path.write_text('format = 1\nops = [{op = "dance"}]\n')
    return path
