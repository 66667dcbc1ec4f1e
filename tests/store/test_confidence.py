"""What is kept beside a finding about its re-runs, and when it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.campaign.large_findings import write_finding
from vblkfuzz.store.confidence import (
    RECORD,
    Confidence,
    confidence_in,
    confidences,
    keep_confidence,
)
from vblkfuzz.store.rate import Rate

COUNTS = st.integers(0, 1000)
RATES = st.builds(
    lambda seen, more, errors: Rate(seen, seen + more, errors), COUNTS, COUNTS, COUNTS
)
ON_QEMU = Confidence("qemu", Rate(19, 20), Rate(0, 20, 1), {"qemu-system-x86_64": "7.2.22"})


def counts(runs: float) -> dict[str, float]:
    return {"seen": 0, "runs": runs, "harness_errors": 0}


@pytest.fixture
def finding(tmp_path: Path) -> Path:
    return write_finding(tmp_path, "s1-x")


@settings(max_examples=25)
@given(
    rate=RATES,
    bare=st.none() | RATES,
    target=st.sampled_from(["model", "qemu"]),
    versions=st.dictionaries(st.text(), st.text(), max_size=2),
)
def test_what_is_kept_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rate: Rate,
    bare: Rate | None,
    target: str,
    versions: dict[str, str],
) -> None:
    folder = write_finding(tmp_path_factory.mktemp("out"), "s1-x")
    confidence = Confidence(target, rate, bare, versions)
    keep_confidence(folder, confidence)
    assert confidence_in(folder) == confidence


def test_the_file_has_the_bounds_for_other_programs(finding: Path) -> None:
    keep_confidence(finding, ON_QEMU)
    found = json.loads((finding / RECORD).read_text())
    assert found["input"] == "finding.vblk"
    assert found["rate"] == {
        "seen": 19,
        "runs": 20,
        "harness_errors": 0,
        "low": 0.7639,
        "high": 0.9911,
    }
    assert found["without_schedule"]["harness_errors"] == 1
    assert found["versions"] == {"qemu-system-x86_64": "7.2.22"}


def test_a_folder_of_an_earlier_version_has_none(finding: Path) -> None:
    assert confidence_in(finding) is None
    assert confidences(finding.parents[1]) == {}


def test_a_smaller_input_has_none_until_it_is_measured(finding: Path) -> None:
    keep_confidence(finding, ON_QEMU)
    (finding / "minimized.vblk").write_bytes((finding / "finding.vblk").read_bytes())
    assert confidence_in(finding) is None
    keep_confidence(finding, ON_QEMU)
    assert confidence_in(finding) == ON_QEMU
    (finding / "minimized.vblk").write_bytes(b"smaller")
    assert confidence_in(finding) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: b"",
        lambda record: b"\xff{",
        lambda record: b"[]",
        lambda record: b"3",
        lambda record: json.dumps({**record, "rate": None}).encode(),
        lambda record: json.dumps({**record, "rate": {"seen": 1}}).encode(),
        lambda record: json.dumps(
            {**record, "rate": {"seen": 3, "runs": 2, "harness_errors": 0}}
        ).encode(),
        lambda record: json.dumps({**record, "versions": 7}).encode(),
        lambda record: json.dumps({**record, "rate": counts(float("inf"))}).encode(),
        lambda record: json.dumps({**record, "rate": counts(10**400)}).encode(),
    ],
)
def test_a_damaged_file_is_none(finding: Path, damage: object) -> None:
    keep_confidence(finding, ON_QEMU)
    assert callable(damage)
    (finding / RECORD).write_bytes(damage(json.loads((finding / RECORD).read_text())))
    assert confidence_in(finding) is None


def test_all_of_an_output_folder(finding: Path) -> None:
    out = finding.parents[1]
    write_finding(out, "s2-not-measured")
    keep_confidence(finding, ON_QEMU)
    assert confidences(out) == {"s1-x": ON_QEMU}


def test_in_words() -> None:
    assert str(ON_QEMU) == (
        "19 of 20 (76 to 99 %); without its schedule 0 of 20 (0 to 16 %), 1 harness error"
    )
    assert str(Confidence("qemu", Rate(5, 5))) == "5 of 5 (57 to 100 %)"


def test_the_model_needs_no_interval() -> None:
    assert str(Confidence("model", Rate(5, 5), Rate(0, 5))) == "5 of 5; without its schedule 0 of 5"


@pytest.mark.parametrize("target", ["model", "qemu"])
@pytest.mark.parametrize(("rate", "bare"), [((2, 5), None), ((5, 5), (4, 5))])
def test_only_the_model_must_not_vary(
    target: str, rate: tuple[int, int], bare: tuple[int, int] | None
) -> None:
    said = Confidence(target, Rate(*rate), Rate(*bare) if bare else None).unsteady
    varying = rate if bare is None else bare
    shown = f"not deterministic: the model showed it in {varying[0]} of {varying[1]} runs"
    assert said == (shown if target == "model" else "")


@pytest.mark.parametrize("bare", [None, Rate(0, 5), Rate(5, 5), Rate(0, 3, 2)])
def test_steady_on_the_model(bare: Rate | None) -> None:
    assert Confidence("model", Rate(0, 5), bare).unsteady == ""


def test_runs_add_up() -> None:
    one = Confidence("qemu", Rate(1, 1), Rate(0, 1))
    assert one + one == Confidence("qemu", Rate(2, 2), Rate(0, 2))
    assert (one + Confidence("qemu", Rate(1, 1))).bare is None
