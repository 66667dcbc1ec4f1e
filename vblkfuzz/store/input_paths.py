"""Which files below a folder are inputs.

A file counts by its content and name (`scenario.input_form`): artifacts, `.vblk` and `.toml` files,
and every other file that is no text. Hidden files and folders, texts of other names (a README, a
trace, a log), empty files and the data that campaigns and repositories keep beside inputs do not
count. Of an output folder, its corpus and findings count, not the inputs on which the harness
failed or which were put into quarantine.

A finding counts once (`store.finding_files`). What cannot be read, such as a folder without
permission or a link that leads nowhere, counts, so that its reader says why.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.codec import MAX_BYTES
from vblkfuzz.scenario.file_bytes import read_at_most
from vblkfuzz.scenario.input_form import has_input_name, is_input_among_others
from vblkfuzz.store.finding_files import has_better
from vblkfuzz.store.history import LEDGER

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_INPUTS: Final = "expected a folder with inputs (.vblk, .toml or raw ones), found none"
"""What is said of a folder without inputs."""
_BESIDE: Final = (".md", ".txt", ".json", ".log", ".sqlite", ".reason", ".py", ".html", ".png")
"""Suffixes of files that are no inputs: those of findings, output folders and repositories."""
_LEFT_OUT: Final = ("harness", "log", "quarantine")
"""Parts of an output folder that are not looked into."""
_KINDS: Final = {
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a link to a folder, which is not followed: name that folder itself",
}


class Found(NamedTuple):
    """A file below a folder that may be an input."""

    path: str
    problem: str = ""
    """Why it is none, and must not be opened; empty: its reader says whether it is one."""


def input_paths(folder: Path) -> list[Path]:
    """Return the files below a folder that are inputs, sorted.

    Raises:
        InputFileError: `folder` is no folder.
    """
    return [Path(found.path) for found in found_below(folder) if not found.problem]


def found_below(folder: Path) -> list[Found]:
    """Return the files below a folder that are inputs, and what may have been meant as one.

    Raises:
        InputFileError: `folder` is no folder.
    """
    return [one for one in maybe_below(folder) if one.problem or _is_input(one.path)]


def maybe_below(folder: Path) -> list[Found]:
    """Do the same by names alone: the content of a file may say that it is no input.

    Raises:
        InputFileError: `folder` is no folder.
    """
    check_folder_of_inputs(folder)
    return sorted(_walk(os.fspath(folder)), key=lambda found: found.path.split(os.sep))


def check_folder_of_inputs(folder: Path) -> None:
    """Check a folder before the work.

    Raises:
        InputFileError: it is none.
    """
    if not os.path.isdir(folder):  # Path.is_dir raises PermissionError
        raise InputFileError(str(folder), "", "expected a folder of inputs")


def _walk(folder: str) -> Iterator[Found]:
    """Yield what is found below a folder, without going through links: they may lead back.

    Paths are texts here: of 50,000 files, objects would take most of the time.
    """
    folders = [folder]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as listed:
                entries = [entry for entry in listed if not entry.name.startswith(".")]
        except OSError:
            yield Found(folder)
            continue
        left_out = _LEFT_OUT if any(entry.name == LEDGER for entry in entries) else ()
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders += [entry.path] if entry.name not in left_out else []
            elif os.path.splitext(entry.name)[1] not in _BESIDE:
                yield from _found(entry)


def _found(entry: os.DirEntry[str]) -> Iterator[Found]:
    """Yield a file unless it is a second form of a finding."""
    try:
        regular = entry.is_file()
        kind = stat.S_IFREG if regular else stat.S_IFMT(entry.stat().st_mode)
    except OSError:
        yield Found(entry.path)
        return
    if not regular:
        yield Found(entry.path, f"expected a file, found {_KINDS.get(kind, 'something else')}")
    elif not has_better(entry.path):
        yield Found(entry.path)


def _is_input(path: str) -> bool:
    """Whether a file counts. One that cannot be read does."""
    try:
        return has_input_name(os.path.basename(path)) or is_input_among_others(
            path, read_at_most(path, MAX_BYTES)
        )
    except (OSError, InputFileError):
        return True
