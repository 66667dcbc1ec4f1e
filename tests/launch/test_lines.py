"""Lines come out whole, however the bytes come in, and none is longer than the limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.launch.lines import Lines

LIMIT = 8
PIECES = st.lists(st.text(alphabet="ab\n", max_size=12).map(str.encode), max_size=12)


@given(PIECES)
def test_pieces_give_the_lines_that_are_not_too_long(pieces: list[bytes]) -> None:
    lines = Lines(LIMIT)
    found = [line for piece in pieces for line in lines.feed(piece)]
    whole = b"".join(pieces).split(b"\n")
    assert found == [line for line in whole[:-1] if 0 < len(line) <= LIMIT]
    assert lines.dropped == sum(len(line) > LIMIT for line in whole)


def test_a_line_without_end_takes_no_memory() -> None:
    lines = Lines(1000)
    for _ in range(100):
        assert lines.feed(bytes(999)) == []
        assert len(lines._partial) <= 1000
    assert lines.feed(b"\nnext\n") == [b"next"]
    assert lines.dropped == 1
