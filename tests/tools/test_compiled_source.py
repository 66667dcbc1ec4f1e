"""What is compiled: the module as it is written, with probes, open classes and the same lines."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.checkout import CHECKOUT
from tools.compiled.modules import OPEN, compiled_files
from tools.compiled.primitives import with_primitives
from tools.compiled.source import source_to_compile, with_lines
from vblkfuzz.dataplane.thread import NO_STEPS, Thread, causal
from vblkfuzz.feedback.instrument import REGION
from vblkfuzz.trace.event import ActorId, Frame

FILES = compiled_files(CHECKOUT / "vblkfuzz")
QUEUE = "vblkfuzz/virtio/split/device_queue.py"
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
    written, _ = source_to_compile("vblkfuzz.virtio.split.device_queue", SOURCE)
    assert f"{REGION}: __typing__.Any = bytearray(2)" in written
    assert "__mark__(0)" in written
    assert "__mark__(1)" in written
    assert f"{REGION}[" not in written
    assert REGION not in source_to_compile("vblkfuzz.schedule.turnstile", SOURCE)[0]


def test_classes_that_others_derive_from_stay_open() -> None:
    written, _ = source_to_compile("vblkfuzz.virtio.split.device_queue", SOURCE)
    classes = {
        node.name: node for node in ast.parse(written).body if isinstance(node, ast.ClassDef)
    }
    assert len(classes["DeviceQueue"].decorator_list) == 1
    assert classes["Inner"].decorator_list == []


def test_errors_are_reported_in_lines_as_written() -> None:
    written, lines = source_to_compile("vblkfuzz.virtio.split.device_queue", SOURCE)
    at = written.splitlines().index("            return True") + 1
    code = f'CPy_AddTraceback("{QUEUE}", "empty", {at}, globals); f("{QUEUE}", 7);'
    mapped = with_lines(code, {QUEUE: lines})
    assert mapped == f'CPy_AddTraceback("{QUEUE}", "empty", 11, globals); f("{QUEUE}", 7);'


def classes_of(module: str) -> list[type]:
    """Return the classes that a module defines; none if it needs a library that is not here."""
    try:
        names = vars(importlib.import_module(module))
    except ModuleNotFoundError as missing:
        assert not (missing.name or "").startswith("vblkfuzz")
        return []
    return [each for each in names.values() if getattr(each, "__module__", "") == module]


def test_every_compiled_class_below_which_there_is_python_is_open() -> None:
    """Also those between: mypyc would run the constructor of a closed one twice."""
    compiled = {f"vblkfuzz.{file.removesuffix('.py').replace('/', '.')}" for file in FILES}
    modules = {
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")
        for path in (CHECKOUT / "vblkfuzz").rglob("*.py")
        if path.stem != "__main__"
    }
    python = [each for module in sorted(modules - compiled) for each in classes_of(module)]
    below = {base for kind in python for base in getattr(kind, "__mro__", ())}
    assert {base.__name__ for base in below if base.__module__ in compiled} <= OPEN


def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file virtio/"):
        compiled_files(tmp_path)


def test_a_constant_is_final_and_an_alias_of_a_type_is_not() -> None:
    lines = source_to_compile(
        "vblkfuzz.schedule.turnstile",
        '''"""Constants."""
U16 = 0xFFFF
SIZE, _ = range(2)
_IN, _OUT = RequestType
_parse = partial(int)
Wait = Callable[[], bool]
_P = ParamSpec("_P")
AGAIN = 1
AGAIN = 2
''',
    )[0].splitlines()
    final = "__typing__.Final"
    assert f"U16: {final} = 65535" in lines
    assert f"SIZE: {final} = 0" in lines
    assert any(line.endswith(f": {final} = tuple(RequestType)") for line in lines)
    assert any(line.startswith(f"_OUT: {final} = ") and line.endswith("[1]") for line in lines)
    assert f"_parse: {final} = partial(int)" in lines
    assert {"Wait = Callable[[], bool]", "_P = ParamSpec('_P')", "AGAIN = 1"} <= set(lines)


STATION = '''"""A station."""
class Device:
    @causal(Frame.RESET)
    def reset(self, thread, port, *_, system=False):
        """Reset."""
        yield thread.path
        if port:
            return
        yield thread.path
'''


@pytest.mark.parametrize("path", [0, 5, 1 << 56, (1 << 64) - 1])
@pytest.mark.parametrize("port", [False, True])
def test_a_station_does_what_its_wrapper_does(path: int, port: bool) -> None:
    written, _ = source_to_compile("vblkfuzz.schedule.turnstile", STATION)
    found = []
    for source in (STATION, written):
        names: dict[str, Any] = {"causal": causal, "Frame": Frame}
        exec(source, names)
        walker = Thread(ActorId.VCPU, bool, lambda _: NO_STEPS)
        walker.path = path
        steps = list(names["Device"]().reset(walker, port, 1, system=True))
        found.append((steps, walker.path, walker.nesting))
    assert found[0] == found[1]
    assert "causal" not in written


def test_a_named_tuple_with_all_its_fields_is_made_in_c() -> None:
    written, _ = source_to_compile(
        "vblkfuzz.oracle.x",
        '''"""Rows."""
from vblkfuzz.virtio.chain import Chain as Buffers
from vblkfuzz.scenario.scenario import Scenario

_new = tuple.__new__

class Own(NamedTuple):
    a: int
    b: int = 0

def f(x):
    Own(1, 2), Own(1, x), Own(1), Own(1, b=2), Own(*x)
    Buffers(1, (), ()), Buffers(x, (), ()), Scenario(1, 2, 3), _new(Own, x)
''',
    )
    own, buffers = "__kind_Own__", "__kind_Buffers__"
    assert written.splitlines()[-2:] == [
        f"    (__row__({own}, (1, 2)), __become__({own}, (1, x)), Own(1), Own(1, b=2), Own(*x))",
        f"    (__row__({buffers}, (1, (), ())), __become__({buffers}, (x, (), ())), "
        f"Scenario(1, 2, 3), __row__({own}, x))",
    ]
    lines = written.splitlines()
    assert lines.index(f"{buffers}: __typing__.Final = Buffers") < lines.index(
        "class Own(NamedTuple):"
    )
    assert f"{own}: __typing__.Final = Own" in lines


def test_a_unary_plus_is_left_out() -> None:
    assert "f(kind)" in source_to_compile("vblkfuzz.trace.ring", '"""F."""\nf(+kind)\n')[0]


def test_our_code_in_c_comes_after_the_headers() -> None:
    code = '#include "__native_v.h"\n#include "__native_internal_v.h"\nstatic int one;\n'
    headers, own = code.split("static")
    written = with_primitives(code)
    assert written.startswith(f"{headers}/* What compiled code does in C")
    assert written.endswith(f"static{own}")
    assert "VBLKFUZZ_COLD(CPy_AddTraceback);" in written
    with pytest.raises(ValueError, match="__native_internal"):
        with_primitives("int one;\n")
