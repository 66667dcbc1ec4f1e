"""Limits of form that ruff does not know, as ordinary tests.

They look at the checkout this file lies in, also when the package under test is installed.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT, linked_paths, project_files

CODE_FOLDERS = ("vblkfuzz", "fuzz", "examples", "tools", "tests")

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
MAX_ARCHITECTURE_WORDS = 600
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
# Split so that this file passes its own test.
PROMISE = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
SOMEONES_MACHINE = re.compile(
    r"(?<![\w.~-])/(?:home|Users|root|work|farm|mnt)/[\w.]|\b[A-Z]:\\" + r"Users\b"
)


FILES = project_files()
SOURCES = [
    path
    for path in FILES
    if path.suffix == ".py" and path.relative_to(CHECKOUT).parts[0] in CODE_FOLDERS
]
PAGES = [path for path in FILES if path.suffix == ".md"]
PACKAGE = [path for path in SOURCES if path.relative_to(CHECKOUT).parts[0] == "vblkfuzz"]


def name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def long_functions(source: str) -> list[str]:
    found = []
    for node in functions(ast.parse(source)):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            found.append(f"{node.name}: {lines} lines")
    return found


def broken_links(page: Path) -> list[str]:
    return [path for path in linked_paths(page.read_text()) if not (page.parent / path).exists()]


def test_there_is_something_to_check() -> None:
    assert len(PACKAGE) >= 8
    assert Path(__file__).resolve() in SOURCES


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_functions_are_short(path: Path) -> None:
    assert long_functions(path.read_text()) == []


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_modules_say_what_they_are(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_every_room_is_a_package() -> None:
    """Import-linter and mypy see folders with an __init__.py only."""
    rooms = {path.parent for path in PACKAGE}
    assert [name(room) for room in sorted(rooms) if not (room / "__init__.py").exists()] == []


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_names_say_what_is_inside(path: Path) -> None:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    assert SAYS_NOTHING.isdisjoint(part.removeprefix("test_") for part in parts)


@pytest.mark.parametrize("path", SOURCES + PAGES, ids=name)
def test_no_promises(path: Path) -> None:
    assert PROMISE.findall(path.read_text()) == []


@pytest.mark.parametrize("path", SOURCES + PAGES, ids=name)
def test_no_path_of_someones_machine(path: Path) -> None:
    assert SOMEONES_MACHINE.findall(path.read_text()) == []


def test_architecture_stays_readable() -> None:
    page = CHECKOUT / "ARCHITECTURE.md"
    assert not page.exists() or len(page.read_text().split()) < MAX_ARCHITECTURE_WORDS


def test_architecture_draws_the_layers_of_the_contract() -> None:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = [room for layer in layers for room in re.findall(r"\w+", layer)]
    built = {path.relative_to(CHECKOUT / "vblkfuzz").parts[0] for path in PACKAGE}
    built = {part.removesuffix(".py") for part in built} - {"__init__", "__main__"}
    page = (CHECKOUT / "ARCHITECTURE.md").read_text()
    drawing = page.partition("each other:\n\n")[2].partition("\n\n")[0]
    drawn = [
        room
        for line in drawing.splitlines()
        for room in line.strip().partition("  ")[0].split(" | ")
    ]
    assert drawn == [room for room in rooms if room in built]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_the_checks_can_fail(tmp_path: Path) -> None:
    body = "    pass\n" * MAX_FUNCTION_LINES
    assert long_functions(f"def long():\n{body}") == [f"long: {MAX_FUNCTION_LINES + 1} lines"]
    assert PROMISE.search("# TO" + "DO later")
    assert SOMEONES_MACHINE.search("see /ho" + "me/me/x")
    page = tmp_path / "page.md"
    page.write_text("[a](gone.md#part) [b](page.md) [c](https://x.example) `[d](no.md)`")
    assert broken_links(page) == ["gone.md"]
