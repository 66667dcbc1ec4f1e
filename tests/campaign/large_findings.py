"""Findings of a campaign that can be made smaller."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.cli.conftest import BUG
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario

SIGNATURE: Final = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"
_NOISE: Final = (op("collect"), op("suppress_calls", on="yes"), op("publish_kick", queue=0))
LARGE: Final = Scenario(
    ops=(*BUG.ops, *_NOISE), schedule=(Deviation(len(BUG.ops) + 1, 0, Go.NEXT),)
)


def write_finding(
    out: Path, name: str, device: str = "patch-v4", scenario: Scenario = LARGE
) -> Path:
    """Write the folder of a finding; return it."""
    folder = out / "findings" / name
    folder.mkdir(parents=True)
    expectation = Expectation("violation", "S1", SIGNATURE)
    artifact = Artifact(scenario, device=device, mode="inline", expectation=expectation)
    (folder / "finding.vblk").write_bytes(dump_artifact(artifact))
    return folder
