"""Inputs whose features are on record are marked; the others run, and are recorded if kept."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.campaign.conftest import Fuzz
from vblkfuzz.campaign.recorded_inputs import RecordedInputs
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.store.feature_record import Entry, RecordReader, Segment
from vblkfuzz.store.input_name import input_name

CODE = "a" * 40
SITUATIONS = ("drained", "parked")


class Worker:
    """What a worker does with its record."""

    def __init__(self, out: Path, saved: Callable[[str], bool] = lambda _: False) -> None:
        self.out = out
        self.counters = memoryview(bytearray(16))
        self.said: list[str] = []
        self.record = RecordedInputs(out, CODE, self.counters, SITUATIONS, saved, self.said.append)

    def reads(self, data: bytes) -> frozenset[str] | None:
        """libFuzzer clears its counters, and calls with an input that it has read."""
        self.counters[:] = bytes(16)
        return self.record.marked(data)

    def runs(self, data: bytes, *places: int, kept: bool = True, met: str = "drained") -> None:
        for place in places:
            self.counters[place] = 1
        self.record.ran(data, Verdict((), frozenset({met})))
        if kept:
            (self.out / "corpus" / input_name(data)).write_bytes(data)

    @property
    def marked(self) -> set[int]:
        return {place for place, count in enumerate(self.counters) if count}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    return tmp_path


def test_the_next_worker_marks_what_the_last_one_has_run(out: Path) -> None:
    first = Worker(out)
    assert first.reads(b"kept") is None
    first.runs(b"kept", 3, 5)
    assert first.reads(b"not kept") is None
    first.runs(b"not kept", 3, 7, kept=False)
    first.record.close()
    again = Worker(out)
    assert again.reads(b"not kept") is None
    assert again.reads(b"kept") == frozenset({"drained"})
    assert again.marked == {3, 5}
    assert again.record.unrecorded == 0


def test_what_another_worker_records_is_marked_at_once(out: Path) -> None:
    one, other = Worker(out), Worker(out)
    one.runs(b"kept", 3)
    one.record.settle()
    assert other.reads(b"kept") == frozenset({"drained"})
    assert other.marked == {3}


def test_of_many_unrecorded_inputs_few_look_at_the_record_again(out: Path) -> None:
    """It took longer than to run them; the next one after a new input looks at once."""
    one, other = Worker(out), Worker(out)
    assert other.reads(b"not on record") is None
    one.runs(b"kept", 3)
    one.record.settle()
    assert other.reads(b"kept") is None
    other.record.mutated(b"new")
    assert other.reads(b"new") is None
    assert other.reads(b"kept") == frozenset({"drained"})


def test_a_new_input_runs_whatever_is_on_record(out: Path) -> None:
    first = Worker(out)
    first.runs(b"kept", 3)
    first.record.close()
    again = Worker(out)
    assert again.record.mutated(b"kept") == b"kept"
    assert again.reads(b"kept") is None
    again.runs(b"kept", 3)
    again.record.close()
    assert len([*RecordReader(out).added()]) == 1


def test_the_record_of_other_code_does_not_count(out: Path) -> None:
    segment = Segment(out, "b" * 40)
    segment.append(Entry.of(b"kept", [8]))
    segment.close()
    (out / "corpus" / input_name(b"kept")).write_bytes(b"kept")
    worker = Worker(out)
    assert worker.reads(b"kept") is None
    assert worker.record.unrecorded == 1


def test_an_input_that_shows_a_bug_runs_until_that_is_saved(out: Path) -> None:
    segment = Segment(out, CODE)
    segment.append(Entry.of(b"breaks", [8], ["s1-reset"]))
    segment.close()
    (out / "corpus" / input_name(b"breaks")).write_bytes(b"breaks")
    assert Worker(out).reads(b"breaks") is None
    assert Worker(out, lambda name: name == "s1-reset").reads(b"breaks") == frozenset()


def test_a_full_disk_is_said_and_nothing_ends(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(segment: Segment, entry: Entry) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Segment, "append", full)
    worker = Worker(out)
    for data in (b"one", b"two"):
        worker.runs(data, 1)
        worker.record.settle()
    assert len(worker.said) == 1
    assert "features are not recorded: No space left" in worker.said[0]


def test_a_second_campaign_runs_nothing_of_the_corpus_again(fuzz: Fuzz) -> None:
    arguments = ("--mode", "inline", "--workers", "1", "--device", "reference")
    first = fuzz(*arguments, "--runs", "60")
    again = fuzz(*arguments, "--runs", "2", "--seed", "2")
    assert again.summary["corpus"] >= first.summary["corpus"] > 2
    # Two executions have far fewer. The last one of a campaign has features that no input keeps.
    assert again.summary["features"] >= 0.9 * first.summary["features"]
    assert again.summary["execs"] == 2
