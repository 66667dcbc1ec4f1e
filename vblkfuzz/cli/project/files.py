"""Writes a project: a device without a bug, its tests, a scenario, and the configuration."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Final

from vblkfuzz.errors import UsageError

_TEMPLATES: Final = {
    "README.md": "readme.txt",
    "device.py": "device.txt",
    "test_device.py": "test_device.txt",
    "pyproject.toml": "pyproject.txt",
    "corpus/reset-in-drain/scenario.toml": "scenario.txt",
}
_CLASS: Final = "MyDevice"
"""The class in the templates; that of the project is written in its place."""


def write_project(folder: Path) -> tuple[str, tuple[Path, ...]]:
    """Write the files of a new project; return the name of its class, and the files.

    Raises:
        UsageError: the name of the folder makes no class, a file exists (then nothing is
            written), or one cannot be written.
    """
    name = class_name(folder)
    paths = tuple(folder / file for file in _TEMPLATES)
    for path in paths:
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path}: exists; expected a new folder, or one without this file")
    for path, template in zip(paths, _TEMPLATES.values(), strict=True):
        text = _text(template).replace(_CLASS, name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None
    return name, paths


def class_name(folder: Path) -> str:
    """Return the name of a class for a folder: ``MyDisk`` for ``my_disk`` and ``my-disk``.

    Raises:
        UsageError: it is no name of a class, or one that the templates use otherwise.
    """
    words = re.split(r"[\W_]+", folder.resolve().name)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    if not re.fullmatch(r"[A-Z]\w*", name, re.ASCII) or name in _taken():
        raise UsageError(f"{folder}: expected a name that makes a class, for example my_device")
    return name


def _taken() -> set[str]:
    texts = (_text(template) for template in _TEMPLATES.values())
    return {word for text in texts for word in re.findall(r"\w+", text)} - {_CLASS}


def _text(template: str) -> str:
    return resources.files(__package__).joinpath(template).read_text(encoding="utf-8")
