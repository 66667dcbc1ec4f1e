"""`vblkfuzz new`: a project for a device of your own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

from vblkfuzz.cli.verb import Verb


def new(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DEVICE", help="Folder to write, named as the device.", show_default=False
        ),
    ],
) -> None:
    """Write a project for your own device: its class, tests, a scenario, and a configuration.

    The class is named as the folder: MyDisk in my_disk/device.py. It has no bug, and a place where
    to override what your device does differently. Its tests pass, and it can be fuzzed at once.
    A file that exists is never replaced; then nothing is written.
    """
    from vblkfuzz.cli.project.files import write_project

    name, paths = write_project(folder)
    for path in paths:
        print(path)
    inside = shlex.quote(str(folder))
    device = shlex.quote(f"{folder / 'device.py'}:{name}")
    print(f"\nTry:\n  (cd {inside} && pytest)")
    print(f"  vblkfuzz fuzz --device {device} --max-total-time 60")


VERB: Final = Verb(
    new,
    examples=("vblkfuzz new my_device", "vblkfuzz new devices/my_disk"),
    summary="Write a project for your own device.",
)
