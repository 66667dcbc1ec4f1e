"""The minimized input beside a finding: never replaced by a larger one, never a part of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import BUG
from vblkfuzz.errors import InputFileError
from vblkfuzz.minimize.beside import Smaller, is_wanting, keep, reduction_of, smallest
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, read_input
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.store.finding_names import FINDING, MINIMIZED
from vblkfuzz.store.reduction import Reduction

EXPECTED = Expectation("violation", "S1", "s1-reset")
LARGE = Artifact(
    Scenario(ops=(*BUG.ops, op("collect"), op("collect")), schedule=(Deviation(1, 3, Go.MAIN),)),
    expectation=EXPECTED,
)
MIDDLE = replace(LARGE, scenario=Scenario(ops=(*BUG.ops, op("collect"))))
SMALL = replace(LARGE, scenario=BUG)


@pytest.fixture
def finding(tmp_path: Path) -> Path:
    folder = tmp_path / "s1-reset"
    folder.mkdir()
    (folder / FINDING).write_bytes(dump_artifact(LARGE))
    return folder


def smaller(artifact: Artifact, tried: int = 9, *, complete: bool = True) -> Smaller:
    return Smaller(artifact, "It was dequeued.", tried, complete)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_three_files(finding: Path) -> None:
    assert is_wanting(finding, 100)
    reduction = keep(finding, smaller(SMALL))
    assert reduction == Reduction(6, 1, 4, 0, 9, complete=True) == reduction_of(finding)
    assert str(reduction) == "6 operations + 1 deviation became 4 + 0 in 9 tries"
    assert sorted(contents(finding)) == [FINDING, "minimized.json", "minimized.toml", MINIMIZED]
    assert read_input(finding / MINIMIZED) == SMALL == smallest(finding)
    text = read_input(finding / "minimized.toml")
    assert (text.scenario, text.expectation) == (BUG, EXPECTED)
    assert (finding / "minimized.toml").read_text().startswith("# It was dequeued.\n")
    assert not is_wanting(finding, 100)


def test_a_larger_one_replaces_nothing(finding: Path) -> None:
    keep(finding, smaller(SMALL))
    before = contents(finding)
    assert keep(finding, smaller(MIDDLE)) == Reduction(6, 1, 4, 0, 9, complete=True)
    assert contents(finding) == before
    keep(finding, smaller(MIDDLE), force=True)
    assert smallest(finding) == MIDDLE


def test_one_of_a_user_is_only_replaced_by_a_smaller_one(finding: Path) -> None:
    (finding / MINIMIZED).write_bytes(dump_artifact(SMALL))
    before = contents(finding)
    assert not is_wanting(finding, 100)
    keep(finding, smaller(MIDDLE))
    keep(finding, smaller(SMALL))
    assert contents(finding) == before
    assert reduction_of(finding) is None


def test_a_search_that_was_stopped_goes_on(finding: Path) -> None:
    keep(finding, smaller(MIDDLE, tried=60, complete=False))
    assert str(reduction_of(finding)).endswith("became 5 + 0 in 60 tries, not finished")
    assert is_wanting(finding, 100)
    assert not is_wanting(finding, 60)
    assert keep(finding, smaller(SMALL, tried=80)) == Reduction(6, 1, 4, 0, 80, complete=True)
    assert not is_wanting(finding, 100)


def test_a_search_that_ends_with_nothing_smaller_is_finished(finding: Path) -> None:
    keep(finding, smaller(MIDDLE, tried=60, complete=False))
    keep(finding, smaller(MIDDLE, tried=90))
    assert reduction_of(finding) == Reduction(6, 1, 5, 0, 90, complete=True)
    assert str(keep(finding, smaller(LARGE), force=True)).endswith("became no fewer in 9 tries")


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"ops": 1}', "\0"])
def test_a_damaged_record_is_none(finding: Path, record: str) -> None:
    keep(finding, smaller(SMALL, complete=False))
    (finding / "minimized.json").write_text(record)
    assert reduction_of(finding) is None
    assert not is_wanting(finding, 100)


def test_a_record_with_a_value_of_another_type(finding: Path) -> None:
    keep(finding, smaller(SMALL))
    record = finding / "minimized.json"
    record.write_text(record.read_text().replace('"ops": 4', '"ops": "4"'))
    assert reduction_of(finding) is None


def test_what_cannot_be_read_is_left(finding: Path) -> None:
    (finding / MINIMIZED).write_bytes(b"\x80cut")
    before = contents(finding)
    with pytest.raises(InputFileError, match=r"minimized\.vblk"):
        keep(finding, smaller(SMALL))
    assert contents(finding) == before


def test_a_folder_in_its_place(finding: Path) -> None:
    (finding / "minimized.toml").mkdir()
    with pytest.raises(OSError, match="directory"):
        keep(finding, smaller(SMALL))
    assert sorted(path.name for path in finding.iterdir()) == [FINDING, "minimized.toml"]
