"""The record of features: what is written is read again, up to the first damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.store.feature_record import (
    FOLDER,
    Entry,
    RecordReader,
    Segment,
    entries_in,
    head_of,
    merge_segments,
)
from vblkfuzz.store.input_name import input_name

FEATURES = st.sets(st.integers(0, 2**32 - 1), max_size=40).map(sorted)
SIGNATURES = st.lists(st.sampled_from(["s1-reset", "l3-lost-io0"]), max_size=2, unique=True)
ENTRIES = st.lists(st.builds(Entry.of, st.binary(max_size=60), FEATURES, SIGNATURES), max_size=5)
OLD, NEW = "a" * 40, "b" * 40


def record(out: Path, fingerprint: str, *entries: Entry) -> None:
    segment = Segment(out, fingerprint)
    for entry in entries:
        segment.append(entry)
    segment.close()


def read(out: Path) -> list[tuple[str, Entry]]:
    return [*RecordReader(out).added()]


@given(st.binary(max_size=60), FEATURES, SIGNATURES)
def test_an_entry_says_what_it_was_made_of(
    data: bytes, features: list[int], signatures: list[str]
) -> None:
    written = Entry.of(data, features, signatures).to_bytes()
    [(entry, end)] = entries_in(written)
    assert (entry.data, entry.features, entry.signatures) == (data, features, tuple(signatures))
    assert (entry.name, end) == (input_name(data), len(written))


@given(ENTRIES, st.data())
def test_what_is_cut_off_is_valid_up_to_there(entries: list[Entry], draw: st.DataObject) -> None:
    written = [entry.to_bytes() for entry in entries]
    whole = b"".join(written)
    cut = draw.draw(st.integers(0, len(whole)))
    ends = [len(b"".join(written[: at + 1])) for at in range(len(written))]
    assert [end for _, end in entries_in(whole[:cut])] == [end for end in ends if end <= cut]


@given(ENTRIES, st.binary(min_size=1, max_size=80))
def test_other_bytes_behind_it_harm_nothing(entries: list[Entry], garbage: bytes) -> None:
    whole = b"".join(entry.to_bytes() for entry in entries)
    assert [entry for entry, _ in entries_in(whole + garbage)][: len(entries)] == entries


@given(ENTRIES.filter(bool), st.data())
def test_a_byte_that_changed_is_noticed(entries: list[Entry], draw: st.DataObject) -> None:
    whole = bytearray(b"".join(entry.to_bytes() for entry in entries))
    at = draw.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= draw.draw(st.integers(1, 255))
    found = [entry for entry, _ in entries_in(bytes(whole))]
    assert found == entries[: len(found)]
    assert len(found) < len(entries)


def test_what_several_processes_append_is_read_as_it_comes(tmp_path: Path) -> None:
    reader = RecordReader(tmp_path)
    assert [*reader.added()] == []
    first, second = Segment(tmp_path, NEW), Segment(tmp_path, NEW)
    one, two, three = (Entry.of(data, [1]) for data in (b"1", b"2", b"3"))
    first.append(one)
    second.append(two)
    assert [*reader.added()] == [(NEW, one), (NEW, two)]
    first.append(three)
    assert [*reader.added()] == [(NEW, three)]
    assert [*reader.added()] == []
    first.close()
    second.close()


def test_half_an_entry_is_read_when_it_is_whole(tmp_path: Path) -> None:
    record(tmp_path, NEW, Entry.of(b"1", [1]))
    [path] = RecordReader(tmp_path).segments
    reader = RecordReader(tmp_path)
    late = Entry.of(b"2", [2])
    with path.open("ab") as file:
        file.write(late.to_bytes()[:7])
        file.flush()
        assert len([*reader.added()]) == 1
        file.write(late.to_bytes()[7:])
    assert [*reader.added()] == [(NEW, late)]


@pytest.mark.parametrize("text", [b"", b"vblkfuzz features 2 x\n", b"\0" * 99, head_of("x")])
def test_a_file_of_another_kind_has_no_entries(tmp_path: Path, text: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "000001.features").write_bytes(text + Entry.of(b"", []).to_bytes())
    assert read(tmp_path) == []


def test_a_full_disk_leaves_whole_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    segment = Segment(tmp_path, NEW)
    one, two = Entry.of(b"1", [1]), Entry.of(b"2", [2])
    segment.append(one)
    really = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: really(fd, data[:9]))
    with pytest.raises(OSError, match="disk is full"):
        segment.append(two)
    monkeypatch.undo()
    segment.append(two)
    segment.close()
    assert read(tmp_path) == [(NEW, one), (NEW, two)]


def test_segments_become_one_and_other_code_is_forgotten(tmp_path: Path) -> None:
    one, two = Entry.of(b"1", [1]), Entry.of(b"2", [2])
    record(tmp_path, OLD, one)
    record(tmp_path, NEW, one, two)
    record(tmp_path, NEW, Entry.of(b"1", [7]))
    merge_segments(tmp_path)
    assert len(RecordReader(tmp_path).segments) == 1
    assert read(tmp_path) == [(NEW, Entry.of(b"1", [7])), (NEW, two)]
    merge_segments(tmp_path)
    assert len(read(tmp_path)) == 2
