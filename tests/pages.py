"""Tables of the docs that are written from code: ``python tests/pages.py`` writes them anew.

A table stands in its page between ``<!-- written from NAME -->`` and ``<!-- end -->``; NAME is the
file that its facts come from. tests/test_pages.py fails where a page is out of date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from tests import reference
from tests.device_api import device_api
from tests.faults.table import faults
from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.explore.alphabets import ALPHABETS
from vblkfuzz.trace.kinds import KINDS

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
BLOCK: Final = re.compile(
    r"(?P<begin><!-- written from (?P<name>\S+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)


def event_kinds() -> str:
    """A table for each group of event kinds."""
    tables = []
    for group, kinds in groupby(KINDS.values(), key=lambda kind: kind.group):
        rows = [f"| `{kind.name.upper()}` | {kind.meaning} |" for kind in kinds]
        tables.append("\n".join((f"## {group}", "| event | meaning |", "|---|---|", *rows)))
    return "\n\n".join(tables)


def defects() -> str:
    """All defects, in the order of the registry; one that was not measured has no figures."""
    measured = json.loads((DOCS / "measured" / "defects.json").read_text())
    head = "| Defect | Rules | Found | Executions | Most | Seconds | Source |"
    rows = [
        f"| `{name}` | {' '.join(defect.rules)} | {figures(measured.pop(name, None))} "
        f"| {defect.source} |"
        for name, defect in DEFECTS.items()
    ]
    assert not measured, f"measured, but no defects: {', '.join(measured)}"
    return "\n".join((head, "|---|---|---|---|---|---|---|", *rows))


def figures(of: dict[str, Any] | None) -> str:
    """The cells of a defect between rules and source; a dash in each if it was not measured."""
    if of is None:
        return "- | - | - | -"
    execs, most = ("-" if of[key] is None else f"{of[key]:,}" for key in ("execs", "most"))
    seconds = "-" if of["seconds"] is None else of["seconds"]
    return f"{of['found']}/{of['seeds']} | {execs} | {most} | {seconds}"


def alphabets() -> str:
    """The operations of each alphabet of `explore --stories`."""
    rows = (f"| `{name}` | {words} |" for name, words in ALPHABETS.items())
    return "\n".join(("| alphabet | operations |", "| --- | --- |", *rows))


TABLES: Final[dict[str, Callable[[], str]]] = {
    "vblkfuzz/trace/kinds.py": event_kinds,
    "docs/measured/defects.json": defects,
    "vblkfuzz/dataplane": device_api,
    "vblkfuzz/explore/alphabets.py": alphabets,
    "vblkfuzz/cli/verbs": reference.commands,
    "vblkfuzz/cli/views/fuzz.schema.json": partial(reference.json_keys, "fuzz.schema.json"),
    "vblkfuzz/cli/views/doctor.schema.json": partial(reference.json_keys, "doctor.schema.json"),
    "vblkfuzz/errors.py": reference.exit_codes,
    "vblkfuzz/oracle/rules": reference.rules,
    "vblkfuzz/scenario/alphabet": reference.operations,
    "vblkfuzz/scenario/document.py": reference.schedule,
    "docs/decisions": reference.decisions,
    "tests/faults": faults,
}


def written(page: str) -> str:
    """Return a page with its tables as the code has them.

    Raises:
        KeyError: the page names a table that there is not.
    """
    return BLOCK.sub(
        lambda block: f"{block['begin']}{TABLES[block['name']]()}\n{block['end']}", page
    )


def tables_in(page: str) -> list[str]:
    """Return the names of the tables in a page."""
    return [block["name"] for block in BLOCK.finditer(page)]


if __name__ == "__main__":
    for path in sorted(DOCS.rglob("*.md")):
        path.write_text(written(path.read_text()))
