"""``vblkfuzz bench detection``: its campaigns, and medians over seeds that found nothing."""

from __future__ import annotations

import pytest

from vblkfuzz.bench import detection
from vblkfuzz.bench.detection import DEFECTS, SEARCHES, Detection, detections, medians
from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.campaign.orchestrator import Campaign
from vblkfuzz.dataplane.defects import DEFECTS as ALL_DEFECTS
from vblkfuzz.errors import ExitStatus, HarnessError
from vblkfuzz.store.summary import Summary


def found_at(seed: int, execs: int, found: str = "s1", search: str = "guided") -> Detection:
    return Detection("cleanup_reads", search, seed, execs, execs / 100, found)


def test_the_default_bugs_exist() -> None:
    assert set(DEFECTS) <= set(ALL_DEFECTS)


@pytest.mark.e2e
def test_campaigns_take_turns_and_find_a_shallow_bug() -> None:
    rows = list(detections(("cleanup_reads",), 1, 60))
    assert [(row.search, row.seed) for row in rows] == [(name, 1) for name in SEARCHES]
    assert all(row.found.startswith("s1-") for row in rows)
    assert all(row.execs > 0 for row in rows)


def test_the_searches_differ_in_their_feedback(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def run(options: CampaignOptions) -> Summary:
        seen.append((options.feedback, options.states, options.seed, options.stop_on_first))
        return Summary(execs=7, seconds=2)

    monkeypatch.setattr(detection, "_run", run)
    rows = list(detections(("cleanup_reads", "wakes_one"), 2, 5))
    assert seen[:3] == [(True, True, 1, True), (True, False, 1, True), (False, False, 1, True)]
    assert [row.seed for row in rows] == [1, 1, 1, 2, 2, 2] * 2
    assert rows[0] == Detection("cleanup_reads", "guided", 1, 7, 2, "")


def test_a_seed_that_found_nothing_counts_as_infinite() -> None:
    rows = [found_at(1, 100), found_at(2, 900, ""), found_at(3, 300)]
    (row,) = medians(rows)
    assert (row.found, row.seeds, row.execs, row.seconds) == (2, 3, 300, 3.0)
    (none,) = medians([found_at(1, 5), found_at(2, 900, ""), found_at(3, 900, "")])
    assert (none.found, none.execs, none.seconds) == (1, None, None)
    both = medians([found_at(1, 1), found_at(1, 2, search="blind"), found_at(2, 3)])
    assert [(each.search, each.seeds) for each in both] == [("guided", 2), ("blind", 1)]


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (ExitStatus.USER_STOP, KeyboardInterrupt),
        (ExitStatus.INTERRUPTED, KeyboardInterrupt),
        (ExitStatus.HARNESS, HarnessError),
    ],
)
def test_a_campaign_that_is_stopped_or_fails_ends_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, status: ExitStatus, raised: type[BaseException]
) -> None:
    monkeypatch.setattr(Campaign, "run", lambda _self: status)
    with pytest.raises(raised):
        next(detections(("cleanup_reads",), 1, 5))
