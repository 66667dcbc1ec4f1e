"""A killer beside a campaign: ``python -m tests.soak.killer --minutes 30``.

Two campaigns with the same seed run at the same time, with one worker each. A random process of
the first one is killed every two seconds; if that was the orchestrator, it is started again. The
second one is left alone. At the end both are stopped, and what they did is compared. Exit status 1:
less than half the rate, other findings, something left behind, or books that are not right.

Findings are compared as sets, which needs a time in which both meet all of them. The device has
two defects whose three findings are met within a minute; of the default device, some take an hour.
A defect that stops a thread for good is not among them: what else that thread owes then depends on
all that was under way, and some of it is met once in 100,000 executions.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.soak.observed import DISK, SAMPLE_S, Observed
from tests.waiting import until

_DEVICE: Final = "reference+config_irq_early+needs_reset_unsaid"
_PROCESSES: Final = 9
"""Processes of a campaign with one worker and a minimizer at work. While it starts there are fewer,
and each of them is killed as seldom as later; else a slow start would never end."""
_RATE: Final = 0.5
"""Least rate of the disturbed campaign, as a share of the other's."""


def _start(one: Observed, options: argparse.Namespace) -> None:
    one.campaign.start(
        *("--workers", "1", "--mode", "processes"),
        *("--seed", str(options.seed), "--device", options.device),
    )


def _kill(one: Observed, chance: random.Random, options: argparse.Namespace) -> None:
    """Kill a random process; start the campaign again if it has ended."""
    running = one.campaign.processes()
    place = chance.randrange(max(_PROCESSES, len(running)))
    victim = running[place] if place < len(running) else None
    if victim is not None:
        one.kills[victim.role] = one.kills.get(victim.role, 0) + 1
        with suppress(ProcessLookupError):
            os.kill(victim.pid, signal.SIGKILL)
    if (victim and victim.role == "orchestrator") or one.campaign.process.poll() is not None:
        status = one.campaign.process.wait()
        if status != -signal.SIGKILL:
            one.kills["ended by itself"] = one.kills.get("ended by itself", 0) + 1
            print(f"ended with {status}: {one.campaign.stderr()}", file=sys.stderr)
        until(lambda: not one.campaign.processes())
        _start(one, options)


def _disturb(killed: Observed, left: Observed, options: argparse.Namespace) -> None:
    """Kill processes until the time is over."""
    chance = random.Random(options.seed)
    end = time.monotonic() + 60 * options.minutes
    next_sample = 0.0
    while time.monotonic() < end:
        time.sleep(options.every)
        _kill(killed, chance, options)
        if time.monotonic() >= next_sample:
            next_sample = time.monotonic() + SAMPLE_S
            killed.sample()
            left.sample()


def _problems(killed: dict[str, Any], left: dict[str, Any]) -> Iterator[str]:
    """Yield what is not as it has to be."""
    if killed["execs"] < _RATE * left["execs"]:
        yield f"rate: {killed['execs']} executions, {left['execs']} undisturbed"
    if killed["findings"] != left["findings"]:
        lost, more = (
            set(a["findings"]) - set(b["findings"]) for a, b in ((left, killed), (killed, left))
        )
        yield f"findings: without {sorted(lost)}, besides {sorted(more)}"
    if "ended by itself" in killed["kills"]:
        yield "it ended by itself"
    for one in (killed, left):
        if one.get("disk_in_7_days", 0) > DISK:
            yield f"{one['name']}: {one['disk_in_7_days'] / 2**30:.1f} GiB in 7 days"


def _checked(one: Observed) -> Iterator[str]:
    """End a campaign that works; yield what is wrong with its books and leftovers."""
    one.campaign.until(lambda: "vblk-guest" in one.campaign.roles())
    one.campaign.goes_on()
    ended = one.campaign.stop()
    if ended.status != 130:
        yield f"{one.name}: ended with {ended.status}"
    try:
        one.campaign.check_books(ended)
        one.campaign.check_nothing_left()
    except (AssertionError, OSError) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        yield f"{one.name}: {where.name}: {where.line} {error}"


def _compared(folder: Path, options: argparse.Namespace) -> int:
    """Run both campaigns in a folder, print what they did as JSON; return the exit status."""
    killed, left = (Observed.of(folder / name) for name in ("killed", "left-alone"))
    both = (killed, left)
    try:
        for one in both:
            _start(one, options)
        _disturb(killed, left, options)
        problems = [said for one in both for said in _checked(one)]
        figures = [one.figures() for one in both]
    finally:
        for one in both:
            one.campaign.kill_all()
    problems += _problems(figures[0], figures[1])
    print(json.dumps({"campaigns": figures, "problems": problems}, indent=1))
    return bool(problems)


def main() -> None:
    """Compare the campaigns and exit."""
    parser = argparse.ArgumentParser(description="kill processes of a campaign")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=2, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default=_DEVICE)
    parser.add_argument("--out", type=Path, help="new folder in which both campaigns stay")
    options = parser.parse_args()
    if options.out:
        options.out.mkdir(parents=True)
        raise SystemExit(_compared(options.out.resolve(), options))
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-killer-") as folder:
        raise SystemExit(_compared(Path(folder), options))


if __name__ == "__main__":
    main()
