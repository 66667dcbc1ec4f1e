"""The file of results: what was there stays, a line cut off is no trial, other setups are none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.trials_made_up import BUDGET, SETUP, trial
from vblkfuzz.bench.results import Results, read_results, setup_of
from vblkfuzz.bench.trial import Key, digest_of
from vblkfuzz.errors import UsageError

FIRST, SECOND = (trial(Key("reference+wakes_one", "default", seed)) for seed in (1, 2))


def test_trials_are_read_as_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "new" / "detect.jsonl"
    with Results(path, SETUP) as results:
        results.add(FIRST)
        assert read_results(path) == (SETUP, [FIRST])  # at once, not at the end
    with Results(path, SETUP) as results:
        results.add(SECOND)
        assert results.trials == [FIRST, SECOND]
    assert read_results(path) == (SETUP, [FIRST, SECOND])


def test_wherever_it_is_cut_off_whole_trials_remain(tmp_path: Path) -> None:
    path = tmp_path / "detect.jsonl"
    with Results(path, SETUP) as results:
        results.add(FIRST)
        results.add(SECOND)
    whole = path.read_bytes()
    begun = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    for size in range(begun, len(whole) - 1):
        path.write_bytes(whole[:size])
        with Results(path, SETUP) as results:
            assert results.trials == [FIRST]
            results.add(SECOND)
        assert path.read_bytes().startswith(whole[:size])
        assert read_results(path)[1] == [FIRST, SECOND]


@pytest.mark.parametrize(
    "content", ["", "{}\n", "[1]\n", '{"runs": 1}\n', "no json}\n", "text\n", b"\xff\xfe\n"]
)
def test_what_is_no_file_of_results_is_refused_and_stays(
    tmp_path: Path, content: str | bytes
) -> None:
    path = tmp_path / "other"
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    with pytest.raises(UsageError, match="other: "):
        read_results(path)
    if data:
        with pytest.raises(UsageError, match="other: "):
            Results(path, SETUP)
        assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ('"execs": ', '"execs": "x", "was": ', 'line 2: execs: expected an integer, found "x"'),
        ('"seed": 1', '"seed": "x"', 'line 2: seed: expected an integer, found "x"'),
        ('"found": "', '"found": 3, "was": "', "line 2: "),
        ('"load": ', '"lead": ', "line 2: expected a trial of bench detect, found a field 'lead'"),
        ('"seed": 1, ', "", "line 2: expected a trial of bench detect, found none of seed"),
        ('"runs": ', '"runs": null, "was": ', "line 1: runs: expected an integer, found null"),
    ],
)
def test_a_value_that_cannot_be_is_named(
    tmp_path: Path, written: str, instead: str, said: str
) -> None:
    path = tmp_path / "detect.jsonl"
    with Results(path, SETUP) as results:
        results.add(FIRST)
    path.write_text(path.read_text().replace(written, instead))
    with pytest.raises(UsageError, match=said):
        read_results(path)


def test_a_damaged_line_between_others_is_named(tmp_path: Path) -> None:
    path = tmp_path / "detect.jsonl"
    with Results(path, SETUP) as results:
        results.add(FIRST)
    path.write_text(path.read_text().replace('"seed"', "seed"))
    with pytest.raises(UsageError, match="line 2: expected JSON"):
        read_results(path)


@pytest.mark.parametrize("changed", [{"runs": 7}, {"seconds": 1}, {"source": "x"}, {"machine": ""}])
def test_trials_of_another_setup_are_not_mixed(tmp_path: Path, changed: dict[str, object]) -> None:
    path = tmp_path / "detect.jsonl"
    Results(path, SETUP).__exit__(None, None, None)
    (name,) = changed
    with pytest.raises(UsageError, match=f"another setup: {name} .* name another file"):
        Results(path, replace(SETUP, **changed))  # type: ignore[arg-type]  # one of each type
    with Results(path, replace(SETUP, begun="later")):
        pass  # another day is no other setup


def test_one_bench_at_a_time_writes_a_file(tmp_path: Path) -> None:
    path = tmp_path / "detect.jsonl"
    with Results(path, SETUP), pytest.raises(UsageError, match="another bench writes it"):
        Results(path, SETUP)


def test_a_device_that_has_changed_is_named(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text("one = 1\n")
    device = f"{file}:Own"
    with Results(tmp_path / "detect.jsonl", SETUP) as results:
        results.add(replace(trial(Key(device, "default", 1)), file=digest_of(device)))
        results.check_devices([device, "reference"])
        file.write_text("one = 2\n")
        with pytest.raises(UsageError, match=r"own\.py:Own has changed since"):
            results.check_devices([device])
        results.check_devices(["reference"])


def test_the_setup_says_where_it_is() -> None:
    setup = setup_of(BUDGET)
    assert (setup.runs, setup.seconds) == BUDGET
    assert "cores" in setup.machine
    assert json.dumps(setup.source) == json.dumps(setup_of(BUDGET).source)
