"""`vblkfuzz show`: any input as text, or a rule explained."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import UsageError
from vblkfuzz.suggestion import did_you_mean

if TYPE_CHECKING:
    from vblkfuzz.scenario.artifact import Artifact

_RULE_ID: Final = re.compile(r"[sl]\d+", re.IGNORECASE)


def show(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A .vblk, .toml or raw input, the folder of a finding, or a rule.",
            show_default=False,
        ),
    ],
) -> None:
    """Print an input as text, or explain a rule.

    The text can be read and edited. `replay` runs it, `encode` turns it into a .vblk file. Of a
    rule (S13) it prints what it says and why, the situations that put it to the test, the planted
    defects that it catches, and the targets that it is asked on.
    """
    if not Path(path).exists() and _is_rule(path):
        _explain(path.upper())
        return
    from vblkfuzz.cli.options.one_input import read_one

    sys.stdout.write(text_of(read_one(path), _rate(path)))


def _is_rule(name: str) -> bool:
    """Whether a name that is no file is that of a rule, or meant to be one."""
    from vblkfuzz.oracle.judge import rule_named

    return rule_named(name.upper()) is not None or _RULE_ID.fullmatch(name) is not None


def _explain(name: str) -> None:
    from vblkfuzz.cli.views.rule import print_rule
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.oracle.judge import RULES, rule_named

    rule = rule_named(name)
    if rule is None:
        meant = did_you_mean(name, [one.id for one in RULES])
        raise UsageError(f"{name}: no such rule; all of them: vblkfuzz list rules{meant}")
    print_rule(rule, Screen())


def _rate(path: str) -> str:
    """Return how often a finding shows its bug, as kept beside it; empty: not known."""
    from vblkfuzz.triage.inputs import one_file
    from vblkfuzz.triage.rerun import kept_beside

    kept = kept_beside(Path(one_file(path)))
    return f"rate {kept}" if kept else ""


def text_of(artifact: Artifact, rate: str = "") -> str:
    """Return an artifact as text; facts without a field in the text form become a comment."""
    from vblkfuzz.scenario.artifact import artifact_text

    return artifact_text(artifact, "\n".join(filter(None, (_comment(artifact), rate))))


def _comment(artifact: Artifact) -> str:
    """Return the facts that have no field in the text form."""
    facts = [f"target {artifact.target}, device {artifact.device}, mode {artifact.mode}"]
    if artifact.trace_digest:
        facts.append(f"trace digest {artifact.trace_digest}")
    if artifact.versions:
        made_by = (f"{name} {version}" for name, version in artifact.versions.items())
        facts.append(f"made by {', '.join(made_by)}")
    return "\n".join(facts)


VERB: Final = Verb(
    show,
    examples=(
        "vblkfuzz show finding.vblk > scenario.toml",
        "vblkfuzz show S13",
    ),
)
