"""Counts of features on disk: written and read, over workers, campaigns and kills."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.feedback.incidence import Incidence
from vblkfuzz.store import feature_counts
from vblkfuzz.store.feature_counts import (
    counts_file,
    counts_of,
    merge_counts,
    read_counts,
    write_counts,
)

ANY = st.lists(st.integers(0, 2**64 - 1), max_size=6)
OLD, NEW = "a" * 40, "b" * 40


def noted(*executions: int) -> Incidence:
    found = Incidence()
    for features in executions:
        found.note(features)
    return found


@given(ANY)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, some: list[int]) -> None:
    path = counts_file(tmp_path_factory.mktemp("out"), "campaign", 0)
    write_counts(path, NEW, noted(*some))
    assert read_counts(path, NEW) == noted(*some)
    assert read_counts(path, OLD) == Incidence()


def test_workers_and_campaigns_add_up(tmp_path: Path) -> None:
    for campaign, worker, some in (("first", 0, (1, 2)), ("first", 1, (1, 4)), ("second", 0, (1,))):
        write_counts(counts_file(tmp_path, campaign, worker), NEW, noted(*some))
    write_counts(counts_file(tmp_path, "other-code", 0), OLD, noted(8, 8))
    assert counts_of(tmp_path, "second") == noted(1, 2, 1, 4, 1)
    assert counts_of(tmp_path, "other-code") == noted(8, 8)
    assert counts_of(tmp_path, "none") == Incidence()


def test_a_new_campaign_finds_one_file_with_the_same_counts(tmp_path: Path) -> None:
    write_counts(counts_file(tmp_path, "old", 0), OLD, noted(8))
    for campaign in ("first", "second", "third"):
        for worker in (0, 1):
            write_counts(counts_file(tmp_path, campaign, worker), NEW, noted(1, 2))
        merge_counts(tmp_path)
        assert len([*(tmp_path / "features").iterdir()]) == 1
    write_counts(counts_file(tmp_path, "last", 0), NEW, noted(4))
    assert counts_of(tmp_path, "last") == noted(*(1, 2) * 6, 4)


def test_a_kill_while_merging_counts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for worker in (0, 1):
        write_counts(counts_file(tmp_path, "first", worker), NEW, noted(1, 2))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda _self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            merge_counts(tmp_path)
    assert counts_of(tmp_path, "first") == noted(1, 2, 1, 2)
    merge_counts(tmp_path)
    write_counts(counts_file(tmp_path, "second", 0), NEW, noted(4))
    assert counts_of(tmp_path, "second") == noted(1, 2, 1, 2, 4)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[" * 100_000,
        b"[]",
        b"{}",
        b'{"format": "vblkfuzz counts 1"}',
        b'{"format": "vblkfuzz counts 1", "fingerprint": "x", "executions": 1, "once": [-1],'
        b' "twice": [], "more": [], "taken_in": []}',
        b'{"format": "vblkfuzz counts 1", "fingerprint": "x", "executions": 1, "once": [1e9],'
        b' "twice": [], "more": [], "taken_in": []}',
    ],
)
def test_what_is_damaged_counts_nothing_and_stays(tmp_path: Path, content: bytes) -> None:
    path = counts_file(tmp_path, "first", 0)
    path.parent.mkdir()
    path.write_bytes(content)
    for worker in (1, 2):
        write_counts(counts_file(tmp_path, "first", worker), NEW, noted(1))
    assert feature_counts.counts_of(tmp_path, "first") == noted(1, 1)
    merge_counts(tmp_path)
    assert path.read_bytes() == content
