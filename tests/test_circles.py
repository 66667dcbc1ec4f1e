"""No module of the package imports itself by way of others, imports for types alone included.

A circle makes the order of imports matter, and none of its modules can be read before the others.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from tests.unused import checkout_tree, modules_in


def imports_of(name: str, modules: Mapping[str, str]) -> set[str]:
    """Return the modules that a module imports anywhere, its own packages left out."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(modules[name])):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & modules.keys()
            named |= submodules or {str(node.module)}
    return {one for one in named & modules.keys() if not name.startswith(f"{one}.")}


def circle(modules: Mapping[str, str]) -> str:
    """Return a circle, each module before one that imports it; empty: there is none."""
    try:
        TopologicalSorter({name: imports_of(name, modules) for name in modules}).prepare()
    except CycleError as error:
        return " < ".join(error.args[1])
    return ""


def test_there_is_none() -> None:
    found = circle(modules_in(checkout_tree(), "vblkfuzz"))
    assert not found, f"{found}: expected what both ends need in a file of its own"


def test_one_is_named() -> None:
    modules = {
        "a": "",
        "a.one": "from a.two import x",
        "a.two": "if TYPE_CHECKING:\n    from a import three",
        "a.three": "def late():\n    import a.one",
    }
    assert set(circle(modules).split(" < ")) == {"a.one", "a.two", "a.three"}
    assert circle({**modules, "a.three": "import a"}) == ""
