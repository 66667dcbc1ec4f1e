"""Summary at the end of ``vblkfuzz fuzz``: figures, findings and errors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from vblkfuzz.cli.standard_streams import messages_lost
from vblkfuzz.cli.views.fuzz_minimized import say_minimized
from vblkfuzz.cli.views.never_met import say_how_many
from vblkfuzz.cli.views.rates import say_rates, say_unsteady
from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.cli.views.silence import say_silence
from vblkfuzz.counted import counted
from vblkfuzz.store.canary import blind
from vblkfuzz.triage.printable import printable
from vblkfuzz.triage.shell_word import shell_line

if TYPE_CHECKING:
    from pathlib import Path

    from vblkfuzz.store.summary import Finding, Summary
    from vblkfuzz.targets.options import TargetOptions

_FALLBACK_LINES: Final = 20


def say_summary(
    summary: Summary,
    target: str,
    device: str,
    target_options: TargetOptions,
    out: Path,
) -> None:
    """Print figures and findings on stdout."""
    from vblkfuzz.targets.registry import MODEL

    screen = Screen()
    _say_figures(screen, summary, out)
    if summary.findings:
        _say_findings(screen, by_rule(summary))
    say_minimized(screen, summary)
    if target != MODEL and summary.confidence:  # the model gives the same each time
        say_rates(screen, summary.confidence)
        screen.say()
    if summary.findings:
        screen.say(f"replay one with: {_replay(summary, target, device, target_options)}")
    if summary.silenced:
        screen.say()
        seen = (f"{name} ({count:,}x)" for name, count in sorted(summary.silenced.items()))
        screen.say("Known, counted only: " + ", ".join(seen))
    if summary.shadow and not summary.always_fails:
        screen.say()
        screen.wrapped(summary.shadow)
    say_silence(screen, summary.canaries, summary.unseen, summary.tried)
    if summary.missed:
        screen.say()
        say_how_many(screen, summary.missed, len(summary.situations), out)
    if why := messages_lost():
        screen.say()
        screen.say(f"Messages on standard error were lost: {why}")


def _say_figures(screen: Screen, summary: Summary, out: Path) -> None:
    """Print what was done, and what was found: by this campaign, and in the folder altogether."""
    screen.wrapped(
        f"{counted(summary.execs, 'execution')} in {summary.seconds:.1f} s "
        f"({summary.execs_per_s:,.0f}/s)"
        f"{_start_up(summary)}, {counted(summary.features, 'feature')}{_reached(summary)}, "
        f"{summary.violations:,} violating, "
        f"{counted(len(summary.findings), 'finding')}"
    )
    if summary.saved != len(summary.findings) or summary.saved_before:
        new = summary.saved - summary.saved_before
        said = f"{new} of them new" if new else "none of them new"
        again = len(summary.again)
        words = f"; {counted(again, 'finding')} of before seen again" if again else ""
        screen.say(f"{counted(summary.saved, 'finding')} in {out}, {said}{words}")
    if (earlier := summary.earlier).campaigns:
        screen.say(
            f"{counted(earlier.campaigns + 1, 'campaign')} in {out}: "
            f"{counted(earlier.execs + summary.execs, 'execution')} "
            f"in {earlier.seconds + summary.seconds:,.1f} s"
        )


def _reached(summary: Summary) -> str:
    """Say what was reached of the device's own code; nothing if that is not noted."""
    return f", {summary.reach.words}" if summary.reach.words else ""


def _start_up(summary: Summary) -> str:
    """Say how long it took until the first execution; nothing if that was no time."""
    seconds = summary.start_up_s
    return f", {seconds:.1f} s of it start-up" if seconds else ""


def by_rule(summary: Summary) -> list[Finding]:
    """Return the findings in the order of the rules (S1 first), then by time."""
    from vblkfuzz.oracle.judge import RULES

    order = {rule.id: index for index, rule in enumerate(RULES)}
    return sorted(
        summary.findings.values(),
        key=lambda finding: (order.get(finding.rule, len(order)), finding.first_s),
    )


def _say_findings(screen: Screen, findings: list[Finding]) -> None:
    screen.say()
    screen.table(
        ("rule", "first", "finding", "known"),
        [(one.rule, f"{one.first_s:.1f} s", one.signature, one.known) for one in findings],
        whole=2,
    )
    screen.say()


def _replay(summary: Summary, target: str, device: str, target_options: TargetOptions) -> str:
    """Return the shell command that replays the first finding."""
    from vblkfuzz.store.finding_files import ARTIFACT, MINIMIZED
    from vblkfuzz.targets.device_class import is_revision
    from vblkfuzz.targets.registry import MODEL

    finding = by_rule(summary)[0]
    name = MINIMIZED if finding.signature in summary.minimized else ARTIFACT
    words = ["vblkfuzz", "replay", f"{finding.path}/{name}"]
    if target != MODEL:
        words += ["--target", target, *target_options.words]
    if not is_revision(device):  # the user must name code to run, a file is not enough
        words += ["--device", device]
    return shell_line(words)


def say_trouble(out: Path, summary: Summary) -> None:
    """Print on stderr which findings could not be saved and how many inputs not judged."""
    for line in summary.fallbacks[:_FALLBACK_LINES]:
        _complain(line)
    if len(summary.fallbacks) > _FALLBACK_LINES:
        _complain(f"and {len(summary.fallbacks) - _FALLBACK_LINES} more of this kind")
    say_unsteady(summary.confidence)
    if summary.always_fails:
        _complain(f"{summary.always_fails}: mend that first; nothing else can be found")
    if not (summary.execs or summary.last_error):
        _complain("no input was run: nothing was tested")
    if cannot := blind(summary.canaries):
        _complain(cannot)
    if summary.last_error and not (summary.harness_errors or summary.restarts):
        _complain(last_line(summary.last_error))
    elif summary.harness_errors or summary.last_error:
        kept = f"inputs are in {out / 'harness'}; " if any((out / "harness").glob("*")) else ""
        _complain(
            f"{counted(summary.harness_errors, 'execution')} without a verdict, "
            f"{counted(summary.restarts, 'worker')} restarted; "
            f"{kept}last: {last_line(summary.last_error)}"
        )


def last_line(text: str) -> str:
    """Return the last line of a text; in a traceback, that is the error."""
    return text.strip().rpartition("\n")[2]


def _complain(line: str) -> None:
    print(f"vblkfuzz: {printable(line)}", file=sys.stderr)
