"""Pages of findings, and findings that are listed without being run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.errors import UsageError
from vblkfuzz.limits import FINDINGS_PER_PAGE
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.triage.pages import page_of
from vblkfuzz.triage.recorded import Recorded, others_of

SENTENCE = "Request 1 was dequeued."


def file_of(name: str) -> str:
    return f"out/findings/{name}/finding.vblk"


@given(names=st.lists(st.from_regex(r"(s1|s10|l2|x)-[a-z]{1,3}", fullmatch=True), unique=True))
def test_each_finding_is_on_one_page(names: list[str]) -> None:
    files = [file_of(name) for name in names] + [file_of(f"s1-{n}") for n in range(120)]
    pages = [page_of("nowhere", files, number) for number in (1, 2, 3)]
    for page in pages:
        on_others = [file for _, file in page.others]
        assert sorted((*page.files, *on_others)) == sorted(files)
    assert all(len(page.files) == FINDINGS_PER_PAGE for page in pages[:2])


def test_the_order_is_that_of_rules_then_of_frequency(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "campaign.sqlite")
    ledger.begin("2026-01-01T00:00:00+00:00", "patch-v4", "inline", 1, 1, "model")
    ledger.close()
    names = ["x-unknown", "s10-a", "s2-b", "s2-a", "no signature"]
    page = page_of(str(tmp_path), [file_of(name) for name in names], 1)
    ordered = ["s2-a", "s2-b", "s10-a", "no signature", "x-unknown"]
    assert page.files == tuple(file_of(name) for name in ordered)


def test_a_page_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="--page 3: the last page of out is 2"):
        page_of("out", [file_of(f"s1-{n}") for n in range(51)], 3)


def recorded(tmp_path: Path, verdict: bytes | None) -> Recorded:
    """Return what is listed of the last of 51 findings."""
    names = [f"s1-{n:02}" for n in range(51)]
    for name in names:
        (tmp_path / "findings" / name).mkdir(parents=True)
    files = [str(tmp_path / "findings" / name / "finding.vblk") for name in names]
    last = Path(files[-1]).parent
    if verdict is not None:
        (last / "verdict.json").write_bytes(verdict)
        (last / "trace.txt").write_bytes(b"trace")
    (one,) = others_of(page_of(str(tmp_path), files, 1), str(tmp_path / "reports"), "").findings
    return one


def test_what_is_listed_of_a_finding(tmp_path: Path) -> None:
    one = recorded(tmp_path, json.dumps({"sentence": SENTENCE}).encode())
    assert one == Recorded("S1", "s1-50", SENTENCE, "", 2, "../findings/s1-50/trace.txt")


@pytest.mark.parametrize(
    "verdict", [b"", b"\xff", b"[]", b"{}", b"null", b"[" * 100_000, b"{", b'{"sentence"']
)
def test_a_damaged_verdict_is_said(tmp_path: Path, verdict: bytes) -> None:
    one = recorded(tmp_path, verdict)
    assert one.sentence == "verdict.json: expected the verdict of a finding"


def test_a_verdict_that_is_not_there_or_waits(tmp_path: Path) -> None:
    assert recorded(tmp_path, None).sentence == "verdict.json: No such file or directory"
    os.mkfifo(tmp_path / "findings" / "s1-50" / "verdict.json")
    files = [str(path / "finding.vblk") for path in sorted((tmp_path / "findings").iterdir())]
    (one,) = others_of(page_of(str(tmp_path), files, 1), "", "").findings
    assert one == Recorded(
        "S1", "s1-50", "verdict.json: expected the verdict of a finding", "", 2, ""
    )
