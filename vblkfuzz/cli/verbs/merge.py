"""`vblkfuzz merge`: adds inputs of other corpora to a corpus, if they have new features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from vblkfuzz.cli.options.inputs import Device, Json, Mode, RunMode
from vblkfuzz.cli.verb import Verb


def merge(
    into: Annotated[Path, typer.Argument(metavar="CORPUS", help="The folder to add to.")],
    others: Annotated[list[Path], typer.Argument(metavar="OTHER", help="Folders of inputs.")],
    device: Device = "patch-v4",
    mode: RunMode = Mode.INLINE,
    as_json: Json = False,
) -> None:
    """Add inputs of other corpora that have new features to a corpus.

    The fewest and shortest inputs that have all new features are added. The inputs of the corpus
    itself are not changed.

    Exit code: 0 done; else 125 an input could not be judged; else 2 one could not be read.
    """
    from vblkfuzz.cli.options.measured import CorpusReader
    from vblkfuzz.counted import counted
    from vblkfuzz.feedback.features import measuring
    from vblkfuzz.feedback.minimal_corpus import cover
    from vblkfuzz.store.corpus import add_inputs

    with measuring(device, mode) as measure:
        reader = CorpusReader(measure)
        before = reader.read(into, may_be_empty=True)
        had = frozenset(feature for one in before for feature in one.features)
        inputs = [one for other in others for one in reader.read(other)]
    added = cover(inputs, had)
    add_inputs(into, [one.data for one in added])
    new = len({feature for one in added for feature in one.features} - had)
    if as_json:
        found = {"inputs": len(inputs), "added": len(added), "features": len(had) + new}
        print(json.dumps({**found, "new_features": new}))
    else:
        features = counted(new, "new feature")
        read = counted(len(inputs), "input")
        print(f"{read}; {len(added):,} with {features} added to {into}")
    raise typer.Exit(reader.exit_status)


VERB: Final = Verb(
    merge,
    examples=(
        "vblkfuzz merge my-corpus vblkfuzz-out/corpus",
        "vblkfuzz merge my-corpus corpus/start corpus/regress --json",
    ),
    summary="Add inputs of other corpora that have new features.",
)
