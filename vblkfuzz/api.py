"""The public API: scenarios as Python values, for tests in your own repository.

Import its names from the package. A scenario is a value:

    >>> from vblkfuzz import Scenario, assert_clean, op, run
    >>> scenario = Scenario(
    ...     ops=(
    ...         op("init"),
    ...         op("drain_begin", wait="poll"),
    ...         op("publish_kick", queue=0, request="out", sector=3),
    ...         op("reset"),
    ...     )
    ... )

`run` returns the trace and the verdict of the oracles:

    >>> execution = run(scenario, "patch-v4")
    >>> [(one.rule, one.path) for one in execution.verdict.violations if one.rule == "S1"]
    [('S1', 'reset > stop > cleanup_host_notifier > host_notifier_read')]
    >>> run(scenario, "reference").verdict.clean
    True

`assert_clean` is for tests:

    >>> assert_clean(scenario, "reference")
    >>> assert_clean(scenario, "patch-v4", rule="S1")
    Traceback (most recent call last):
        ...
    AssertionError: S1: Request 1 was dequeued from queue 0 at turn 7, inside the...

The device is a revision (``vblkfuzz list devices``), also with planted defects
(``reference+no_selfkick``), or your own class:

    >>> from vblkfuzz import VirtioBlk
    >>> class Mine(VirtioBlk):
    ...     summary = "mine"
    >>> assert_clean(scenario, Mine)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.targets.registry import MODEL, open_target
from vblkfuzz.triage.excerpt import excerpt

if TYPE_CHECKING:
    from vblkfuzz.targets.target import Target

__all__ = [
    "Deviation",
    "DeviceConfig",
    "Execution",
    "Go",
    "Op",
    "Place",
    "Role",
    "Scenario",
    "Verdict",
    "Violation",
    "VirtioBlk",
    "assert_clean",
    "op",
    "run",
]


def run(
    scenario: Scenario,
    device: str | type[VirtioBlk] = "reference",
    *,
    mode: str = "inline",
    target: str = MODEL,
) -> Execution:
    """Run a scenario once, from power-on to rest, and judge its trace.

    Args:
        scenario: the scenario.
        device: name of a revision, ``package.module:Class``, ``file.py:Class``, or a class.
        mode: ``inline`` (in this process; a class of yours in one of its own, which it may end),
            or ``processes``.
        target: a name in ``vblkfuzz list targets``; a class always runs on the model.

    Raises:
        UsageError: there is no such device, mode or target, or the class cannot work.
        HarnessError: there is no verdict.
    """
    with _target(device, mode, target) as started:
        return run_scenario(started, scenario)


def _target(device: str | type[VirtioBlk], mode: str, target: str) -> Target:
    if isinstance(device, str):
        return open_target(target, device, mode)
    from vblkfuzz.targets.device_class import checked
    from vblkfuzz.targets.model import model

    name = getattr(device, "__name__", repr(device))
    return model(name, mode, device_class=checked(device, name, name))


def assert_clean(
    scenario: Scenario,
    device: str | type[VirtioBlk] = "reference",
    *,
    rule: str = "",
    mode: str = "inline",
    target: str = MODEL,
) -> None:
    """Fail a test if a scenario violates a rule; the message shows the events that clash.

    Args:
        scenario: see `run`.
        device: see `run`.
        rule: check only this rule; empty: all rules.
        mode: see `run`.
        target: see `run`.

    Raises:
        AssertionError: a rule was violated.
        UsageError: see `run`.
        HarnessError: see `run`.
    """
    __tracebackhide__ = True  # pytest shows the line of the test, not this function
    execution = run(scenario, device, mode=mode, target=target)
    for violation in execution.verdict.violations:
        if rule in ("", violation.rule):
            raise AssertionError(excerpt(violation, execution.trace))
