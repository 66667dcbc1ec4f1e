"""Which exit status a campaign ends with."""

from __future__ import annotations

from typing import Any

import pytest

from vblkfuzz.campaign.exit_status import exit_status
from vblkfuzz.errors import ExitStatus
from vblkfuzz.store.summary import Finding, Summary

FOUND = {"s1-x": Finding("s1-x", "S1", 1, 0.1, "out/findings/s1-x")}


@pytest.mark.parametrize(
    ("figures", "stopped", "expected"),
    [
        ({}, None, ExitStatus.CLEAN),
        ({"restarts": 3, "waiting": 1}, None, ExitStatus.CLEAN),
        ({"restarts": 3, "findings": FOUND}, None, ExitStatus.VIOLATION),
        ({"ended_worker": 1, "restarts": 1}, None, ExitStatus.HARNESS),
        ({"ended_worker": 1, "findings": FOUND}, None, ExitStatus.VIOLATION),
        ({"harness_errors": 2, "hangs": 1}, None, ExitStatus.HARNESS),
        ({"harness_errors": 2, "hangs": 2}, None, ExitStatus.TIMEOUT),
        ({"fallbacks": ["lost"], "findings": FOUND}, None, ExitStatus.HARNESS),
        ({"always_fails": "it does"}, None, ExitStatus.HARNESS),
        ({}, ExitStatus.HARNESS, ExitStatus.HARNESS),
        ({"fallbacks": ["lost"]}, ExitStatus.USER_STOP, ExitStatus.USER_STOP),
    ],
)
def test_what_counts(
    figures: dict[str, Any], stopped: ExitStatus | None, expected: ExitStatus
) -> None:
    """A worker that somebody killed is no fault; an execution that ended its worker is one."""
    assert exit_status(Summary(execs=9, **figures), stopped) is expected


@pytest.mark.parametrize("restarts", [0, 7])
def test_a_campaign_that_has_run_nothing_is_never_clean(restarts: int) -> None:
    """Whatever its workers said: a signal from outside, or that they are done."""
    assert exit_status(Summary(restarts=restarts, waiting=1), None) is ExitStatus.HARNESS
