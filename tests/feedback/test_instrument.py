"""Probes: which blocks they mark, and that they change nothing else."""

from __future__ import annotations

import py_compile
import subprocess
import sys
import textwrap
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.pure_build import on_pure_build
from vblkfuzz.feedback.instrument import REGION, compile_with_probes, instrument

BLOCKS = '''
"""The module."""
from __future__ import annotations

def choose(x):
    """Stay first."""
    if x == 0:
        return "if"
    for n in range(x - 1):
        if n > 5:
            break
    else:
        x = -x
    while x > 3:
        x -= 1
    try:
        1 / (x + 1)
    except ZeroDivisionError:
        return "except"
    else:
        x += 0
    with open("/dev/null"):
        match x:
            case -2:
                return "two"
            case _:
                return "other"

class K:
    """A class."""
    def __private(self):
        return "mangled"
    def call(self):
        return self.__private()
'''


def load(source: str, first: int = 0) -> tuple[dict[str, Any], set[int]]:
    """Run a module with probes; return its names, and the set that collects the probes passed."""
    passed: set[int] = set()

    class Region:
        def __setitem__(self, number: int, value: int) -> None:
            assert value == 1
            passed.add(number)

    code, _ = compile_with_probes(source.encode(), "m.py", first)
    names: dict[str, Any] = {REGION: Region(), "__name__": "m"}
    exec(code, names)
    return names, passed


def test_every_kind_of_block_has_its_own_probe() -> None:
    names, passed = load(BLOCKS)
    ways = []
    for x in (0, 1, 2, 3, 9):
        passed.clear()
        names["choose"](x)
        ways.append(frozenset(passed))
    assert len(set(ways)) == len(ways)
    assert names["K"]().call() == "mangled"


def test_the_branch_not_taken_is_a_block() -> None:
    names, passed = load("def f(x):\n    if x:\n        return 1\n    return 0\n")
    names["f"](1)
    taken = set(passed)
    passed.clear()
    names["f"](0)
    assert passed - taken


def test_probes_come_after_docstrings() -> None:
    names, _ = load(BLOCKS)
    assert names["choose"].__doc__ == "Stay first."
    assert names["K"].__doc__ == "A class."


def test_results_are_the_same() -> None:
    names, _ = load(BLOCKS)
    plain: dict[str, Any] = {"__name__": "m"}
    exec(compile(BLOCKS, "m.py", "exec", dont_inherit=True), plain)
    for x in range(-3, 12):
        assert names["choose"](x) == plain["choose"](x)


def test_numbers_continue_from_module_to_module() -> None:
    _, following = compile_with_probes(BLOCKS.encode(), "m.py", 0)
    _, last = compile_with_probes(BLOCKS.encode(), "m.py", following)
    assert last == 2 * following > 0


def test_instrumenting_after_the_import_is_an_error() -> None:
    import vblkfuzz.dataplane.virtio_blk  # noqa: F401  # the test needs the import only

    with pytest.raises(RuntimeError, match=r"vblkfuzz\.dataplane"):
        instrument("patch-v4")


SAME_DIGESTS = """
    from random import Random
    import sys
    finder = None
    if sys.argv[1] == "probes":
        from vblkfuzz.feedback.instrument import instrument
        finder = instrument("patch-v4")
    from vblkfuzz.scenario.codec import decode
    from vblkfuzz.mutation.mutate import Mutator
    from vblkfuzz.targets.model import model
    if finder:
        region = bytearray(8192)
    mutator, data = Mutator(7), b""
    with model("patch-v4", "inline") as target:
        if finder:
            finder.connect(region)
        for _ in range(300):
            data = mutator.mutate(data, 552)
            print(target.run(decode(data)).digest)
    if finder:
        print(finder.next, sum(region), len(finder.modules), file=sys.stderr)
"""


def digests(how: str) -> tuple[str, str]:
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SAME_DIGESTS), how],
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout, ended.stderr


def test_probes_do_not_change_an_execution() -> None:
    plain, _ = digests("plain")
    probed, marks = digests("probes")
    assert len(plain.splitlines()) == 300
    assert probed == plain
    probes, marked, modules = map(int, marks.split())
    assert probes > marked > 100
    assert modules > 10
    assert digests("probes") == (probed, marks), "numbers are the same each time"


def test_a_device_file_is_instrumented(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from vblkfuzz.dataplane.virtio_blk import VirtioBlk\n"
        "class Mine(VirtioBlk):\n"
        "    def mark(self):\n"
        "        return 5\n"
    )
    script = f"""
        from pathlib import Path
        from vblkfuzz.feedback.instrument import instrument
        finder = instrument("x.py:Mine")
        module = finder.load_file("mine", Path({str(path)!r}))
        region = bytearray(8192)
        finder.connect(region)
        assert module.Mine.mark(None) == 5
        assert sum(region) == 1
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


SOURCELESS = """
    import sys
    from vblkfuzz.feedback.instrument import instrument
    finder = instrument("mine.device:Mine")
    assert finder.blind_spots == "no coverage at all of guest and device: no source code"
    import vblkfuzz.virtio.request.blk
    assert finder.blind_spots == ""
    sys.path.insert(0, ".")
    import mine.device
    print(finder.blind_spots)
"""


@on_pure_build("its modules have probes without a source")
@pytest.mark.parametrize(
    ("kept", "said"),
    [(".py", ""), (".pyc", "no coverage of mine.device: no source code")],
)
def test_modules_without_source_are_told(tmp_path: Path, kept: str, said: str) -> None:
    """As in a bundle that PyInstaller made without our hook."""
    source = tmp_path / "mine" / "device.py"
    source.parent.mkdir()
    source.write_text("def mark():\n    return 5\n")
    py_compile.compile(str(source), cfile=f"{source}c", doraise=True)
    source.with_suffix({".py": ".pyc", ".pyc": ".py"}[kept]).unlink()
    script = textwrap.dedent(SOURCELESS)
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout == f"{said}\n"


def test_random_programs_run_alike() -> None:
    """Random nested branches give the same results with and without probes."""
    for seed in range(30):
        random = Random(seed)
        source = "def f(x):\n" + _branches(random, 1, 4) + "    return x\n"
        names, _ = load(source)
        plain: dict[str, Any] = {}
        exec(source, plain)
        assert [names["f"](x) for x in range(8)] == [plain["f"](x) for x in range(8)]


def _branches(random: Random, depth: int, more: int) -> str:
    pad = "    " * depth
    lines = f"{pad}x = x * 3 + {random.randrange(9)}\n"
    if more:
        lines += f"{pad}if x % 2:\n{_branches(random, depth + 1, more - 1)}"
        if random.random() < 0.5:
            lines += f"{pad}else:\n{_branches(random, depth + 1, more - 1)}"
    if more > 1:
        lines += f"{pad}for _ in range(2):\n{_branches(random, depth + 1, more - 2)}"
    return lines
