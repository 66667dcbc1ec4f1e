"""Nothing in the checkout is dead: each check on the checkout, and on a tree with a dead file."""

from __future__ import annotations

import pytest

from tests.unused import CHECKS, EXPECTED, Tree, checkout_tree

PYPROJECT = """
[project.scripts]
tool = "vblkfuzz.cli:main"
[tool.pytest]
vblk_corpus = "corpus/ini"
"""
COMMAND_LINE = """
import vblkfuzz.named
from vblkfuzz import a
def main():
    a, PATH
"""
PROGRAM = '''"""Run by ``python -m vblkfuzz.program``."""
if __name__ == "__main__":
    pass
'''
KINDS = """
_ROWS: dict = {}
POP: Final = kind(1)
PUSH: Final = kind(2)
END: Final = kind(3)
"""
DEVICE = """
class DeviceConfig:
    queues: int = 1
    polling: bool = False
"""
MACHINE = """
from vblkfuzz.trace import kinds
from vblkfuzz.trace.kinds import POP
import vblkfuzz.trace.vhost_kinds
from vblkfuzz.trace.schedule_kinds import HELD
def run(self):
    emit(POP if self._config.queues else 0)
    emit(HELD)
    self.emit(kind=kinds.PUSH, value=scenario.device.polling)
"""
USED: Tree = {
    "README.md": "[a](docs/a.md) [b](docs/why/) `pytest tests/soak/long.py`",
    "docs/a.md": "[c](c.md#part)",
    "docs/c.md": "[back](a.md)",
    "docs/why/0001.md": "",
    "pyproject.toml": PYPROJECT,
    "vblkfuzz/__init__.py": "",
    "vblkfuzz/py.typed": "",
    "vblkfuzz/page.jinja": "",
    "vblkfuzz/cli/__init__.py": COMMAND_LINE,
    "vblkfuzz/cli/verbs/__init__.py": "",
    "vblkfuzz/cli/verbs/run.py": "VERB = 1",
    "vblkfuzz/named.py": 'NAMES = ["vblkfuzz.late:made", "page.jinja"]',
    "vblkfuzz/late.py": "def made():\n    pass\ndef _private():\n    pass",
    "vblkfuzz/a.py": "",
    "vblkfuzz/program.py": PROGRAM,
    "vblkfuzz/oracle/__init__.py": "",
    "vblkfuzz/oracle/rules/__init__.py": "",
    "vblkfuzz/oracle/rules/s1.py": "@rule(id)\ndef _s1(): pass",
    "vblkfuzz/trace/__init__.py": "",
    "vblkfuzz/trace/kinds.py": KINDS,
    "vblkfuzz/trace/schedule_kinds.py": "HELD: Final = kind(5)",
    "vblkfuzz/trace/vhost_kinds.py": "",
    "vblkfuzz/scenario/__init__.py": "",
    "vblkfuzz/scenario/device.py": DEVICE,
    "vblkfuzz/dataplane/__init__.py": "",
    "vblkfuzz/dataplane/machine.py": MACHINE,
    "fuzz/fuzz_x.py": (
        "from vblkfuzz.for_fuzz import one\n"
        "from vblkfuzz.trace.kinds import END\n"
        "import vblkfuzz.dataplane.machine, vblkfuzz.scenario.device\n"
        "one.emit(END), DeviceConfig, run\n"
    ),
    "vblkfuzz/for_fuzz.py": "def one(): pass",
    "tools/measure.py": "",
    "tox.ini": "python {tox_root}{/}tools{/}measure.py",
    "tests/conftest.py": "from vblkfuzz.cli import main\nfrom tests.support import x",
    "tests/support.py": 'PATH = ROOT / "corpus" / "start" / name',
    "tests/test_x.py": 'run("started.py")',
    "tests/started.py": "",
    "tests/soak/long.py": "",
    "corpus/start/x.toml": "",
    "corpus/ini/y/scenario.toml": "",
}


@pytest.mark.parametrize("what", CHECKS)
def test_the_checkout_has_none(what: str) -> None:
    unused = CHECKS[what](checkout_tree())
    assert not unused, f"unused {what}: {', '.join(unused)}: expected that {EXPECTED[what]}"


