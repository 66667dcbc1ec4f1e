"""`vblkfuzz encode`: any input as a `.vblk` file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from vblkfuzz.cli.verb import Verb


def encode(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A .toml, .vblk or raw input, or the folder of a finding.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The .vblk file to write."),
    ],
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace a file that has other content.")
    ] = False,
) -> None:
    """Write an input as a .vblk file.

    It has what the input says of target, device and mode; a raw input of a campaign has those of
    the campaign.

    An existing file with other content is kept unless --force is given. The file is written under
    another name and renamed, so it is never incomplete.
    """
    from vblkfuzz.cli.options.one_input import read_one
    from vblkfuzz.cli.options.output_file import check_suffix, write_output
    from vblkfuzz.scenario.artifact import dump_artifact

    check_suffix(output, ".vblk")
    write_output(output, dump_artifact(read_one(path)), force=force)


VERB: Final = Verb(
    encode,
    examples=(
        "vblkfuzz encode scenario.toml -o scenario.vblk",
        "vblkfuzz encode crash-HASH -o crash.vblk --force",
    ),
)
