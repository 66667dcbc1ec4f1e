"""Fixtures for the tests of several verbs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.inputs import fuzz_inputs
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.summary import Finding

SIGNATURE = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Inputs as a campaign writes them, every fifth one twice."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for at, data in enumerate(fuzz_inputs(1, 60)):
        (folder / f"input-{at}").write_bytes(data)
        if at % 5 == 0:
            (folder / f"again-{at}").write_bytes(data)
    return folder


@pytest.fixture
def out(tmp_path: Path, bug: Artifact) -> Path:
    """An output folder with one finding."""
    folder = tmp_path / "out"
    finding = folder / "findings" / SIGNATURE
    finding.mkdir(parents=True)
    (finding / "finding.vblk").write_bytes(dump_artifact(bug))
    ledger = Ledger(folder / "campaign.sqlite")
    ledger.begin("2026-01-02T03:04:05+00:00", "patch-v4", "inline", 1, 7)
    ledger.finding(Finding(SIGNATURE, "S1", 42, 1.5, str(finding)))
    ledger.seen(SIGNATURE, 300)
    ledger.progress(10, 2000, 50, (300, 0))
    ledger.end("2026-01-02T03:04:15+00:00", 77)
    ledger.close()
    return folder
