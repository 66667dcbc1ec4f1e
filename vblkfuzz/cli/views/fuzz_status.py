"""The figures of a running campaign: a block of lines for a terminal, a few for a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.cli.views.fuzz_minimized import minimizing_line

if TYPE_CHECKING:
    from vblkfuzz.store.reach import Reach
    from vblkfuzz.store.summary import Summary


def status_lines(summary: Summary, budget_s: float, workers: int) -> list[str]:
    """Return the progress in lines of at most 80 columns, for a log."""
    if summary.minimizing:
        return [minimizing_line(*summary.minimizing)]
    lines = [
        f"{_time(summary, budget_s)}  {_short(summary.execs)} execs  "
        f"{_short(summary.execs_per_s_now)}/s  {len(summary.findings)} findings  "
        f"{_short(summary.features)} features  {_met(summary)} met",
        f"    last new feature {_ago(summary, summary.last_feature_s)}, "
        f"finding {_ago(summary, summary.last_finding_s)}",
    ]
    if summary.reach.words:
        lines.append(f"    {summary.reach.words} of the device reached")
    if summary.alive < workers or summary.restarts or summary.harness_errors:
        lines.append(f"    {_workers(summary, workers)}")
    return lines


def status_block(summary: Summary, budget_s: float, workers: int) -> list[str]:
    """Return the progress as a block of lines that says what its words mean."""
    if summary.minimizing:
        return [minimizing_line(*summary.minimizing)]
    if not summary.execs:
        load = "1 worker loads" if workers == 1 else f"{workers} workers load"
        return [f"{_time(summary, budget_s)}  starting: {load} the device"]
    rows = [
        (
            "executions",
            _short(summary.execs),
            f"{_short(summary.execs_per_s_now)}/s now, {_short(summary.execs_per_s)}/s on average",
        ),
        (
            "findings",
            str(len(summary.findings)),
            f"kinds of violation; {_last(summary, summary.last_finding_s)}",
        ),
        (
            "features",
            _short(summary.features),
            f"code blocks and states seen; {_last(summary, summary.last_feature_s)}",
        ),
        *([_reached(summary.reach)] if summary.reach.kind else []),
        ("met", _met(summary), "situations without which a rule is not tested"),
        ("corpus", _short(summary.corpus), "inputs, each with a feature that was new"),
    ]
    table = [f"  {name:<11} {count:>7}  {words}" for name, count, words in rows]
    return [f"{_time(summary, budget_s)}  {_workers(summary, workers)}", *table]


def _reached(reach: Reach) -> tuple[str, str, str]:
    of = f"of {reach.reachable:,} {reach.kind}" if reach.reachable else reach.kind
    return reach.kind, f"{reach.reached:,}", f"{of} of the device reached"


def _time(summary: Summary, budget_s: float) -> str:
    return _clock(summary.seconds) + (f"/{_clock(budget_s)}" if budget_s else "")


def _met(summary: Summary) -> str:
    return f"{sum(summary.situations.values())}/{len(summary.situations)}"


def _last(summary: Summary, seconds: float | None) -> str:
    return "none yet" if seconds is None else f"the last {_ago(summary, seconds)}"


def _ago(summary: Summary, seconds: float | None) -> str:
    return "none yet" if seconds is None else f"{_clock(summary.seconds - seconds)} ago"


def _workers(summary: Summary, workers: int) -> str:
    waiting = f"{summary.waiting} to restart, " if summary.waiting else ""
    return (
        f"{summary.alive}/{workers} workers run, {waiting}{summary.restarts} restarted, "
        f"{summary.harness_errors} harness errors"
    )


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _short(count: float) -> str:
    """Write a number in at most six columns."""
    for unit in ("", "k", "M", "G"):
        if count < 9999.5:
            return f"{count:.0f}{unit}" if count >= 1000 or not unit else f"{count:.1f}{unit}"
        count /= 1000
    return f"{count:.0f}T"
