"""Options of the verbs that run inputs, with the same help text for every verb."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from vblkfuzz.cli.options import complete


class Mode(StrEnum):
    """Where guest and device run: in processes of their own, or in this one."""

    PROCESSES = "processes"
    INLINE = "inline"


_DEVICES = "Revision, package.module:Class or file.py:Class"

OneInput = Annotated[
    str,
    typer.Argument(
        metavar="PATH",
        help="A .vblk, .toml or raw input, or the folder of a finding.",
        show_default=False,
    ),
]
AnotherTarget = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Target to run on.  [default: as in the input]",
        autocompletion=complete.targets,
    ),
]
AnotherDevice = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        help=f"{_DEVICES}.  [default: as in the input]",
        autocompletion=complete.devices,
    ),
]
AnotherDefects = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Plant a defect in the device; repeatable.",
        autocompletion=complete.defects,
    ),
]
AnotherMode = Annotated[
    Mode | None,
    typer.Option(help="Where guest and device run.  [default: as in the input]"),
]
Measured = Annotated[
    int | None,
    typer.Option(
        "--repeat",
        min=1,
        metavar="N",
        help="Run each N times, and N without its schedule: how often it shows its bug.",
        show_default=False,
    ),
]
"""Runs that measure a rate; None: nothing is measured."""
ATarget = Annotated[
    str,
    typer.Option(metavar="NAME", help="Target to run on.", autocompletion=complete.targets),
]
ADevice = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        help=f"{_DEVICES}.  [default: patch-v4, or that of the target]",
        autocompletion=complete.devices,
    ),
]
Device = Annotated[
    str,
    typer.Option(metavar="DEVICE", help=f"{_DEVICES} to run on.", autocompletion=complete.devices),
]
RunMode = Annotated[Mode, typer.Option(help="Where guest and device run.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, nothing else on stdout.")]
