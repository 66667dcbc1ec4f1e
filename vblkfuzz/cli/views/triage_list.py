"""The list that ``vblkfuzz triage DIR`` prints: findings by rule, the most frequent first."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.counted import counted
from vblkfuzz.store.finding_files import MINIMIZED
from vblkfuzz.store.finding_place import signature_of
from vblkfuzz.triage.case import in_order
from vblkfuzz.triage.pages import rule_in
from vblkfuzz.triage.replay_target import words_to_repeat
from vblkfuzz.triage.shell_word import shell_line
from vblkfuzz.triage.story import last_output, said_seen, shown_again, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.triage.case import Case
    from vblkfuzz.triage.pages import Page


def print_list(cases: Sequence[Case], folder: str, page: Page) -> None:
    """Print a page of findings under the rules they break, then which of them hides others."""
    screen = Screen()
    if cases:
        _say_cases(screen, cases, folder, page)
    if page.number < page.of:
        words = ["vblkfuzz", "triage", folder, "--page", str(page.number + 1)]
        screen.say(f"the next page: {shell_line(words)}")


def _say_cases(screen: Screen, cases: Sequence[Case], folder: str, page: Page) -> None:
    setups = {case.outcome.setup for case in cases}
    ran_on = f" on {', '.join(setups.pop())}" if len(setups) == 1 else ""
    screen.say(f"{counted(len(page.all_files), 'finding')}{ran_on}")
    _say_page(screen, page)
    ordered = in_order(cases)
    for rule, group in groupby(ordered, _rule):
        screen.say()
        screen.wrapped(rule[1], label=rule[0], style="bold")
        for case in group:
            _print_one(screen, case, with_setup=bool(setups))
    if page.shadow:
        screen.say()
        screen.wrapped(page.shadow)
    first = ordered[0]
    screen.say()
    words = ["vblkfuzz", "triage", folder, "show", first.signature]
    words += words_to_repeat(first.outcome)
    screen.say(f"the story of one: {shell_line(words)}")


def _say_page(screen: Screen, page: Page) -> None:
    """Print which page of how many it is, and how many findings there are by rule."""
    if page.of == 1:
        return
    rules = Counter(rule_in(file) or "others" for file in page.all_files)
    screen.wrapped(", ".join(f"{rule} {count:,}" for rule, count in rules.items()))
    screen.say(f"page {page.number:,} of {page.of:,}; only its findings were run")


def _print_one(screen: Screen, case: Case, *, with_setup: bool) -> None:
    lost = case.outcome.reproduced == 0
    folder = Path(case.outcome.input).parent
    # Findings of two devices with one signature: each is named by its folder.
    name = folder.name if signature_of(folder) == case.signature else case.signature
    screen.say(name, "yellow" if lost else "cyan")
    if case.violation and last_output(case):
        screen.wrapped(case.violation.sentence, indent=4)
    screen.wrapped(said_seen(case), indent=4)
    for name, value in shown_again(case):
        screen.wrapped(f"{name} {value}", indent=4)
    smaller = ", minimized" if Path(case.outcome.input).name == MINIMIZED else ""
    words = size(case) + smaller + (f"; on {', '.join(case.outcome.setup)}" if with_setup else "")
    screen.wrapped(words, indent=4)
    if case.reduction:
        screen.wrapped(str(case.reduction), indent=4)
    if case.known:
        screen.wrapped(f"known: {case.known}", indent=4, style="dim")


def _rule(case: Case) -> tuple[str, str]:
    """Return the name of a rule as a label, and what it says."""
    rule = case.expected_rule
    return (f"{rule.id}  ", rule.title) if rule else ("", "of an unknown rule")
