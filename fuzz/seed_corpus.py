"""Write the starting inputs as inputs of a fuzz target into a zip file, as OSS-Fuzz wants them.

    python fuzz/seed_corpus.py oss_drain_seed_corpus.zip

None of them breaks a rule on `reference`: OSS-Fuzz refuses a target whose seeds crash it.
"""

import sys
from pathlib import Path
from zipfile import ZipFile

from vblkfuzz.mutation.starting_inputs import STARTING_INPUTS
from vblkfuzz.scenario.codec import encode


def write(path: Path) -> None:
    """Write the file, an input for each starting input, named like it."""
    with ZipFile(path, "w") as archive:
        for start in STARTING_INPUTS:
            archive.writestr(start.__name__, encode(start()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python fuzz/seed_corpus.py FILE.zip")
    write(Path(sys.argv[1]))
