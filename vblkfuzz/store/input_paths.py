"""Which files below a folder are inputs.

A file counts by its content and name (`scenario.input_form`): artifacts, `.vblk` and `.toml` files,
and every other file that is no text. Hidden files and folders, texts of other names (a README, a
trace, a log), empty files and the data that campaigns and repositories keep beside inputs do not
count.

A finding counts once (`store.finding_files`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.codec import MAX_BYTES
from vblkfuzz.scenario.input_form import Form, form_of, is_raw_name
from vblkfuzz.store.finding_files import has_better

if TYPE_CHECKING:
    from pathlib import Path

NO_INPUTS: Final = "expected a folder with inputs (.vblk, .toml or raw ones), found none"
"""What is said of a folder without inputs."""
_FORMS: Final = (".vblk", ".toml")
_BESIDE: Final = (".md", ".txt", ".json", ".log", ".sqlite", ".reason", ".py", ".html", ".png")
"""Suffixes of files that are no inputs: those of findings, output folders and repositories."""


def input_paths(folder: Path) -> list[Path]:
    """Return the files below a folder that are inputs, sorted.

    Raises:
        InputFileError: `folder` is no folder.
    """
    check_folder_of_inputs(folder)
    return sorted(path for path in folder.rglob("*") if _counts(path, folder))


def check_folder_of_inputs(folder: Path) -> None:
    """Check a folder before the work.

    Raises:
        InputFileError: it is none.
    """
    if not folder.is_dir():
        raise InputFileError(str(folder), "", "expected a folder of inputs")


def _counts(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    if hidden or path.suffix in _BESIDE or not path.is_file() or has_better(path):
        return False
    return path.suffix in _FORMS or (_form(path) is not Form.TEXT and not _is_blank(path))


def _is_blank(path: Path) -> bool:
    """Whether a file is empty; not one whose name says that it is a raw input, which may be."""
    return not is_raw_name(path.name) and path.stat().st_size == 0


def _form(path: Path) -> Form:
    """Return the form of a file; one that cannot be read counts, so that its reader says why."""
    try:
        with path.open("rb") as file:
            return form_of(path.name, file.read(MAX_BYTES))
    except OSError:
        return Form.RAW
