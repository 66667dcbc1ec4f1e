"""`vblkfuzz triage`: the findings of a campaign, and the story of one of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options import complete
from vblkfuzz.cli.options.inputs import AnotherTarget, Measured
from vblkfuzz.cli.options.page import PageNumber
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say_error
from vblkfuzz.errors import UsageError
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vblkfuzz.triage.case import Case
    from vblkfuzz.triage.cases import CaseReader
    from vblkfuzz.triage.pages import Page


_SHOW: Final = "show"
_RUNS: Final = 3
"""Runs of each finding that only show whether it is reproduced: a race does not show each time."""


_Folder = Annotated[
    str,
    typer.Argument(
        metavar="DIR|STORE",
        help="The output folder of a campaign, or a store.",
        show_default=False,
    ),
]
_Json = Annotated[
    bool, typer.Option("--json", help="One JSON object per finding, nothing else on stdout.")
]


@takes_target_options
def triage(  # noqa: PLR0913  # an option each
    folder: _Folder,
    action: Annotated[
        str | None,
        typer.Argument(
            metavar=_SHOW, help="Show the story of one finding.", autocompletion=lambda: [_SHOW]
        ),
    ] = None,
    signature: Annotated[
        str | None,
        typer.Argument(
            metavar="SIGNATURE",
            help="Its signature, or the beginning of it.",
            autocompletion=complete.signatures,
        ),
    ] = None,
    target: AnotherTarget = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help="Run them on this device, not on the recorded one.",
            autocompletion=complete.devices,
        ),
    ] = None,
    repeat: Measured = None,
    page: PageNumber = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="With show: all events, not only those of the clash.")
    ] = False,
    as_json: _Json = False,
    *,
    target_options: TargetOptions,
) -> None:
    """List the findings of a campaign, or show the story of one.

    Each finding is run three times, on the target and device that it was found on, so the list
    shows which of them are still reproduced. A finding that names a device outside this package is
    run only with --device.

    Of more than 50 findings a page is run and listed: --page 2 is the next one. With --json all are
    run, unless --page is given.

    With --repeat N the runs measure how often each one shows its bug, with its schedule and
    without. The rate is kept beside the finding (rate.json), and shown from then on; nothing else
    measures it again.

    The findings of a store (fuzz --store) are copied to ./vblkfuzz-store first.

    Exit code: 125 a finding could not be judged; else 2 one could not be read; else 0.
    """
    from vblkfuzz.cli.views.store_copy import copied
    from vblkfuzz.triage.cases import CaseReader
    from vblkfuzz.triage.inputs import finding_files
    from vblkfuzz.triage.replay_target import Options

    if action not in (None, _SHOW):
        raise UsageError(f"triage: expected DIR, or DIR show SIGNATURE, found {action}")
    if (action is None) != (signature is None):
        raise UsageError("triage: expected DIR, or DIR show SIGNATURE")
    folder = copied(folder)
    files = finding_files(folder)
    options = Options(target, device, target_options=target_options)
    reader = CaseReader(say_error, options, repeat or _RUNS, measure=repeat is not None)
    if signature is None:
        _list(reader, folder, _page(folder, files, page, as_json), as_json)
    else:
        _show(reader, [_named(files, signature, folder)], whole=whole, as_json=as_json)
    raise typer.Exit(int(reader.exit_status))


def _named(files: Sequence[str], signature: str, folder: str) -> str:
    """Return the finding with a signature, or with the only signature that begins like it."""
    from vblkfuzz.store.saved_findings import the_one_named

    names = {Path(file).parent.name: file for file in files}
    return names[the_one_named(signature, names, folder)]


def _kept(cases: Iterable[Case]) -> Iterator[Case]:
    """Yield cases; keep what their runs have measured."""
    from vblkfuzz.cli.views.rates import keep_rate

    for case in cases:
        keep_rate(case.outcome)
        yield case


def _page(folder: str, files: list[str], number: int | None, as_json: bool) -> Page:
    """Return what to run: a page, or with --json alone all findings."""
    from vblkfuzz.triage.pages import page_of

    page = page_of(folder, files, number or 1)
    return replace(page, files=page.all_files) if as_json and number is None else page


def _list(reader: CaseReader, folder: str, page: Page, as_json: bool) -> None:
    from vblkfuzz.cli.views.triage_list import print_list
    from vblkfuzz.triage.story import case_object

    reader.sightings[Path(folder)] = page.sightings
    cases = _kept(reader.read(list(page.files)))
    if as_json:
        for case in cases:
            print(json.dumps(case_object(case)), flush=True)
        return
    print_list(list(cases), folder, page)


def _show(reader: CaseReader, files: list[str], *, whole: bool, as_json: bool) -> None:
    from vblkfuzz.cli.views.triage_show import print_story
    from vblkfuzz.triage.story import story_object

    for case in _kept(reader.read(files)):
        if as_json:
            print(json.dumps(story_object(case)))
        else:
            print_story(case, whole=whole)


VERB: Final = Verb(
    triage,
    examples=(
        "vblkfuzz triage vblkfuzz-out",
        "vblkfuzz triage vblkfuzz-out show s1-reset-stop",
    ),
    summary="List the findings of a campaign, or show the story of one.",
)
