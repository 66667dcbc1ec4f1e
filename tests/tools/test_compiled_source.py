"""What is compiled: the module as it is written, with probes, open classes and the same lines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT
from tools.compiled.modules import OPEN, compiled_files
from tools.compiled.source import source_to_compile, with_lines
from vblkfuzz.dataplane.defects.registry import DEFECTS
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.feedback.instrument import REGION

FILES = compiled_files(CHECKOUT / "vblkfuzz")
QUEUE = "vblkfuzz/virtio/device_queue.py"
SOURCE = '''"""A queue."""
from __future__ import annotations

class DeviceQueue:
    """Open."""

    def empty(self) -> bool:
        """Comes after a comment."""
        # It says why.
        if self.idle:
            return True
        return False

class Inner:
    pass
'''


def test_all_files_keep_their_code_and_lines() -> None:
    for file in FILES:
        module = f"vblkfuzz.{file.removesuffix('.py').replace('/', '.')}"
        source = (CHECKOUT / "vblkfuzz" / file).read_text()
        written, lines = source_to_compile(module, source)
        functions = {
            node.name: lines[node.lineno]
            for node in ast.walk(ast.parse(written))
            if isinstance(node, ast.ClassDef)
        }
        expected = {
            node.name: node.lineno
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ClassDef)
        }
        assert functions == expected, file


def test_probes_are_put_in_and_counted() -> None:
    written, _ = source_to_compile("vblkfuzz.virtio.device_queue", SOURCE)
    assert f"{REGION}: __typing__.Any = bytearray(2)" in written
    assert f"{REGION}[0] = 1" in written
    assert f"{REGION}[1] = 1" in written
    assert REGION not in source_to_compile("vblkfuzz.schedule.turnstile", SOURCE)[0]


def test_classes_that_others_derive_from_stay_open() -> None:
    written, _ = source_to_compile("vblkfuzz.virtio.device_queue", SOURCE)
    classes = {
        node.name: node for node in ast.parse(written).body if isinstance(node, ast.ClassDef)
    }
    assert len(classes["DeviceQueue"].decorator_list) == 1
    assert classes["Inner"].decorator_list == []


def test_errors_are_reported_in_lines_as_written() -> None:
    written, lines = source_to_compile("vblkfuzz.virtio.device_queue", SOURCE)
    at = written.splitlines().index("            return True") + 1
    code = f'CPy_AddTraceback("{QUEUE}", "empty", {at}, globals); f("{QUEUE}", 7);'
    mapped = with_lines(code, {QUEUE: lines})
    assert mapped == f'CPy_AddTraceback("{QUEUE}", "empty", 11, globals); f("{QUEUE}", 7);'


def test_every_compiled_class_below_which_there_is_python_is_open() -> None:
    """Also those between: mypyc would run the constructor of a closed one twice."""
    compiled = {f"vblkfuzz.{file.removesuffix('.py').replace('/', '.')}" for file in FILES}
    devices = [
        *REVISIONS.values(),
        *(part for defect in DEFECTS.values() for part in defect.mixins),
    ]
    below = {base for device in devices for base in device.__mro__ if base.__module__ in compiled}
    assert {base.__name__ for base in below} <= OPEN


def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file virtio/"):
        compiled_files(tmp_path)
