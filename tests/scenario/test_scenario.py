"""A scenario accepts only values that the formats can store and the device can run."""

from __future__ import annotations

import pytest

from vblkfuzz import limits
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("queues", 0, r"queues: expected 1\.\.4, found 0"),
        ("queues", 5, r"queues: expected 1\.\.4, found 5"),
        ("iothreads", 3, r"iothreads: expected 0\.\.2, found 3"),
        ("queue_size", 5, "queue_size: expected one of 4, 8, 16, 32, found 5"),
        ("disk_sectors", 0, "disk_sectors: expected one of 8, 16, 64, 128, found 0"),
        ("werror", "auto", "werror: expected one of report, ignore, stop, enospc, found auto"),
        ("rerror", "enospc", "rerror: expected one of report, ignore, stop, found enospc"),
        ("first_index", 1, "first_index: expected one of 0, 65535, 65528, 32767, found 1"),
    ],
)
def test_devices_that_do_not_exist(field: str, value: object, problem: str) -> None:
    wrong: dict[str, object] = {field: value}
    with pytest.raises(ValueError, match=f"^{problem}$"):
        DeviceConfig(**wrong)  # type: ignore[arg-type]  # the wrong type is the point


def test_too_many_operations() -> None:
    with pytest.raises(ValueError, match="ops: expected at most 64, found 65"):
        Scenario(ops=(op("reset"),) * (limits.MAX_OPS + 1))


def test_too_many_deviations() -> None:
    many = tuple(Deviation(0, point, Go.MAIN) for point in range(limits.MAX_DEVIATIONS + 1))
    with pytest.raises(ValueError, match="schedule: expected at most 32"):
        Scenario(schedule=many)


@pytest.mark.parametrize(
    "schedule",
    [
        (Deviation(1, 0, Go.MAIN), Deviation(0, 0, Go.MAIN)),
        (Deviation(1, 0, Go.MAIN), Deviation(1, 0, Go.IO0)),
        (Deviation(1, 0, Go.MAIN, role=Role.IO0), Deviation(1, 0, Go.MAIN, role=Role.MAIN)),
        (
            Deviation(1, 0, Go.NEXT, role=Role.IO0, locks=True),
            Deviation(1, 0, Go.NEXT, role=Role.IO0, locks=True, place=Place("virtqueue_pop")),
        ),
    ],
    ids=["unsorted", "twice", "unsorted roles", "twice with locks"],
)
def test_a_schedule_has_one_order(schedule: tuple[Deviation, ...]) -> None:
    with pytest.raises(ValueError, match=r"schedule: expected ascending \(op, point, role, "):
        Scenario(schedule=schedule)


def test_a_schedule_says_whether_it_delays_stores() -> None:
    plain, delayed = Deviation(0, 0, Go.NEXT), Deviation(1, 0, Go.NEXT, delayed=True)
    assert not Scenario().delays
    assert not Scenario(schedule=(plain,)).delays
    assert Scenario(schedule=(plain, delayed)).delays


@pytest.mark.parametrize(
    "deviation", [Deviation(limits.MAX_OPS, 0, Go.MAIN), Deviation(0, limits.MAX_POINT, Go.MAIN)]
)
def test_deviations_beyond_any_operation(deviation: Deviation) -> None:
    with pytest.raises(ValueError, match=r"schedule (op|point): expected"):
        Scenario(schedule=(deviation,))


def test_one_point_may_have_a_deviation_for_each_role_with_and_without_locks() -> None:
    schedule = (
        Deviation(1, 0, Go.NEXT),
        Deviation(1, 0, Go.NEXT, role=Role.MAIN),
        Deviation(1, 0, Go.IO0, role=Role.MAIN, locks=True),
        Deviation(1, 0, Go.GUEST, role=Role.IO0),
        Deviation(1, 1, Go.GUEST, role=Role.MAIN),
    )
    assert Scenario(schedule=schedule).schedule == tuple(sorted(reversed(schedule)))


@pytest.mark.parametrize(
    "deviation",
    [Deviation(0, 0, Go.IO0, locks=True), Deviation(0, 0, Go.IO0, place=Place("virtqueue_pop"))],
)
def test_locks_and_a_place_are_those_of_an_actor(deviation: Deviation) -> None:
    with pytest.raises(ValueError, match="schedule: expected a role beside locks and place"):
        Scenario(schedule=(deviation,))


def test_a_place_that_no_file_can_hold() -> None:
    deviation = Deviation(0, 0, Go.IO0, role=Role.MAIN, place=Place("two words"))
    with pytest.raises(ValueError, match=r"schedule place: expected EVENT \[FILE:LINE\]"):
        Scenario(schedule=(deviation,))
