"""The proof of the witnesses: what they must have seen of one write and one read."""

from __future__ import annotations

import pytest

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.proof import check_proof, proof_for
from vblkfuzz.trace.kinds import COLLECT, POP, PUSH, SECTOR
from vblkfuzz.trace.trace import Trace

CONFIG = DeviceConfig(iothreads=1, polling=True, disk_sectors=16, werror="stop")


@pytest.fixture(scope="module")
def whole() -> Trace:
    with model("reference", "inline") as target:
        return target.run(proof_for(Scenario(CONFIG)))


def without(trace: Trace, kind: int, left: int) -> Trace:
    """Return a trace with only the first `left` events of a kind."""
    kept, seen = [], 0
    for event in trace.events:
        seen += event.kind == kind
        if event.kind != kind or seen <= left:
            kept.append(event)
    return Trace(tuple(kept), trace.steps)


def test_what_the_reference_shows_is_proof(whole: Trace) -> None:
    check_proof(whole, "t", "w")


def test_it_runs_where_the_scenario_will() -> None:
    proof = proof_for(Scenario(CONFIG))
    assert proof.device == CONFIG
    assert {one.spec.owner for one in proof.ops} == {"guest"}
    held = proof_for(Scenario(CONFIG, (op("init"), op("hold"))))
    assert {one.spec.owner for one in held.ops} == {"guest", "backend"}


@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (POP, "expected 2 dequeues, observed {left}: lines of a log"),
        (PUSH, "expected 2 used entries, observed {left}: they are read in guest memory"),
    ],
)
def test_a_witness_that_misses_one(kind: int, words: str, left: int, whole: Trace) -> None:
    with pytest.raises(DeviceUnavailable, match=words.format(left=left)):
        check_proof(without(whole, kind, left), "t", "lines of a log")


def test_other_data_than_was_written_is_for_the_rules(whole: Trace) -> None:
    events = [event._replace(value=7) if event.kind == SECTOR else event for event in whole.events]
    check_proof(Trace(tuple(events), whole.steps), "t", "w")


@pytest.mark.parametrize("left", [0, 1])
def test_a_device_that_does_not_answer_is_for_the_rules(left: int, whole: Trace) -> None:
    check_proof(without(without(whole, COLLECT, left), POP, 0), "t", "w")
