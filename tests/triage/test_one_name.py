"""A bug has one name, and no two bugs share one; on many findings: tests/soak/signatures.py."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.triage.one_name import SPREAD, names
from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import read_text
from vblkfuzz.targets.model import model

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus" / "defects"

COMMON = ("cleanup_reads", "nested_end_resumes", "park_counted", "push_twice", "end_missing")
"""Defects of different rules that are found within a few inputs."""

SAME = {
    frozenset({"no_selfkick", "start_kick_conditional"}),
    frozenset({"no_barrier_at_poll_end", "no_barrier_before_recheck"}),
    frozenset({"parked_lost_at_stop", "parked_not_saved"}),
    frozenset({"error_told_ok", "status_after_push", "status_of_last"}),
    frozenset({"answered_and_retried", "enospc_reported", "retry_told_failed"}),
    frozenset({"ignored_error_told", "read_error_by_werror"}),
    frozenset({"unknown_told_ioerr", "unknown_told_ok"}),
    frozenset({"length_of_last", "length_without_status"}),
    frozenset(
        {"cleared_stays_cached", "drain_is_a_point", "ignored_read_zeroed", "reads_by_address"}
    ),
    frozenset({"sector_reversed", "used_before_data"}),
    frozenset({"buffers_swapped", "sectors_swapped", "write_spoils_neighbour"}),
    frozenset({"large_buffer_refused", "stale_capacity", "unaligned_discard_refused"}),
    frozenset({"attach_not_notified", "wakeup_stolen"}),
    frozenset({"parked_not_in_state", "retry_list_not_saved"}),
    frozenset({"base_used_idx", "saved_at_used_idx"}),
    frozenset({"cancelled_not_ended", "end_missing"}),
    frozenset({"attach_twice", "plugged_in_not_drained"}),
    frozenset({"accept_late", "completion_not_notified", "notify_me_read_early"}),
}
"""Sets of defects with one signature; docs/decisions/0007 says why."""


def cause(defect: str) -> str:
    """Return the signature of the only cause in a defect's own scenario."""
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


# --- What follows from a handler that a failed start left behind (qemu-10.2) -------------------

START_FAILS = (op("drain_begin"), op("start_fail"), op("init"), op("drain_end"), op("reset"))
PARKED = (op("drain_begin"), op("init"), op("publish_kick"))
STOPPED = (op("publish"), op("stop"), op("hold"), op("drain_end"))


@pytest.mark.parametrize(
    ("end", "follows"),
    [
        ((op("cont"), op("poll_on")), {"L5"}),  # it polls and finds the device starting
        ((op("poll_on"),), {"L2"}),  # it starts the device itself, and drains from an IOThread
    ],
)
def test_a_handler_that_is_left_is_one_bug_wherever_it_ends(
    end: tuple[Op, ...], follows: set[str]
) -> None:
    with model("qemu-10.2", "inline") as target:
        scenario = Scenario(ops=(*START_FAILS, *PARKED, *STOPPED, *end))
        verdict = run_scenario(target, scenario).verdict
    assert {one.rule for one in verdict.violations} >= follows
    assert [one.signature for one in verdict.causes] == ["s8-drained_end-not_started"]
