"""`vblkfuzz encode`: any input as a `.vblk` file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vblkfuzz.errors import UsageError


def encode(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A .toml or .vblk file.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The .vblk file to write.")
    ],
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace a file that has other content.")
    ] = False,
) -> None:
    """Write an input as a .vblk file.

    An existing file with other content is kept unless --force is given. The file is written
    aside and renamed, so it is whole or not there.
    """
    from vblkfuzz.scenario.artifact import dump_artifact, read_input

    if output.suffix != ".vblk":
        raise UsageError(f"{output}: expected a name that ends in .vblk")
    _write(output, dump_artifact(read_input(path)), force)


def _write(output: Path, data: bytes, force: bool) -> None:
    from vblkfuzz.campaign.atomic import write_file

    try:
        if output.exists() and not force:
            if output.read_bytes() == data:
                return
            raise UsageError(f"{output}: exists with other content; --force replaces it")
        write_file(output, data)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror or error}") from None
