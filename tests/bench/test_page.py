"""The page: the same for the same results, losses as wins; that of this checkout is its own."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tests.bench.trials_made_up import SETUP, trials_of
from tests.checkout import CHECKOUT
from vblkfuzz.bench.page import page_of
from vblkfuzz.bench.report import rows_of, totals_of
from vblkfuzz.bench.results import read_results

pytest.importorskip("scipy")
pytest.importorskip("matplotlib")

LATE, SOON, NONE = list(range(101, 111)), list(range(1, 11)), [500] * 10
TRIALS = [
    *trials_of({"default": SOON, "uniform": NONE, "no_feedback": SOON}),
    *trials_of({"default": LATE, "uniform": SOON, "no_feedback": LATE}, "own.py:Own"),
]


def test_rows_and_totals() -> None:
    rows = rows_of(TRIALS)
    assert [(row.bug, row.search) for row in rows] == [
        (bug, search)
        for bug in ("wakes_one", "own.py:Own")
        for search in ("default", "uniform", "no_feedback")
    ]
    assert [row.by_execs and row.by_execs.result for row in rows] == [
        *(None, "better", "open"),
        *(None, "worse", "open"),
    ]
    _, uniform, _ = totals_of(rows)
    assert (uniform.found, uniform.trials) == (10, 20)
    assert uniform.by_execs == {"better": 1, "worse": 1, "open": 0}


def test_losses_are_said() -> None:
    page = page_of(SETUP, TRIALS, "curves")[""].decode()
    losses = page.partition("## Where `default` loses")[2].partition("## Each bug")[0]
    assert "* `own.py:Own` against `uniform`, in executions: A12 0.00 [0.00, 0.00]" in losses
    assert "wakes_one" not in losses
    assert "With no bug" in page_of(SETUP, trials_of({"default": SOON}), "curves")[""].decode()


def test_equal_results_give_equal_files() -> None:
    assert page_of(SETUP, TRIALS, "curves") == page_of(SETUP, TRIALS, "curves")


def test_the_curves_are_svg_without_a_date_and_the_page_shows_them() -> None:
    files = page_of(SETUP, TRIALS, "curves")
    page = files.pop("").decode()
    assert set(re.findall(r"\(curves/(.+?)\)", page)) == files.keys()
    for data in files.values():
        ElementTree.fromstring(data)
        assert b"dc:date" not in data
        assert b"uniform" in data


def test_the_page_of_this_checkout_is_written_from_its_results() -> None:
    docs = CHECKOUT / "docs"
    setup, trials = read_results(docs / "measured" / "detect.jsonl")
    found = page_of(setup, trials, "benchmarks")
    assert (docs / "benchmarks.md").read_bytes() == found.pop("")
    # Their bytes depend on the version of matplotlib.
    assert {path.name for path in (docs / "benchmarks").iterdir()} == found.keys()
