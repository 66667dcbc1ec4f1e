"""`vblkfuzz minimize --force` of a finding that was minimized before."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from vblkfuzz.cli.views.minimize import MinimizeView
from vblkfuzz.minimize.beside import reduction_of
from vblkfuzz.minimize.search import Progress
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, read_input
from vblkfuzz.scenario.op import op


@pytest.fixture
def minimized(cli: Cli, finding: Path, bug: Artifact) -> Path:
    """The minimized input of a finding, complete."""
    more = replace(bug.scenario, ops=(*bug.scenario.ops, *[op("collect")] * 6))
    finding.write_bytes(dump_artifact(replace(bug, scenario=more)))
    assert cli("minimize", finding).exit_code == 0
    return finding.with_name("minimized.vblk")


def test_a_stop_leaves_the_smaller_one(
    cli: Cli, minimized: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = minimized.read_bytes()

    update = MinimizeView.update

    def interrupted(self: MinimizeView, progress: Progress) -> None:
        signal.raise_signal(signal.SIGINT)
        update(self, progress)

    monkeypatch.setattr(MinimizeView, "update", interrupted)
    for path in (minimized.parent, minimized.with_name("finding.vblk")):
        assert cli("minimize", "--force", path).exit_code == 130
        assert minimized.read_bytes() == before
        reduction = reduction_of(minimized.parent)
        assert reduction is not None and reduction.complete


def test_one_that_no_longer_shows_the_bug_is_replaced(
    cli: Cli, minimized: Path, bug: Artifact
) -> None:
    small = read_input(minimized)
    wrong = replace(bug, scenario=replace(bug.scenario, ops=(op("init"),)))
    for content in (dump_artifact(wrong), b"nonsense"):
        minimized.write_bytes(content)
        result = cli("minimize", "--force", minimized.parent)
        assert (result.exit_code, result.stderr) == (0, "")
        assert read_input(minimized).scenario == small.scenario
        reduction = reduction_of(minimized.parent)
        assert reduction is not None and reduction.ops == len(small.scenario.ops)
