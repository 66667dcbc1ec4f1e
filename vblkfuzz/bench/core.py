"""``vblkfuzz bench core``: the speed of executions, and the cost of separate processes.

The benchmark runs in a process of its own (``python -m vblkfuzz.bench.core``), because guest and
device must be instrumented before they are imported. An execution is all that a campaign does with
one input, except mutation and libFuzzer: decode, run with coverage, merge the trace, judge it by
all rules, mark its state features.

The measurements take turns, round after round, on one core, so that ratios hold even if the
machine's speed changes. Figures are medians over the rounds.

The *hand-over overhead* relates the cost of processes to the cheapest switch between two Python
processes: (T_processes - T_inline) / (hand-overs x one hand-over), where one hand-over is a
ping-pong of two bare semaphores, there and back.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

from vblkfuzz.feedback.instrument import instrument

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.feedback.region import Region
    from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel
    from vblkfuzz.targets.target import Target
    from vblkfuzz.trace.trace import Trace

_DEVICE: Final = "reference"
_BATCH: Final = 8
"""Runs of each scenario in one measurement, which takes about 30 ms inline."""
_PINGS: Final = 5_000
_US: Final = 1e6


@dataclass(slots=True)
class Samples:
    """Microseconds per execution (`handover`: per hand-over), one entry per round."""

    inline: list[float] = field(default_factory=list)
    processes: list[float] = field(default_factory=list)
    handover: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=dict)


def measure(rounds: int) -> dict[str, float]:
    """Run the benchmark; return its figures."""
    finder = instrument(_DEVICE)
    from vblkfuzz.bench.ping_pong import PingPong
    from vblkfuzz.bench.scenarios import SCENARIOS
    from vblkfuzz.feedback.region import Region
    from vblkfuzz.process.arena import Arena
    from vblkfuzz.scenario.codec import encode
    from vblkfuzz.targets.device_class import device_class
    from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    arena = Arena()
    device = device_class(_DEVICE)
    finder.connect(arena.coverage)
    inputs = [encode(scenario) for scenario in SCENARIOS] * _BATCH
    region = Region(arena.coverage)
    samples = Samples()
    with (
        PingPong() as ping_pong,
        InlineModel(_DEVICE, arena, device) as inline,
        ProcessesModel(_DEVICE, Arena(), device) as processes,
    ):
        runs: list[tuple[Target, list[float]]] = [
            (inline, samples.inline),
            (processes, samples.processes),
        ]
        for target, _ in runs:  # the first thousand hand-overs after a fork are slow
            for _ in range(20):
                _time_batch(target, inputs, region)
        for _ in range(rounds):
            for target, times in runs:
                times.append(_time_batch(target, inputs, region))
            samples.handover.append(_timed(lambda: ping_pong.run(_PINGS)) / _PINGS)
            _time_parts(inline, inputs, region, samples.parts)
        handovers, events = _sizes(processes, inputs)
    return _figures(samples, handovers, events)


def _time_batch(target: Target, inputs: list[bytes], region: Region) -> float:
    from vblkfuzz.executor import run_scenario
    from vblkfuzz.scenario.codec import decode

    def batch() -> None:
        for data in inputs:
            execution = run_scenario(target, decode(data))
            region.mark_states(execution.trace)

    return _timed(batch) / len(inputs)


def _time_parts(
    target: InlineModel, inputs: list[bytes], region: Region, parts: dict[str, list[float]]
) -> None:
    """Measure the parts of an inline execution."""
    from vblkfuzz.oracle.judge import judge
    from vblkfuzz.scenario.codec import decode

    scenarios = [decode(data) for data in inputs]
    traces = [target.run(scenario) for scenario in scenarios]

    def mark(traces: list[Trace]) -> None:
        for trace in traces:
            region.mark_states(trace)

    measured: dict[str, Callable[[], object]] = {
        "decode": lambda: [decode(data) for data in inputs],
        "run": lambda: [target.run(scenario) for scenario in scenarios],
        "judge": lambda: [judge(*pair) for pair in zip(scenarios, traces, strict=True)],
        "features": lambda: mark(traces),
    }
    for name, function in measured.items():
        parts.setdefault(name, []).append(_timed(function) / len(inputs))


def _sizes(target: ProcessesModel, inputs: list[bytes]) -> tuple[float, float]:
    """Return the average number of hand-overs and of events per execution."""
    from vblkfuzz.scenario.codec import decode

    traces = [target.run(decode(data)) for data in inputs]
    handovers = sum(trace.handovers for trace in traces) / len(traces)
    return handovers, sum(len(trace.events) for trace in traces) / len(traces)


def _timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * _US


def _figures(samples: Samples, handovers: float, events: float) -> dict[str, float]:
    inline, processes = median(samples.inline), median(samples.processes)
    handover = median(samples.handover)
    figures = {
        "inline_execs_per_s": _US / inline,
        "processes_execs_per_s": _US / processes,
        "handover_overhead": (processes - inline) / (handovers * handover),
        "inline_us": inline,
        "processes_us": processes,
        "handover_us": handover,
        "handovers": handovers,
        "events": events,
        **{f"{name}_us": median(times) for name, times in samples.parts.items()},
        "rounds": float(len(samples.inline)),
    }
    return {name: round(value, 2) for name, value in figures.items()}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
