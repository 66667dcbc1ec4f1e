"""Findings as one HTML file: a summary, stories, and diagrams to step through.

The file is self-contained: it includes style and script and fetches nothing. Of many
findings, those of one page have a story, the others a row each (`triage.pages`). Everything can be
read without JavaScript; with it, arrow keys step through a diagram and show the state at each
event. The template is `report.html.jinja` beside this file; all text from an artifact is escaped
there.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import jinja2

from vblkfuzz._version import __version__
from vblkfuzz.counted import counted
from vblkfuzz.export.export import Export
from vblkfuzz.export.facts import facts
from vblkfuzz.export.lane_layout import ROW, lane_layout
from vblkfuzz.export.licence import SPDX
from vblkfuzz.triage import story
from vblkfuzz.triage.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.errors import InputFileError
    from vblkfuzz.triage.case import Case
    from vblkfuzz.triage.recorded import Others

_TEMPLATE: Final = "report.html.jinja"


def html_text(
    cases: Sequence[Case],
    unreadable: Sequence[InputFileError] = (),
    others: Others | None = None,
) -> str:
    """Return a report on cases; for a case that could not be judged or read, it says why.

    Others are the findings of other pages, which the report only lists.
    """
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.from_string(_template())
    stories = [_story(case) for case in cases]
    page = template.render(
        stories=stories,
        others=others,
        total=len(stories) + (len(others.findings) if others else 0),
        unreadable=[printable(str(error)) for error in unreadable],
        row=ROW,
        version=__version__,
        ran=_ran(cases, others),
        licence=SPDX,
    )
    # The name of a file need not be UTF-8; other bytes are shown as escapes.
    return page.encode(errors="backslashreplace").decode()


def _template() -> str:
    return resources.files("vblkfuzz.export").joinpath(_TEMPLATE).read_text("utf-8")


def inline_parts() -> tuple[list[str], list[str]]:
    """Return the styles and the scripts of a report, as they are in each one.

    Who serves it allows these and no others, whatever is in the text of an artifact.
    """
    text = _template()
    styles, scripts = (
        re.findall(f"<{name}>(.*?)</{name}>", text, re.DOTALL) for name in ("style", "script")
    )
    return styles, scripts


def _ran(cases: Sequence[Case], others: Others | None) -> str:
    """Return how many findings the report has current results of."""
    if others:
        here = counted(len(cases), "finding")
        return (
            f"Page {others.number:,} of {others.of:,}, with {here} run again for this report. "
            "The others are listed below as they were recorded."
        )
    ran = sum(case.outcome.run.execution is not None for case in cases)
    if ran == len(cases):
        return "All findings were run again for this report."
    return (
        f"{ran} of {counted(len(cases), 'finding')} were run again for this report; the "
        "others could not be run here, and say why."
    )


def _story(case: Case) -> dict[str, Any]:
    """Return the variables of the template for one case."""
    steps = case.steps
    clash = next((index for index, step in enumerate(steps) if step.clash == "second"), None)
    return {
        "anchor": case.signature or "clean",
        "case": case,
        "rule": case.expected_rule,
        "violation": case.violation,
        "facts": facts(case),
        "last_output": story.last_output(case),
        "seen": story.seen(case),
        "shown_again": story.shown_again(case),
        "size": story.size(case),
        "operations": story.operations(case),
        "deviations": story.deviations(case),
        "layout": lane_layout(steps, case.scenario.ops) if steps else None,
        "steps": [(step, story.state_facts(step.state)) for step in steps],
        "current": clash if clash is not None else len(steps) - 1,
    }


EXPORT: Final = Export(
    summary="one HTML page with stories, and diagrams to step through",
    text=html_text,
    whole=html_text,
    paged=html_text,
)
