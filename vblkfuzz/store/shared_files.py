"""The files of a store: a plain folder, or whatever fsspec has a URL for (extra ``store``).

Paths are relative to the store, with slashes. All errors of reading and writing are OSError.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from vblkfuzz.errors import UsageError
from vblkfuzz.store.atomic import TEMPORARY, write_file

if TYPE_CHECKING:
    from collections.abc import Callable

_SCHEME: Final = "://"
_Answer = TypeVar("_Answer")


class SharedFiles(Protocol):
    """What a store needs of a file system."""

    @property
    def url(self) -> str:
        """Where it is, as the user has named it."""

    def read(self, path: str) -> bytes:
        """Return the content of a file (FileNotFoundError: there is none)."""

    def create(self, path: str, data: bytes) -> bool:
        """Write a file unless there is one; return whether there was none."""

    def replace(self, path: str, data: bytes) -> None:
        """Write a file, in place of one that may be there."""

    def listed(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; none if there is no folder."""


def is_url(store: str) -> bool:
    """Whether it is for fsspec; else it is a folder.

    >>> is_url("s3://bucket/campaign"), is_url("/net/campaign")
    (True, False)
    """
    return _SCHEME in store


def shared_files(store: str) -> SharedFiles:
    """Return the files of a store, which may not exist yet.

    Raises:
        UsageError: fsspec, or its part for this kind of URL, is not installed; or it is no folder.
    """
    if not is_url(store) and os.path.lexists(store) and not os.path.isdir(store):
        raise UsageError(f"{store}: expected a folder, found something else; choose another store")
    return FsspecFiles(store) if is_url(store) else FolderFiles(Path(store))


class FolderFiles:
    """A folder of this machine, or of a file server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url: Final = str(folder)

    def read(self, path: str) -> bytes:
        """Read a file; a FIFO that somebody has put there is empty, and nothing waits for it."""
        with open(self._folder / path, "rb", opener=_without_waiting) as file:
            return file.read()

    def create(self, path: str, data: bytes) -> bool:
        """Write a file aside and link it: of several nodes only one can (on NFS, too)."""
        place = self._folder / path
        if place.exists():
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = place.parent / f"{TEMPORARY}{os.getpid()}-{os.urandom(8).hex()}"
        try:
            write_file(aside, data)
            os.link(aside, place)
        except FileExistsError:
            return False
        finally:
            aside.unlink(missing_ok=True)
        return True

    def replace(self, path: str, data: bytes) -> None:
        """Write a file aside and rename it."""
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        write_file(place, data)

    def listed(self, folder: str) -> list[str]:
        """List a folder."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return sorted(os.listdir(self._folder / folder))
        return []


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


class FsspecFiles:
    """A URL. Object stores write a file as a whole; elsewhere half of one may be left."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec

            self._files, self._root = fsspec.url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            problem = f"needs the extra store: pip install 'vblkfuzz[store]' ({error})"
            raise UsageError(f"--store {url}: {problem}") from error
        self.url: Final = url

    def _at(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}"

    def read(self, path: str) -> bytes:
        """Read a file."""
        data: bytes = _asked(lambda: self._files.cat_file(self._at(path)))
        return data

    def create(self, path: str, data: bytes) -> bool:
        """Write a file if there is none; not one step, so paths have one writer."""
        if _asked(lambda: self._files.exists(self._at(path))):
            return False
        self.replace(path, data)
        return True

    def replace(self, path: str, data: bytes) -> None:
        """Write a file, and look whether all of it is there."""
        place = self._at(path)
        _asked(lambda: self._files.makedirs(place.rpartition("/")[0], exist_ok=True))
        _asked(lambda: self._files.pipe_file(place, data))
        if _asked(lambda: self._files.size(place)) != len(data):
            raise OSError(f"{path}: short write, the store is full")

    def listed(self, folder: str) -> list[str]:
        """List a folder."""
        self._files.invalidate_cache()
        try:
            paths: list[str] = _asked(lambda: self._files.ls(self._at(folder), detail=False))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)


def _asked(ask: Callable[[], _Answer]) -> _Answer:
    """Return an answer; errors of a cloud's library become OSError."""
    try:
        return ask()
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
