"""Inputs that others make needless leave; no feature is lost, and no file without a record."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vblkfuzz.campaign import corpus_care
from vblkfuzz.campaign.corpus_care import CorpusCare
from vblkfuzz.launch.plan import Message
from vblkfuzz.store.feature_record import Entry, Segment
from vblkfuzz.store.input_name import input_name

NEW, OTHER = "a" * 40, "b" * 40
FEATURES = st.sets(st.integers(0, 12), max_size=6).map(sorted)
RECORDED = st.dictionaries(st.binary(min_size=1, max_size=3), FEATURES, max_size=15)


class Folder:
    """An output folder, and what was said of it."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.said: list[str] = []
        (out / "corpus").mkdir()

    def care(self, *, exact: bool = True) -> CorpusCare:
        care = CorpusCare(self.out, self._hear, exact=exact)
        care.begin()
        return care

    def _hear(self, message: Message) -> None:
        self.said.append(message.name)

    def add(self, data: bytes) -> None:
        (self.out / "corpus" / input_name(data)).write_bytes(data)

    def record(self, inputs: dict[bytes, list[int]], fingerprint: str = NEW) -> None:
        segment = Segment(self.out, fingerprint)
        for data, features in inputs.items():
            self.add(data)
            segment.append(Entry.of(data, features))
        segment.close()

    @property
    def inputs(self) -> set[bytes]:
        return {path.read_bytes() for path in (self.out / "corpus").iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(autouse=True)
def _a_turn_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is: a test of steps says how many a turn has."""
    monkeypatch.setattr(corpus_care, "_SLICE_S", float("inf"))
    monkeypatch.setattr(corpus_care, "_LAST_S", float("inf"))


@settings(max_examples=30, deadline=None)
@given(RECORDED, st.data())
def test_all_features_remain_whatever_libfuzzer_deletes(
    inputs: dict[bytes, list[int]], draw: st.DataObject
) -> None:
    with TemporaryDirectory() as name:
        folder = Folder(Path(name))
        care = folder.care()
        folder.record(inputs)
        gone = draw.draw(st.sets(st.sampled_from(sorted(inputs)))) if inputs else set()
        for data in gone:
            (folder.out / "corpus" / input_name(data)).unlink()
        care.turn()
        care.reduce()
        left = folder.inputs
    assert left <= inputs.keys()
    every = {feature for features in inputs.values() for feature in features}
    assert {feature for data in left for feature in inputs[data]} == every


def test_what_is_needed_and_gone_is_there_after_the_end(folder: Folder) -> None:
    """libFuzzer has deleted it, and its features are nowhere else."""
    care = folder.care()
    folder.record({b"one": [1], b"both": [1, 2], b"other": [3]})
    (folder.out / "corpus" / input_name(b"both")).unlink()
    care.finish()
    assert folder.inputs == {b"one", b"both", b"other"}
    assert folder.said == []


def test_a_stray_folder_in_the_record_is_passed_over(folder: Folder) -> None:
    folder.record({b"one": [1], b"both": [1, 2]})
    (folder.out / "features" / "zz.features").mkdir()
    (folder.out / "features" / "000000.features").write_text("mine")
    folder.care().reduce()
    assert folder.inputs == {b"both"}
    assert len(folder.said) == 1
    assert "1 input of 2 remain" in folder.said[0]


def test_they_leave_when_there_are_many_and_that_is_said(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_care, "_PAUSE_S", 0)
    care = folder.care()
    few = {bytes([1, at % 256, at // 256]): [at % 2] for at in range(corpus_care.LEAST - 1)}
    folder.record(few)
    care.turn()
    assert folder.inputs == few.keys()
    assert folder.said == []
    folder.record({b"short": [0, 1]})
    care.turn()
    assert len(folder.inputs) < 3
    assert len(folder.said) == 1
    assert "remain" in folder.said[0]


def test_a_file_without_a_record_stays(folder: Folder) -> None:
    (folder.out / "corpus" / "by hand").write_bytes(b"by hand")
    folder.add(b"never run")
    care = folder.care()
    folder.record({b"one": [1], b"both": [1, 2]})
    care.turn()
    care.reduce()
    assert folder.inputs == {b"by hand", b"never run", b"one", b"both"} - {b"one"}


def test_a_record_of_other_code_takes_no_file_away(folder: Folder) -> None:
    """Of two inputs of which one is needless by the old code, the new one has seen one only."""
    care = folder.care()
    folder.record({b"one": [1], b"both": [1, 2]}, OTHER)
    folder.record({b"one": [1]}, NEW)
    care.turn()
    care.reduce()
    assert folder.inputs == {b"one", b"both"}


def test_a_file_that_the_user_has_deleted_stays_away(folder: Folder) -> None:
    folder.record({b"one": [1], b"two": [2]})
    (folder.out / "corpus" / input_name(b"one")).unlink()
    folder.care().reduce()
    assert folder.inputs == {b"two"}


def test_a_folder_that_cannot_be_read_ends_nothing(folder: Folder) -> None:
    care = folder.care()
    folder.record({b"one": [1]})
    shutil.rmtree(folder.out / "corpus")
    care.finish()
    assert len(folder.said) == 1


def test_each_turn_does_a_part_of_a_large_work(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The orchestrator had no time for anything else, for 13 s with 50,000 inputs."""
    monkeypatch.setattr(corpus_care, "_SLICE_S", 0)  # a step
    many = {bytes([1, at % 256, at // 256]): [at % 2] for at in range(corpus_care.LEAST)}
    folder.record(many)
    care = folder.care()
    care.turn()
    assert folder.inputs == many.keys()
    for _ in range(3 * len(many)):
        care.turn()
    assert len(folder.inputs) == 2
    assert len(folder.said) == 1


def test_the_end_does_what_is_left(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_care, "_SLICE_S", 0)
    many = {bytes([1, at % 256, at // 256]): [at % 2] for at in range(corpus_care.LEAST)}
    folder.record(many)
    care = folder.care()
    care.turn()
    care.finish()
    assert len(folder.inputs) == 2


def test_an_end_that_is_due_leaves_files_to_the_next_start(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took 30 s to delete 12,000 files, after the time of the campaign."""
    monkeypatch.setattr(corpus_care, "_SLICE_S", 0)
    monkeypatch.setattr(corpus_care, "_LAST_S", 0)
    many = {bytes([1, at % 256, at // 256]): [at % 2] for at in range(corpus_care.LEAST)}
    folder.record({b"both": [0, 1], **many})
    (folder.out / "corpus" / input_name(b"both")).unlink()
    care = folder.care()
    folder.record({b"needed": [7]})
    (folder.out / "corpus" / input_name(b"needed")).unlink()
    care.turn()
    care.finish()
    assert folder.inputs == {b"needed", *many}
    monkeypatch.setattr(corpus_care, "_SLICE_S", float("inf"))
    folder.care().turn()
    assert folder.inputs == {b"needed", b"\x01\x00\x00", b"\x01\x01\x00"}
    assert len(folder.said) == 1


def test_nothing_leaves_or_comes_back_if_features_may_be_chance(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_care, "_PAUSE_S", 0)
    many = {bytes([1, at % 256, at // 256]): [at % 2] for at in range(corpus_care.LEAST)}
    folder.record(many)
    (folder.out / "corpus" / input_name(min(many))).unlink()
    care = folder.care(exact=False)
    care.turn()
    care.finish()
    assert folder.inputs == many.keys() - {min(many)}
    assert folder.said == []


def test_few_lines_are_said_of_a_large_corpus(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most of it has not run yet; a line came with each few hundred that had."""
    monkeypatch.setattr(corpus_care, "_PAUSE_S", 0)
    for at in range(8 * corpus_care.LEAST):
        folder.add(bytes([2, at % 256, at // 256]))
    care = folder.care()
    for part in range(4):
        folder.record({bytes([1, at % 256, part, at // 256]): [at % 2] for at in range(300)})
        care.turn()
    assert len(folder.said) == 1
