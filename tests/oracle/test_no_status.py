"""A request without a status: S21 on any device, S14 where dequeues and the disk are observed."""

from __future__ import annotations

import pytest

from tests.oracle.case_file import case
from vblkfuzz.oracle.judge import judge
from vblkfuzz.oracle.naming.consequence import causes
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

ANY_BACKEND = Witness.GUEST | Witness.MEMORY | Witness.PROCESS
"""What is observed of any vhost-user back-end."""
SERVED = "guest request queue=0 head=0 flag=1 value=3\nguest collect queue=0 head=0 value=1\n"
LOST = "guest collect queue=0 head=0 value=2 flag=4"


def found(trace: str, witnesses: Witness = ANY_BACKEND) -> list[str]:
    events = case("S21", {"title": "", "trace": trace}).events
    violations = judge(Scenario(), Trace(events, witnesses=witnesses)).violations
    return [one.signature for one in causes([v for v in violations if v.state == "no_status"])]


@pytest.mark.parametrize("code", range(7))
def test_a_request_of_each_type_has_a_status(code: int) -> None:
    request = f"guest request queue=0 head=0 flag={code} value=3\n"
    assert found(SERVED + request + LOST) == ["s21-no_status"]
    assert found(request + LOST.replace("flag=4", "flag=2")) == []


def test_where_all_is_observed_it_is_a_matter_of_data() -> None:
    trace = (
        "guest request queue=0 head=0 flag=0 value=3\nio0 pop queue=0 head=0 request=1 value=1\n"
        "io0 push queue=0 head=0 request=1 value=1\n"
    )
    assert found(trace + LOST, ~Witness(0)) == ["s14-no_status"]
    assert found(trace + LOST) == ["s21-no_status"]


@pytest.mark.parametrize(
    "trace",
    [
        "guest hostile queue=0 flag=1\nguest request queue=0 head=0 value=3\n",
        "guest request queue=0 head=0 value=3\nguest hostile queue=0 flag=1\n",
        "guest request queue=0 head=0 value=3\nvcpu queue_reset queue=0\n",
        "guest request queue=0 head=1 value=3\n",
        "guest request queue=1 head=0 value=3\n",
        SERVED,
    ],
)
def test_nothing_is_said_of_rings_that_are_broken_and_of_requests_that_are_gone(trace: str) -> None:
    assert found(trace + LOST) == []


def test_a_new_set_up_repairs_the_rings() -> None:
    trace = (
        "guest hostile queue=0 flag=1\nguest driver_init\nguest request queue=0 head=0 value=3\n"
    )
    assert found(trace + LOST) == ["s21-no_status"]
