"""What is said of planted defects, in one campaign and over those of a folder."""

from __future__ import annotations

from vblkfuzz.store import canary
from vblkfuzz.store.canary import ENOUGH, Canary, blind, together, words


def test_words() -> None:
    assert words([]) == ""
    assert words([Canary("a"), Canary("b")]) == "no planted defect was tried: too few executions"
    assert words([Canary("a", 1), Canary("b")]) == "0 of 2 planted defects found; never: a, b"
    found = [Canary("a", 2, 250, 1.0), Canary("b", 9, 1, 0.1)]
    assert words(found) == "2 of 2 planted defects found, first after 1 execution"


def test_only_the_easiest_shows_that_a_campaign_is_blind() -> None:
    assert blind([]) == blind([Canary("a", ENOUGH - 1)]) == blind([Canary("a", ENOUGH, 5)]) == ""
    assert blind([Canary("a", 3, 200), Canary("b", 10 * ENOUGH)]) == ""
    said = blind([Canary("a", ENOUGH), Canary("b", 3, 200)])
    assert said == (
        f"this set-up cannot find bugs: planted defect a was not found by {ENOUGH} inputs"
    )


def test_campaigns_of_a_folder_count_as_one() -> None:
    first = [Canary("a", 4, 90, 0.5), Canary("b", 5)]
    second = [Canary("a", 1, 50, 0.2), Canary("b", 7, 60, 0.3), Canary("c", 1)]
    assert canary.together([(1000, first), (500, second)]) == [
        Canary("a", 5, 90, 0.5),
        Canary("b", 12, 1060, 0.3),
        Canary("c", 1),
    ]
    assert together([]) == []
