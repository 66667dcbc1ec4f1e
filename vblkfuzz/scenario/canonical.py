"""The canonical form of a scenario file: what `to_text` writes, under the comment it has.

``python -m vblkfuzz.scenario.canonical corpus`` rewrites every text below a folder. So a later
change of a file shows only what changed in it. A new field of the device changes no file: a field
that has its default is left out.
Comments between the lines are lost: what is to be said stands above the scenario.
"""

from __future__ import annotations

import sys
from pathlib import Path

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.text import read_text, to_text


def canonical(text: str, path: str) -> str:
    """Return a text in canonical form; `path` is the name that errors give the file.

    Raises:
        InputFileError: as `text.read_text`.
    """
    said = read_text(text, path)
    return to_text(said.scenario, _comment(text), said.expectation, said.on)


def _comment(text: str) -> str:
    above = text.partition("format = ")[0].splitlines()
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in above)


def rewrite(folder: Path) -> list[Path]:
    """Rewrite the texts below a folder; return those that were not canonical.

    Raises:
        InputFileError: one of them is no scenario; those before it are rewritten.
    """
    changed = []
    for path in sorted(folder.rglob("*.toml")):
        text = path.read_text()
        wanted = canonical(text, str(path))
        if wanted != text:
            path.write_text(wanted)
            changed.append(path)
    return changed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m vblkfuzz.scenario.canonical FOLDER")
    try:
        print(*rewrite(Path(sys.argv[1])), sep="\n")
    except InputFileError as error:
        sys.exit(str(error))
