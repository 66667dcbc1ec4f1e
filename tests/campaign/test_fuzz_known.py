"""Known violations in campaigns: labelled if the device lists them, silent if the user does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.campaign.conftest import Fuzz

pytestmark = pytest.mark.e2e

SEED = ("--mode", "inline", "--workers", "1", "--seed", "5", "--runs", "300")
REFERENCE = (*SEED, "--device", "reference", "--defect", "started_too_early")


def known(tmp_path: Path, text: str) -> tuple[str, Path]:
    path = tmp_path / "known"
    path.write_text(text)
    return "--known", path


def test_what_the_revision_lists_is_a_finding_with_an_explanation(fuzz: Fuzz) -> None:
    ended = fuzz(*SEED)
    assert ended.status == 77
    found = ended.summary["findings"]
    assert found
    assert all(one["known"] for one in found)
    verdict = json.loads(Path(found[0]["path"], "verdict.json").read_text())
    assert verdict["known"] == found[0]["known"]
    assert f"known: {verdict['known']}" in ended.stderr
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    told = {one["known"] for one in events if one["event"] == "finding"}
    assert told == {one["known"] for one in found}


def test_what_nobody_lists_has_none(fuzz: Fuzz) -> None:
    ended = fuzz(*REFERENCE)
    assert ended.status == 77
    assert {one["known"] for one in ended.summary["findings"]} == {""}


def test_what_the_user_knows_is_counted_only(fuzz: Fuzz, tmp_path: Path) -> None:
    ended = fuzz(*REFERENCE, *known(tmp_path, "s8-*\n"), "--stop-on-first")
    assert ended.status == 0, ended.stderr
    summary = ended.summary
    assert summary["findings"] == []
    assert list((ended.out / "findings").iterdir()) == []
    assert summary["execs"] == 300
    assert set(summary["known"]) >= {"s8-start-twice"}
    assert 0 < max(summary["known"].values()) <= summary["violations"] <= 300


def test_others_are_reported_beside_it(fuzz: Fuzz, tmp_path: Path) -> None:
    ended = fuzz(*SEED, *known(tmp_path, "s8-*\n"))
    assert ended.status == 77
    rules = {one["rule"] for one in ended.summary["findings"]}
    assert rules
    assert "S8" not in rules
    assert all(name.startswith("s8-") for name in ended.summary["known"])


def test_a_bad_line_is_one_line(fuzz: Fuzz, tmp_path: Path) -> None:
    ended = fuzz(*SEED, *known(tmp_path, "s8-*\nno signature\n"))
    assert ended.status == 2
    assert ended.stderr.count("\n") == 1
    assert f"{tmp_path / 'known'}: line 2: expected one signature" in ended.stderr
