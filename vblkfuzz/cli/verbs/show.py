"""`vblkfuzz show`: any input as text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.verb import Verb

if TYPE_CHECKING:
    from vblkfuzz.scenario.artifact import Artifact


def show(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A .vblk or .toml file.", show_default=False)
    ],
) -> None:
    """Print an input as text.

    The text can be read and edited. `replay` runs it, `encode` turns it into a .vblk file.
    """
    from vblkfuzz.cli.options.one_input import read_one

    sys.stdout.write(text_of(read_one(path)))


def text_of(artifact: Artifact) -> str:
    """Return an artifact as text; facts without a field in the text form become a comment."""
    from vblkfuzz.scenario.text import to_text

    comment, expectation = _comment(artifact), artifact.expectation
    return to_text(artifact.scenario, comment, expectation, on=artifact.device)


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
        "vblkfuzz show finding.vblk",
        "vblkfuzz show finding.vblk > scenario.toml",
    ),
)
