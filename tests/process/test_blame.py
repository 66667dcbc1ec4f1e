"""Whose doing an exception is, and the name that the device's bugs get."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.process.blame import Place, fault_at, fault_of
from vblkfuzz.process.own_code import OwnCode
from vblkfuzz.targets.device_class import device_class
from vblkfuzz.trace.fault import Fault

DEVICE = """
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

class Device(VirtioBlk):
    def first(self):
        assert self is None, "one"

    def second(self, which):
        if which == 0:
            assert self is None
        if which == 1:
            assert self is None
        assert not self, which
"""
HELPER = "def fail():\n    raise LookupError('in a helper')\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def fault(folder: Path, act: Callable[[VirtioBlk], object], text: str = DEVICE) -> Fault | None:
    """Do something to the device of a file; return what it is blamed for."""
    path = folder / "device.py"
    path.write_text(text)
    device = device_class(f"{path}:Device")
    try:
        act(device.__new__(device))
    except BaseException as error:
        assert error.__traceback__ is not None and error.__traceback__.tb_next is not None
        below = error.__traceback__.tb_next.tb_next  # this function and `act` are no device
        return fault_of(error.with_traceback(below), OwnCode(device))
    raise AssertionError("nothing was raised")


def call(name: str, *arguments: object) -> Callable[[VirtioBlk], object]:
    return lambda device: getattr(device, name)(*arguments)


def test_it_says_what_and_where(folder: Path) -> None:
    found = fault(folder, call("first"))
    assert found is not None
    assert found[1:7] == (
        *("AssertionError", "one", "Device.first", "device.py", 6),
        'assert self is None, "one"',
    )
    assert found.name.startswith("AssertionError-Device.first-")
    assert Fault.from_line(found.to_line()) == found


def test_a_name_survives_edits_elsewhere(folder: Path) -> None:
    before = fault(folder, call("first"))
    moved = DEVICE.replace("class Device", "\n\n# new\nclass Device").replace(
        "which == 0", "which == 9"
    )
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    after = fault(elsewhere, call("first"), moved)
    assert before and after and before.name == after.name and before.line != after.line


def test_each_assertion_of_a_function_has_a_name(folder: Path) -> None:
    """Two of them have the same text."""
    found = [fault(folder, call("second", which)) for which in range(3)]
    assert len({each.name for each in found if each}) == 3


def test_a_message_is_no_part_of_the_name(folder: Path) -> None:
    found = [fault(folder, call("second", which)) for which in (2, 3)]
    assert len({each.message for each in found if each}) == 2
    assert len({each.name for each in found if each}) == 1


def test_what_lies_beside_the_device_is_its_own(folder: Path) -> None:
    (folder / "beside_it.py").write_text(HELPER)
    found = fault(folder, lambda _: importlib.import_module("beside_it").fail())
    assert found and found.where == "fail (beside_it.py, line 2)"


def test_an_installed_package_is_not(folder: Path) -> None:
    """Also where an environment lies in the device's folder."""
    packages = folder / "venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_one.py").write_text(HELPER)
    sys.path.insert(0, str(packages))
    try:
        assert fault(folder, lambda _: importlib.import_module("installed_one").fail()) is None
    finally:
        sys.path.remove(str(packages))


def test_ours_and_pythons_is_not(folder: Path) -> None:
    assert fault(folder, call("look_again", None)) is None
    assert fault(folder, lambda _: importlib.import_module("no_such_module_at_all")) is None


@pytest.mark.parametrize("name", [*REVISIONS, "reference+no_selfkick"])
def test_a_built_in_device_has_no_code_of_its_own(name: str) -> None:
    assert not OwnCode(device_class(name))


def test_a_planted_defect_does_not_hide_the_device(folder: Path) -> None:
    path = folder / "device.py"
    path.write_text(DEVICE)
    assert OwnCode(device_class(f"{path}:Device+no_selfkick"))


def test_without_a_source_the_line_counts_from_the_function() -> None:
    found = [fault_at(Place("<no file>", "f", first, first + 2), -11) for first in (10, 50)]
    assert len({each.name for each in found}) == 1
    assert found[0].name != fault_at(Place("<no file>", "f", 10, 13), -11).name
    assert found[0].what == "SIGSEGV"
    assert fault_at(Place("<no file>", "f", 10, 13), -250).what == "signal 250"


def test_a_generator_of_the_device_that_asks_an_empty_iterator(folder: Path) -> None:
    """Python replaces its StopIteration where nothing of the device is left on the stack."""
    method = "    def third(self):\n        next(iter(()))\n        yield\n"
    found = fault(folder, lambda device: list(call("third")(device)), DEVICE + method)  # type: ignore[call-overload]
    assert found is not None
    assert (found.what, found.where) == ("StopIteration", "Device.third (device.py, line 15)")
