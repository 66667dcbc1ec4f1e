"""Campaigns of several nodes with one store, as users start them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.campaign.conftest import Fuzz, Start
from tests.waiting import WAIT_S, until
from vblkfuzz.store.feature_record import RecordReader
from vblkfuzz.store.saved_findings import saved_findings
from vblkfuzz.store.shared_files import FolderFiles
from vblkfuzz.store.shared_store import SharedStore
from vblkfuzz.store.store_summary import summary_of

pytestmark = pytest.mark.e2e

SETUP = ("--mode", "inline", "--workers", "1")


def features(out: Path) -> set[int]:
    return {one for _, entry in RecordReader(out).added() for one in entry.features}


def status(store: Path) -> dict[str, Any]:
    line = (sys.executable, "-m", "vblkfuzz", "status", str(store), "--json")
    found: dict[str, Any] = json.loads(subprocess.run(line, check=True, capture_output=True).stdout)
    return found


def test_two_nodes_share_features_and_findings(fuzz: Fuzz, tmp_path: Path) -> None:
    store = tmp_path / "S"
    ends = [
        fuzz(*SETUP, "--runs", "100", "--seed", seed, "--store", store, out=tmp_path / seed)
        for seed in ("1", "2")
    ]
    assert {end.status for end in ends} <= {0, 77}
    found = status(store)
    assert len(found["nodes"]) == 2
    assert found["execs"] == sum(end.summary["execs"] for end in ends)
    assert set(found["findings"]) == {one for end in ends for one in saved_findings(end.out)}
    new = [one["signature"] for end in ends for one in end.summary["findings"]]
    assert len(new) == len(set(new)), "a finding of another node is not new"
    assert found["features"] == len(features(ends[0].out) | features(ends[1].out))


def test_a_node_that_is_killed_loses_no_finding(start: Start, fuzz: Fuzz, tmp_path: Path) -> None:
    """What it had told is in the store; what it had saved goes up when it comes back."""
    store = SharedStore(FolderFiles(tmp_path / "S"))
    out = tmp_path / "node"
    options = (*SETUP, "--seed", "3", "--store", tmp_path / "S")
    campaign = start(*options, out=out)
    until(lambda: len(store.signatures()) > 2)
    os.kill(campaign.pid, signal.SIGKILL)
    campaign.wait(WAIT_S)
    saved, before = saved_findings(out), features(out)
    fuzz(*options, "--runs", "50", out=out)
    assert saved <= set(store.signatures())
    summary = summary_of(store)
    assert (len(summary.nodes), len(summary.runs), summary.damaged) == (1, 2, ())
    assert summary.features >= 0.99 * len(before)


def test_who_is_told_to_leave_uploads_first(start: Start, tmp_path: Path) -> None:
    store = SharedStore(FolderFiles(tmp_path / "S"))
    campaign = start(*SETUP, "--seed", "4", "--store", tmp_path / "S", out=tmp_path / "node")
    until(store.signatures)
    os.kill(campaign.pid, signal.SIGTERM)
    assert campaign.wait(WAIT_S) == 72
    (beat,) = store.beats()
    assert beat.ended
    assert saved_findings(tmp_path / "node") == set(store.signatures())
