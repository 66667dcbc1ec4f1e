"""Source of the package in an exported file: the same text, and imports that are there once."""

from __future__ import annotations

import ast
from inspect import getsource
from pathlib import Path

import pytest

from vblkfuzz.export.python_source import Part, source_of, with_imports
from vblkfuzz.gate import line
from vblkfuzz.scenario import place

PROGRAM = '''\
"""What it does."""

from __future__ import annotations

import json
from pathlib import Path

print(json, Path, os, suppress)
'''


def test_all_of_a_module_is_there_but_its_imports() -> None:
    text = source_of([Part("vblkfuzz.gate.line")]).text
    assert text.startswith(
        f'# --- vblkfuzz.gate.line\n"""{ast.get_docstring(ast.parse(getsource(line)))}'
    )
    for one in (line.Line, line.line_in):
        assert f"\n\n\n{getsource(one)}" in text
    assert "import" not in text


def test_names_of_a_module() -> None:
    source = source_of([Part("vblkfuzz.scenario.place", ("MAX_NTH", "Place"))])
    assert f"\n\n\n{getsource(place.Place)}" in source.text
    nodes = ast.parse(source.text).body
    assert [type(node).__name__ for node in nodes] == ["AnnAssign", "Expr", "ClassDef"]


def test_decorators_are_there() -> None:
    text = source_of([Part("vblkfuzz.scenario.scenario", ("Deviation",))]).text
    assert "\n\n\n@dataclass(frozen=True, slots=True)\nclass Deviation:" in text


def test_imports_of_the_package_are_none_of_the_standard_library() -> None:
    imports = source_of([Part("vblkfuzz.gate.listener")]).imports
    assert {("fcntl", ""), ("struct", "Struct"), ("typing", "NamedTuple")} <= imports
    assert not [one for one in imports if one[0].startswith(("vblkfuzz", "__future__"))]


def test_one_name_of_two_modules_is_refused() -> None:
    parts = [Part("vblkfuzz.targets.activity.stillness"), Part("vblkfuzz.gate.threads")]
    with pytest.raises(
        ValueError, match=r"^Threads is defined in vblkfuzz.targets.activity.stillness and "
    ):
        source_of(parts)


def test_imports_are_added_in_order_and_once(tmp_path: Path) -> None:
    more = [("os", ""), ("json", ""), ("sys", ""), ("contextlib", "suppress"), ("pathlib", "Path")]
    text = with_imports(PROGRAM, more)
    assert text.splitlines()[2:9] == [
        "from __future__ import annotations",
        "",
        "import json",
        "import os",
        "from contextlib import suppress",
        "from pathlib import Path",
        "",
    ]
    assert with_imports(text, more) == text
