from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.dataplane.disk_content import content
from vblkfuzz.limits import MAX_DISK_SECTORS, SECTOR_SIZE
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.trace.kinds import DISK, END
from vblkfuzz.trace.sector_data import written


def filled(*serials: int) -> bytearray:
    """A disk with the data of these requests, one in each sector."""
    return bytearray().join(written(serial, at) for at, serial in enumerate(serials))


def test_an_empty_disk_that_no_request_writes_is_not_described() -> None:
    ops = (op("init"), op("publish_kick", request="in", sector=2), op("set_used_event", ahead=1))
    assert content(filled(0, 0, 0, 0), ops) == []
    assert content(bytearray(), ops) == []


def test_sectors_that_a_request_may_write_are_described_even_if_they_are_zero() -> None:
    ops = (op("publish", request="out", sector=1, sectors=2), op("publish_kick", request="discard"))
    found = content(filled(0, 7, 0, 0), ops)
    assert found == [(0, 0, False), (1, 7, False), (2, 0, False)]


def test_data_in_the_wrong_sector_is_mixed() -> None:
    assert content(bytearray(written(7, 1) + written(7, 0)), ()) == [(0, 7, True), (1, 7, True)]


def test_sectors_beyond_the_end_are_left_out() -> None:
    ops = (op("publish", request="write_zeroes", sector=1, sectors=4),)
    assert content(filled(0, 0), ops) == [(1, 0, False)]


@given(
    st.integers(0, MAX_DISK_SECTORS - 1),
    st.integers(0, SECTOR_SIZE - 1),
    st.integers(1, 255),
    st.sets(st.integers(0, MAX_DISK_SECTORS - 1), max_size=4),
)
def test_one_byte_anywhere_is_found(sector: int, at: int, value: int, written: set[int]) -> None:
    disk = bytearray(MAX_DISK_SECTORS * SECTOR_SIZE)
    disk[sector * SECTOR_SIZE + at] = value
    found = content(disk, [op("publish", request="out", sector=each) for each in written])
    assert [number for number, _, _ in found] == sorted({sector, *written})
    assert (sector, value if at == 0 else 0, True) in found


def test_the_model_shows_its_disk_before_the_end() -> None:
    last = MAX_DISK_SECTORS - 1
    ops = (
        op("init"),
        op("resize", sectors=MAX_DISK_SECTORS),
        op("publish_kick", request="out", sector=last),
    )
    with model("reference", "inline") as target:
        *_, shown, end = target.run(Scenario(ops=ops)).events
    assert (shown.kind, shown.head, shown.value, shown.flag) == (DISK, last, 1, 0)
    assert end.kind == END
