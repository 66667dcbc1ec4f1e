"""The inputs of a comparison: a corpus, then mutations of it.

The same corpus and seed give the same inputs, whatever devices they run on: an input is mutated
further if it reaches something new on the model, not on one of the devices. What is new is the same
as in a campaign (`feedback.region`), without the blocks of code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import HarnessError, InputFileError
from vblkfuzz.feedback.region import Region
from vblkfuzz.limits import COVERAGE_SIZE
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.mutation.starting_inputs import STARTING_INPUTS
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.store.input_paths import input_paths
from vblkfuzz.targets.registry import MODEL, default_device, open_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.scenario.scenario import Scenario

Complain = Callable[[InputFileError], None]
_CROSSED: Final = 0.5
"""Probability that a new input has operations of two others, as in libFuzzer."""
_FILES: Final = ("scenario.toml", "finding.vblk")
"""Names of files that say less than those of their folders."""


class Input(NamedTuple):
    """One input."""

    name: str
    """Its place in the corpus without suffix, or the number of the mutation."""
    scenario: Scenario


def corpus_of(folders: Sequence[Path], complain: Complain) -> list[Input]:
    """Return the inputs of folders and files, each once; without any, the seeds of campaigns.

    Args:
        folders: where to read.
        complain: called for each file that cannot be read; the others are used.
    """
    if not folders:
        return [Input(start.__name__.replace("_", "-"), start()) for start in STARTING_INPUTS]
    found: dict[bytes, Input] = {}
    for folder in folders:
        try:
            paths = [folder] if folder.is_file() else input_paths(folder)
        except InputFileError as error:
            complain(error)
            continue
        if not paths:
            complain(InputFileError(str(folder), "", "no inputs, expected .vblk or .toml files"))
        for path in paths:
            try:
                scenario = read_input(path).scenario
            except InputFileError as error:
                complain(error)
                continue
            found.setdefault(encode(scenario), Input(_name(path, folder), scenario))
    return [*found.values()]


def _name(path: Path, folder: Path) -> str:
    short = path.relative_to(folder) if path != folder else Path(path.name)
    if short.name in _FILES:
        return str(short.parent) if short.parent.name else path.resolve().parent.name
    return str(short.with_suffix("")) if short.suffix in (".toml", ".vblk") else str(short)


def mutations(corpus: Sequence[Input], seed: int) -> Iterator[Input]:
    """Yield new inputs without end."""
    mutator, random = Mutator(seed), Random(seed).random  # see Mutator for why only random()
    pool = [encode(one.scenario) for one in corpus] or [b""]
    with ExitStack() as stack:
        is_new = _novelty(stack)
        for data in pool:
            is_new(decode(data))
        number = 0
        while True:
            number += 1
            data = pool[int(random() * len(pool))]
            if random() < _CROSSED:
                data = mutator.crossover(data, pool[int(random() * len(pool))], MAX_BYTES)
            else:
                data = mutator.mutate(data, MAX_BYTES)
            scenario = decode(data)
            if is_new(scenario):
                pool.append(data)
            yield Input(f"mutation-{number:06}", scenario)


def _novelty(stack: ExitStack) -> Callable[[Scenario], bool]:
    """Return a function that tells whether a scenario reaches something new on the model."""
    model = stack.enter_context(open_target(MODEL, default_device(MODEL), "inline"))
    marks = memoryview(bytearray(COVERAGE_SIZE))
    region = Region(marks)
    reached = 0

    def is_new(scenario: Scenario) -> bool:
        nonlocal reached
        try:
            region.mark_states(model.run(scenario))
        except HarnessError:
            return False
        before, reached = reached, COVERAGE_SIZE - marks.tobytes().count(0)
        return reached > before

    return is_new
