"""One bug, one name, and each bug its own; on many findings: tests/soak/signatures.py."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.triage.one_name import SPREAD, names
from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.text import read_text
from vblkfuzz.target.model import model

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus" / "defects"

COMMON = ("cleanup_reads", "nested_end_resumes", "park_counted", "push_twice", "end_missing")
"""Defects of different rules that are found within a few inputs."""

SAME = {
    frozenset({"no_selfkick", "start_kick_conditional"}),
    frozenset({"no_barrier_at_poll_end", "no_barrier_before_recheck"}),
    frozenset({"parked_lost_at_stop", "parked_not_saved"}),
}
"""Sets of defects with one signature; docs/decisions/0007 says why."""


def cause(defect: str) -> str:
    """The signature of the only cause in a defect's own scenario."""
    path = CORPUS / defect / "scenario.toml"
    scenario = read_text(path.read_text(), path.name).scenario
    with model(f"reference+{defect}", "inline") as target:
        (violation,) = run_scenario(target, scenario).verdict.causes
    return violation.signature


@pytest.mark.parametrize("defect", COMMON)
def test_one_bug_one_signature(defect: str) -> None:
    found = names(f"reference+{defect}", 1, 60, 2000)
    assert 1 <= len(found) <= SPREAD.get(defect, 2)
    assert cause(defect) in found


def test_each_bug_has_a_signature_of_its_own() -> None:
    defects = defaultdict(set)
    for defect in DEFECTS:
        defects[cause(defect)].add(defect)
    assert {frozenset(each) for each in defects.values() if len(each) > 1} == SAME
