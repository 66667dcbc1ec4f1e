"""What the shell offers for the value of an option: names, each with its summary.

Each function is called when the user presses Tab, so it loads neither the fuzzing engine nor
processes. Where it offers nothing, the shell offers files: `--device file.py:Class` begins so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

Offered = list[tuple[str, str]]
"""Names and their summaries."""


def devices(incomplete: str) -> Offered:
    """Offer the revisions of the model; after ``reference+``, the defects to plant in it."""
    from vblkfuzz.dataplane.revisions import REVISIONS

    before, plus, begun = incomplete.rpartition("+")
    if plus:
        return [(f"{before}+{name}", summary) for name, summary in defects(begun)]
    return _beginning(incomplete, ((name, one.summary) for name, one in REVISIONS.items()))


def defects(incomplete: str) -> Offered:
    """Offer the defects that can be planted."""
    from vblkfuzz.dataplane.defects import DEFECTS

    return _beginning(incomplete, ((name, one.mechanism) for name, one in DEFECTS.items()))


def searches(incomplete: str) -> Offered:
    """Offer the searches that are compared."""
    from vblkfuzz.bench.searches.registry import SEARCHES

    return _beginning(incomplete, ((name, one.summary) for name, one in SEARCHES.items()))


def targets(incomplete: str) -> Offered:
    """Offer the targets, those of other packages too; none of them is imported."""
    from vblkfuzz.targets.registry import TARGETS

    return _beginning(incomplete, ((name, "") for name in TARGETS.names()))


def exports(incomplete: str) -> Offered:
    """Offer the forms of exports, those of other packages too; none of them is imported."""
    from vblkfuzz.export.registry import EXPORTS

    return _beginning(incomplete, ((name, "") for name in EXPORTS.names()))


def operations(incomplete: str) -> Offered:
    """Offer the operations of scenarios."""
    from vblkfuzz.scenario.alphabet.ops import CODES

    return _beginning(incomplete, ((name, "") for name in CODES))


def signatures(ctx: typer.Context, incomplete: str) -> Offered:
    """Offer the signatures of the findings in the output folder that the command names."""
    from vblkfuzz.store.saved_findings import saved_findings

    # Behind an option without its value the parser leaves all other words in `args`.
    words = (ctx.params.get("folder"), ctx.params.get("path"), *ctx.args, ".")
    named = Path(next(filter(None, words)))
    for folder in (named, *named.parents):
        if names := sorted(saved_findings(folder)):
            return _beginning(incomplete, ((name, "") for name in names))
    return []


def _beginning(incomplete: str, names: Iterable[tuple[str, str]]) -> Offered:
    return [(name, summary) for name, summary in names if name.startswith(incomplete)]
