"""Device class by name: a revision, ``package.module:Class`` or ``path/to/file.py:Class``.

Planted defects follow the name: ``reference+no_selfkick+cleanup_reads``.

Importing a class runs its module's code. So `device_class` is called with names from the command
line only, never with a name read from a file (`scenario.artifact`).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from vblkfuzz.dataplane.defects import DEFECTS, check_defect, with_defects
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.errors import UsageError
from vblkfuzz.foreign_code import blamed, no_arguments, note_import, own_process
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.suggestion import did_you_mean
from vblkfuzz.targets.class_check import check_class
from vblkfuzz.targets.return_check import watch_returns
from vblkfuzz.targets.trial_import import try_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    LoadFile = Callable[[str, Path], ModuleType]


def is_revision(name: str) -> bool:
    """Whether `name` is built in, with or without defects: then a file may name it."""
    revision, *defects = current_name(name).split("+")
    return revision in REVISIONS and all(defect in DEFECTS for defect in defects)


def device_meant(name: str) -> str:
    """Return the end of a message about a name that is no revision: which one was meant."""
    if ":" in name:
        return ""
    revision, *defects = name.split("+")
    if revision not in REVISIONS:
        return did_you_mean(revision, REVISIONS)
    return next((did_you_mean(one, DEFECTS) for one in defects if one not in DEFECTS), "")


def defective(device: str, defects: Iterable[str]) -> str:
    """Return the name of a device with planted defects.

    Raises:
        UsageError: there is no such defect.
    """
    names = tuple(defects)
    for name in names:
        check_defect(name)
    return "+".join((device, *names))


def device_class(name: str, load_file: LoadFile | None = None) -> type[VirtioBlk]:
    """Return the device class that the user named.

    Args:
        name: as in ``--device``.
        load_file: imports a Python file; a campaign passes one that instruments it.

    Raises:
        UsageError: there is no such revision, defect, module, file or class, the class is no
            subclass of VirtioBlk, or it has methods that cannot work.
    """
    place, colon, attribute = name.rpartition(":")
    attribute, *defects = attribute.split("+")
    if colon:
        if load_file is None:  # else the command that started this process has tried it
            _try_once(place, attribute, _version(place))
        device = _class_in(_module(place, load_file or import_file), attribute, name)
    elif (revision := current_name(attribute)) in REVISIONS:
        device = REVISIONS[revision]
    else:
        known = ", ".join(REVISIONS)
        raise UsageError(
            f"device {name}: expected {known}, package.module:Class or file.py:Class"
            f"{device_meant(name)}"
        )
    return with_defects(device, defects) if defects else device


def _class_in(module: ModuleType, attribute: str, name: str) -> type[VirtioBlk]:
    with blamed(f"device {name}: its module fails"):
        found = getattr(module, attribute, None)
    return checked(found, name, attribute)


@lru_cache(maxsize=64)
def checked(found: object, name: str, attribute: str) -> type[VirtioBlk]:
    """Return what a user gives as a device class; a class is looked at once.

    Args:
        found: the class.
        name: how the user names it.
        attribute: what it is called.

    Raises:
        UsageError: it is no subclass of VirtioBlk, or it has methods that cannot work.
    """
    if not (isinstance(found, type) and issubclass(found, VirtioBlk)):
        raise UsageError(f"device {name}: expected a subclass of VirtioBlk called {attribute}")
    check_class(found)
    watch_returns(found)
    return found


def _module(place: str, load_file: LoadFile) -> ModuleType:
    with (
        blamed(f"device {place}: its module fails"),
        _saying_on_stderr(),
        no_arguments(place),
        own_process(),
    ):
        pid, leave = os.getpid(), os._exit
        module = _loaded(place, load_file)
        if os.getpid() != pid:
            leave(0)  # a child that the module has forked: the verb runs in its parent
        note_import(place)
        return module


@lru_cache(maxsize=64)
def _try_once(place: str, attribute: str, version: int) -> None:
    """Import a module in a child; not twice, unless the file has another `version` by then."""
    if place not in sys.modules:
        try_import(f"device {place}", partial(_looked_at, place, attribute))


def _looked_at(place: str, attribute: str) -> bytes:
    getattr(_module(place, import_file), attribute, None)
    return b""


def _version(place: str) -> int:
    """Return the time of the last change of a file in ns; 0 if there is none."""
    try:
        return os.stat(place).st_mtime_ns
    except OSError:
        return 0


@contextmanager
def _saying_on_stderr() -> Iterator[None]:
    """What a module prints when it is imported is not what a verb has to say: nor by os.write."""
    ours = os.dup(1)
    try:
        os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(ours, 1)
        os.close(ours)


def _loaded(place: str, load_file: LoadFile) -> ModuleType:
    if not place.endswith(".py"):
        return _by_name(place)
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"device {place}: expected a Python file, found none")
    _make_importable(str(path.resolve().parent))
    return load_file(f"vblkfuzz_device_{path.stem}", path)


def _make_importable(folder: str) -> None:
    """Let a device import what lies beside it; last, so that it hides nothing of Python's."""
    if folder not in sys.path:
        sys.path.append(folder)


def _by_name(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(f"device {name}: no such module ({error.name})") from None


def import_file(name: str, path: Path) -> ModuleType:
    """Import a Python file as the module `name`."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
