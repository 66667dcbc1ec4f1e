"""`vblkfuzz cmin`: a corpus with the same features and fewer inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from vblkfuzz.cli.options.inputs import Device, Json, Mode, RunMode
from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import UsageError


def cmin(
    corpora: Annotated[
        list[str], typer.Argument(metavar="CORPUS", help="Folders of inputs, or stores.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write; new or empty."),
    ],
    device: Device = "patch-v4",
    mode: RunMode = Mode.INLINE,
    as_json: Json = False,
) -> None:
    """Write the fewest and shortest inputs that have all features of a corpus.

    Features are those of a campaign: code blocks, and events with the state in which they happen.
    Inputs may have any form; the output has raw inputs, for `fuzz --corpus`.

    Exit code: 0 done; else 125 an input could not be judged; else 2 one could not be read.
    """
    from vblkfuzz.cli.options.measured import CorpusReader
    from vblkfuzz.cli.views.store_copy import as_folders
    from vblkfuzz.counted import counted
    from vblkfuzz.feedback.features import measuring
    from vblkfuzz.feedback.minimal_corpus import cover
    from vblkfuzz.store.corpus import add_inputs

    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output}: expected a folder that is new or empty")
    with measuring(device, mode) as measure, as_folders(corpora) as folders:
        reader = CorpusReader(measure)
        inputs = [one for folder in folders for one in reader.read(folder)]
    kept = cover(inputs)
    add_inputs(output, [one.data for one in kept])
    features = len({feature for one in kept for feature in one.features})
    if as_json:
        print(json.dumps({"inputs": len(inputs), "kept": len(kept), "features": features}))
    else:
        found = f"{counted(len(inputs), 'input')}, {counted(features, 'feature')}"
        print(f"{found}; {len(kept):,} kept in {output}")
    raise typer.Exit(reader.exit_status)


VERB: Final = Verb(
    cmin,
    examples=(
        "vblkfuzz cmin vblkfuzz-out/corpus -o small-corpus",
        "vblkfuzz cmin corpus/start my-corpus -o small-corpus --json",
    ),
    summary="Write a corpus with the same features and fewer inputs.",
)
