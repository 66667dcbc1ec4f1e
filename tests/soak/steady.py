"""A campaign that is left alone: ``python -m tests.soak.steady --minutes 60``.

Its memory, fds, threads and the growth of its folder are compared between the second quarter of the
time and the last one. Exit status 1: one of them grows, something is left behind, or its books are
not right.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.soak.observed import DISK, SAMPLE_S, Observed

_GROWTH: Final = 1.05
"""Memory may grow by so much: corpus, features and stories of findings are kept in memory."""
_MORE: Final = {"processes": 0, "threads": 0, "fds": 2}
"""How many more there may be. SQLite opens the files beside the ledger when it needs them."""


def _watch(campaign: Observed, minutes: float) -> None:
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        campaign.sample()
        time.sleep(SAMPLE_S)


def _problems(figures: dict[str, Any]) -> Iterator[str]:
    """Yield what is not as it has to be."""
    for key, more in _MORE.items():
        early, late = figures[key]
        if late > early + more:
            yield f"{key}: {early}, then {late}"
    early, late = figures["rss"]
    if late > _GROWTH * early:
        yield f"rss: {early}, then {late}"
    if figures["disk_in_7_days"] > DISK:
        yield f"{figures['disk_in_7_days'] / 2**30:.1f} GiB in 7 days"


def main() -> None:
    """Run the campaign, print what it did as JSON, and exit."""
    parser = argparse.ArgumentParser(description="watch a campaign that is left alone")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("arguments", nargs="*", help="arguments for `fuzz`, after --")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-steady-") as folder:
        one = Observed.of(Path(folder, "steady"))
        try:
            one.campaign.start(*options.arguments)
            _watch(one, options.minutes)
            ended = one.campaign.stop()
            one.campaign.check_books(ended)
            one.campaign.check_nothing_left()
            figures = one.figures()
        finally:
            one.campaign.kill_all()
    problems = list(_problems(figures))
    print(json.dumps({"campaign": figures, "problems": problems}, indent=1))
    raise SystemExit(bool(problems))


if __name__ == "__main__":
    main()
