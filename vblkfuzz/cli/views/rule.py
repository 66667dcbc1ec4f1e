"""A rule, explained: what it says, where that comes from, and what puts it to the test."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.oracle.rule import Rule
    from vblkfuzz.trace.witness import Witness


def rule_object(rule: Rule) -> dict[str, object]:
    """Return what is known of a rule, for `list rules --json`."""
    return {
        "name": rule.id,
        "summary": rule.title,
        "title": rule.title,
        "source": rule.source,
        "instead": rule.instead,
        "situations": [{"name": one.name, "summary": one.summary} for one in rule.situations],
        "defects": [name for name, _ in _defects(rule)],
        "targets": asking(rule),
    }


def asking(rule: Rule) -> list[str]:
    """Return the targets on which the rule is applied: they can observe what it needs."""
    observed = _observed()
    return [name for name in observed.seen if rule.witnesses & ~observed.seen[name] == 0]


class _Observed(NamedTuple):
    """What targets can observe, by name, and why the others cannot be opened."""

    seen: dict[str, Witness]
    unavailable: dict[str, str]


@cache
def _observed() -> _Observed:
    from vblkfuzz.targets.registry import TARGETS

    seen, unavailable = {}, {}
    for name in TARGETS.names():
        try:
            seen[name] = _witnesses(name)
        except UsageError as error:
            unavailable[name] = str(error)
        except (Exception, SystemExit) as error:  # code of another package, which may do anything
            unavailable[name] = f"{type(error).__name__}: {error}"
    return _Observed(seen, unavailable)


def _witnesses(target: str) -> Witness:
    """Return what a target can observe; one that does not say sees what the model sees."""
    from vblkfuzz.scenario.device import KINDS
    from vblkfuzz.targets.real import RealTarget
    from vblkfuzz.targets.registry import default_device, open_target
    from vblkfuzz.trace.witness import MODEL, Witness

    opened = open_target(target, default_device(target), "processes")  # not started
    if not isinstance(opened, RealTarget) or opened.kind is not None:
        witnesses: Witness = getattr(opened, "witnesses", MODEL | Witness.PROCESS)
        return witnesses
    seen = Witness(0)
    for opened.kind in KINDS:  # each scenario decides
        seen |= opened.witnesses
    return seen


def _defects(rule: Rule) -> list[tuple[str, str]]:
    """Return name and mechanism of the planted defects that the rule catches."""
    from vblkfuzz.dataplane.defects import DEFECTS

    return [(one.name, one.mechanism) for one in DEFECTS.values() if rule.id in one.rules]


def print_rule(rule: Rule, screen: Screen) -> None:
    """Print all that is known of a rule."""
    screen.wrapped(rule.title, label=f"{rule.id}: ", style="bold")
    for name, value in (
        ("source", rule.source),
        ("correct", rule.instead),
        ("asked on", ", ".join(asking(rule)) or "no target that is installed"),
    ):
        screen.wrapped(value, label=f"  {name:<9} ")
    for name, reason in _observed().unavailable.items():
        screen.wrapped(f"target {name} is not available: {reason}", indent=12)
    situations = [(one.name, one.summary) for one in rule.situations]
    if situations:
        _print_pairs(screen, "situations that put it to the test", situations)
    else:
        screen.wrapped(rule.no_situations, label="  no situations: ")
    if defects := _defects(rule):
        _print_pairs(screen, "planted defects that it catches", defects)


def _print_pairs(screen: Screen, title: str, pairs: list[tuple[str, str]]) -> None:
    screen.say(f"\n{title}")
    for name, summary in pairs:
        screen.say(f"  {name}", "cyan")
        screen.wrapped(summary, indent=6)