@pytest.mark.parametrize("what", CHECKS)
def test_what_is_used_is_not_reported(what: str) -> None:
    assert CHECKS[what](USED) == []


@pytest.mark.parametrize(
    ("what", "path", "text", "reported"),
    [
        ("modules", "vblkfuzz/new.py", "import vblkfuzz.named", "vblkfuzz.new"),
        (
            "modules",
            "vblkfuzz/new.py",
            '"""Of vblkfuzz.new."""\nimport vblkfuzz.new',
            "vblkfuzz.new",
        ),
        ("modules", "vblkfuzz/new.py", 'if __name__ == "__main__":\n    pass', "vblkfuzz.new"),
        ("modules", "vblkfuzz/cli/verbs/new.py", "def new(): pass", "vblkfuzz.cli.verbs.new"),
        ("modules", "vblkfuzz/oracle/rules/new.py", "VERB = 1", "vblkfuzz.oracle.rules.new"),
        ("modules", "vblkfuzz/room/__init__.py", "", "vblkfuzz.room"),
        ("package data", "vblkfuzz/new.jinja", "", "vblkfuzz/new.jinja"),
        ("names", "vblkfuzz/a.py", "def new(): pass", "vblkfuzz.a.new"),
        ("names", "vblkfuzz/a.py", '"""new"""\nclass new: pass', "vblkfuzz.a.new"),
        (
            "event kinds",
            "vblkfuzz/trace/kinds.py",
            f"{KINDS}NEW: Final = kind(4)",
            "vblkfuzz/trace/kinds.py: NEW",
        ),
        (
            "event kinds",
            "vblkfuzz/trace/schedule_kinds.py",
            "HELD: Final = kind(5)\nNEW: Final = kind(6)",
            "vblkfuzz/trace/schedule_kinds.py: NEW",
        ),
        (
            "device fields",
            "vblkfuzz/scenario/device.py",
            f"{DEVICE}    new: bool = False",
            "vblkfuzz/scenario/device.py: new",
        ),
        ("test support", "tests/new.py", "from tests.support import x", "tests.new"),
        ("test support", "tests/soak/new.py", "", "tests.soak.new"),
        ("tools", "tools/new.py", "", "tools/new.py"),
        ("pages", "docs/new.md", "[a](a.md)", "docs/new.md"),
        ("pages", "docs/why/more/new.md", "", "docs/why/more/new.md"),
        ("pages", "docs/new.png", "", "docs/new.png"),
        ("inputs", "corpus/new/x.toml", "", "new"),
    ],
)
def test_what_is_unused_is_reported(what: str, path: str, text: str, reported: str) -> None:
    assert CHECKS[what]({**USED, path: text}) == [reported]


def test_modules_that_only_know_each_other_are_reported() -> None:
    pair = {"vblkfuzz/x.py": "import vblkfuzz.y", "vblkfuzz/y.py": "import vblkfuzz.x"}
    assert CHECKS["modules"]({**USED, **pair}) == ["vblkfuzz.x", "vblkfuzz.y"]


def test_a_module_that_only_tests_import_is_reported() -> None:
    tree = {**USED, "vblkfuzz/new.py": "", "tests/test_new.py": "import vblkfuzz.new"}
    assert CHECKS["modules"](tree) == ["vblkfuzz.new"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("vblkfuzz/dataplane/x.py", "from vblkfuzz.trace.kinds import NEW\nevent.kind == NEW"),
        ("vblkfuzz/dataplane/x.py", "from vblkfuzz.other import NEW\nemit(NEW)"),
        ("vblkfuzz/oracle/rules/x.py", "from vblkfuzz.trace.kinds import NEW\nemit(NEW)"),
    ],
)
def test_what_only_reads_an_event_kind_does_not_emit_it(path: str, text: str) -> None:
    tree = {**USED, "vblkfuzz/trace/kinds.py": f"{KINDS}NEW: Final = kind(4)", path: text}
    assert len(CHECKS["event kinds"](tree)) == 1


def test_a_field_of_another_object_is_no_device_field() -> None:
    fields = f"{DEVICE}    new: bool = False"
    tree = {**USED, "vblkfuzz/scenario/device.py": fields, "vblkfuzz/driver/x.py": "self.x.new"}
    assert len(CHECKS["device fields"](tree)) == 1
