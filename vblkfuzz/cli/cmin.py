"""`vblkfuzz cmin`: a corpus with the same features and fewer inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vblkfuzz.cli.input_options import Device, Json, Mode, RunMode
from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from vblkfuzz.feedback.minimal_corpus import Measured


def cmin(
    corpora: Annotated[list[Path], typer.Argument(metavar="CORPUS", help="Folders of inputs.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where to write; must be new."),
    ],
    device: Device = "seed",
    mode: RunMode = Mode.INLINE,
    as_json: Json = False,
) -> None:
    """Write the fewest and shortest inputs that have all features of a corpus.

    Features are those of a campaign: code blocks, and events in the state they happen in. Inputs
    of any form are read; raw ones are written, as `fuzz --corpus` takes them.

    Exit code: 0 done; else 125 an input could not be judged; else 2 one could not be read.
    """
    from vblkfuzz.cli.measured import CorpusReader
    from vblkfuzz.feedback.features import measuring
    from vblkfuzz.feedback.minimal_corpus import cover

    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output}: expected a folder that is new or empty")
    with measuring(device, mode) as measure:
        reader = CorpusReader(measure)
        inputs = [one for corpus in corpora for one in reader.read(corpus)]
    kept = cover(inputs)
    write_inputs(output, kept)
    features = len({feature for one in kept for feature in one.features})
    if as_json:
        print(json.dumps({"inputs": len(inputs), "kept": len(kept), "features": features}))
    else:
        print(f"{len(inputs)} inputs, {features} features; {len(kept)} kept in {output}")
    raise typer.Exit(reader.exit_status)


def write_inputs(corpus: Path, inputs: list[Measured]) -> None:
    """Add inputs to a corpus folder.

    Raises:
        UsageError: it cannot be written.
    """
    from vblkfuzz.store.corpus import add_input

    try:
        corpus.mkdir(parents=True, exist_ok=True)
        for one in inputs:
            add_input(corpus, one.data)
    except OSError as error:
        raise UsageError(f"{corpus}: cannot be written: {error.strerror or error}") from None
