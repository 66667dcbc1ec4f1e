"""What a checkout holds and nothing reaches: modules, names, rows, test support, pages, inputs.

Each function takes a `Tree` and returns what is unused, so that it can be tried on a made-up one.
Code is read, not run: a module is reached if a reached one imports it or names it in a string, a
docstring excepted.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Final

from tests.checkout import CHECKOUT, linked_paths, project_files

Tree = Mapping[str, str]
"""Text of each file by its path in the checkout; of files that are neither code nor page, empty."""

READ: Final = (".py", ".md", ".toml", ".ini")
FOUND_BY_BEING_THERE: Final = {
    "vblkfuzz.dataplane.defects.": re.compile(r"^FAMILY\b", re.MULTILINE),
    "vblkfuzz.cli.verbs.": re.compile(r"^VERB\b", re.MULTILINE),
    "vblkfuzz.feedback.hook-": re.compile(r"^module_collection_mode\b", re.MULTILINE),
    "vblkfuzz.oracle.rules.": re.compile(r"^@rule\b", re.MULTILINE),
}
"""Rooms whose files are found by name, and what makes a file there one of those."""
KINDS: Final = tuple(
    f"vblkfuzz/trace/{name}.py" for name in ("kinds", "schedule_kinds", "vhost_kinds")
)
DEVICE: Final = "vblkfuzz/scenario/device.py"
DEVICE_ROOMS: Final = ("dataplane", "driver", "process", "targets")
"""Rooms that make a device, or what serves it, of a DeviceConfig."""
PROGRAM: Final = re.compile(r'^if __name__ == "__main__":', re.MULTILINE)
MARKERS: Final = {"py.typed"}
"""Files that say something by being there; type checkers look for this one."""
DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+")
WORD: Final = re.compile(r"\w+")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def checkout_tree() -> Tree:
    """Return the checkout."""
    return {
        path.relative_to(CHECKOUT).as_posix(): path.read_text() if path.suffix in READ else ""
        for path in project_files()
    }


def unused_modules(tree: Tree) -> list[str]:
    """Return the modules of the package that no entry point leads to, fuzz targets included."""
    modules = modules_in(tree, "vblkfuzz")
    roots = {"vblkfuzz", "vblkfuzz.__main__", *entry_points(tree["pyproject.toml"])}
    for text in modules_in(tree, "fuzz").values():
        roots |= named_in(text)
    roots |= {name for name, text in modules.items() if is_found_by_being_there(name, text)}
    roots |= {name for name, text in modules.items() if is_a_program(name, text)}
    return sorted(modules.keys() - reached(modules, roots))


def is_found_by_being_there(name: str, text: str) -> bool:
    marks = [mark for room, mark in FOUND_BY_BEING_THERE.items() if name.startswith(room)]
    return any(mark.search(text) for mark in marks)


def is_a_program(name: str, text: str) -> bool:
    """Whether a module is started by ``python -m``, and says so."""
    return bool(PROGRAM.search(text)) and f"python -m {name}" in text


def unused_package_data(tree: Tree) -> list[str]:
    """Return the files of the package that are no code and that no code names."""
    texts = modules_in(tree, "vblkfuzz").values()
    named = {string for text in texts for string in strings_in(ast.parse(text))}
    data = [PurePosixPath(path) for path in tree if path.startswith("vblkfuzz/")]
    kept = MARKERS | named
    return [str(path) for path in data if path.suffix != ".py" and path.name not in kept]


def unused_names(tree: Tree) -> list[str]:
    """Return public functions and classes of modules that no code names, tests included.

    Methods and attributes are left out: many are called by names that are put together.
    """
    used: set[str] = set()
    for top in ("vblkfuzz", "fuzz", "examples", "tests"):
        for text in modules_in(tree, top).values():
            used |= words_of(text)
    return [
        f"{module}.{node.name}"
        for module, text in modules_in(tree, "vblkfuzz").items()
        for node in ast.parse(text).body
        if isinstance(node, Definition) and not is_private_or_hook(node.name)
        if node.name not in used
    ]


def is_private_or_hook(name: str) -> bool:
    return name.startswith(("_", "pytest_"))


def unused_test_support(tree: Tree) -> list[str]:
    """Return the modules of tests/ that no test imports or starts as a program.

    What a page or a tox environment names is run by hand, or at night.
    """
    modules = modules_in(tree, "tests")
    by_hand = "\n".join(text for path, text in tree.items() if path.endswith((".md", ".ini")))
    started = {string for text in modules.values() for string in strings_in(ast.parse(text))}
    roots = set()
    for name in modules:
        file = name.rpartition(".")[2]
        collected = file.startswith("test_") or file == "conftest"
        run = name in by_hand or path_below_tests(name) in by_hand or f"{file}.py" in started
        if collected or run:
            roots.add(name)
    return sorted(modules.keys() - reached(modules, roots))


def unused_tools(tree: Tree) -> list[str]:
    """Return the programs of tools/ that no page and no tox environment names."""
    by_hand = "\n".join(text for path, text in tree.items() if path.endswith((".md", ".ini")))
    tools = [path for path in tree if path.startswith("tools/")]
    # As tox.ini writes a path: with {/} for a slash.
    return [path for path in tools if path not in by_hand.replace("{/}", "/")]


def path_below_tests(module: str) -> str:
    """Return the path of a test module as tox environments name it; at the top, all of it."""
    path = f"{module.replace('.', '/')}.py"
    return path.removeprefix("tests/") if path.count("/") > 1 else path


def unlinked_pages(tree: Tree) -> list[str]:
    """Return the files of docs/ that one does not come to from the pages at the top."""
    seen: set[str] = set()
    waiting = [path for path in tree if "/" not in path and path.endswith(".md")]
    while waiting:
        page = waiting.pop()
        if page not in seen:
            seen.add(page)
            waiting += linked_files(tree, page)
    return sorted(path for path in tree if path.startswith("docs/") and path not in seen)


def linked_files(tree: Tree, page: str) -> Iterator[str]:
    """Yield the files that a page links to; a link to a folder leads to each file in it."""
    if not page.endswith(".md"):
        return
    folder = PurePosixPath(page).parent
    for target in linked_paths(tree[page]):
        path = normpath(folder / target)
        yield from (one for one in tree if path in (one, str(PurePosixPath(one).parent)))


def unused_inputs(tree: Tree) -> list[str]:
    """Return what lies at the top of corpus/ and no test or setting of pytest names."""
    code = [ast.parse(text) for text in modules_in(tree, "tests").values()]
    named = "\n".join([tree["pyproject.toml"], *(joined for one in code for joined in paths(one))])
    tops = {path.split("/")[1] for path in tree if path.startswith("corpus/")}
    return sorted(top for top in tops if f"corpus/{top}" not in named)


def paths(tree: ast.AST) -> Iterator[str]:
    """Yield the end of each path that code puts together: ``ROOT / "a" / "b"`` is a/b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            yield "/".join(str(part) for part in reversed(parts))


def modules_in(tree: Tree, top: str) -> dict[str, str]:
    """Return the text of each module below a folder of the checkout, by its dotted name."""
    return {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): text
        for path, text in tree.items()
        if path.startswith(f"{top}/") and path.endswith(".py")
    }


def entry_points(pyproject: str) -> set[str]:
    """Return the modules that other programs are told of."""
    project = tomllib.loads(pyproject).get("project", {})
    tables = [project.get("scripts", {}), *project.get("entry-points", {}).values()]
    return {value.partition(":")[0] for table in tables for value in table.values()}


def reached(modules: Mapping[str, str], roots: Iterable[str]) -> set[str]:
    """Return the modules that one comes to from some of them; with a module, its packages."""
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in modules and name not in seen:
            seen.add(name)
            waiting += [name.rpartition(".")[0], *named_in(modules[name])]
    return seen


def named_in(text: str) -> set[str]:
    """Return the dotted names that code imports or has in a string."""
    tree = ast.parse(text)
    found = {name for string in strings_in(tree) for name in DOTTED.findall(string)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def words_of(text: str) -> set[str]:
    """Return the names that code uses, and the words of its strings; a definition is no use."""
    tree = ast.parse(text)
    found = {word for string in strings_in(tree) for word in WORD.findall(string)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
    return found


def strings_in(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of code that are values; docstrings are statements of their own."""
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def unemitted_kinds(tree: Tree) -> list[str]:
    """Return the event kinds that no code outside the oracle passes to a call, as it emits them."""
    kinds = {
        name: module
        for module in KINDS
        for name, value in annotated(ast.parse(tree[module]).body)
        if called(value) == "kind"
    }
    passed: set[str] = set()
    for top in ("vblkfuzz", "fuzz"):
        for module, text in modules_in(tree, top).items():
            if not module.startswith("vblkfuzz.oracle."):
                passed |= passed_kinds(text)
    return [f"{kinds[name]}: {name}" for name in sorted(kinds.keys() - passed)]


def passed_kinds(text: str) -> set[str]:
    """Return the event kinds that are arguments, or one of two, by the name of their constant."""
    tree = ast.parse(text)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    own = {
        alias.name
        for node in imports
        if node.module in [f"vblkfuzz.trace.{PurePosixPath(file).stem}" for file in KINDS]
        for alias in node.names
    }
    arguments: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            arguments += [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.IfExp):
            arguments += [node.body, node.orelse]
    return {
        *(one.id for one in arguments if isinstance(one, ast.Name) and one.id in own),
        *(
            one.attr
            for one in arguments
            if isinstance(one, ast.Attribute) and is_of(one, {"kinds"})
        ),
    }


def unread_device_fields(tree: Tree) -> list[str]:
    """Return the fields of DeviceConfig that no model, driver or target reads."""
    classes = [node for node in ast.parse(tree[DEVICE]).body if isinstance(node, ast.ClassDef)]
    (config,) = (node for node in classes if node.name == "DeviceConfig")
    fields = [name for name, _ in annotated(config.body)]
    rooms = [modules_in(tree, f"vblkfuzz/{room}").values() for room in DEVICE_ROOMS]
    read = device_fields_read(text for texts in rooms for text in texts)
    return [f"{DEVICE}: {name}" for name in fields if name not in read]


def device_fields_read(texts: Iterable[str]) -> set[str]:
    """Return the attributes that code reads of a ``config`` or a ``device``."""
    return {
        node.attr
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and is_of(node, {"config", "device"})
    }


def annotated(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield name and value of each annotated assignment of a module or a class."""
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def called(value: ast.expr | None) -> str:
    """Return the name of the function that an expression calls; empty: it calls none."""
    function = value.func if isinstance(value, ast.Call) else None
    return function.id if isinstance(function, ast.Name) else ""


def is_of(attribute: ast.Attribute, names: set[str]) -> bool:
    """Whether an attribute is one of ``name`` or ``x.name``; a private name counts, too."""
    of = attribute.value
    name = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
    return name.lstrip("_") in names


CHECKS: Final[dict[str, Callable[[Tree], list[str]]]] = {
    "modules": unused_modules,
    "package data": unused_package_data,
    "names": unused_names,
    "event kinds": unemitted_kinds,
    "device fields": unread_device_fields,
    "test support": unused_test_support,
    "tools": unused_tools,
    "pages": unlinked_pages,
    "inputs": unused_inputs,
}

EXPECTED: Final = {
    "modules": "a module that an entry point leads to imports it, or its room finds it by its mark",
    "package data": "code of the package has its name in a string",
    "names": "code or a test uses it; a name of one module only begins with _",
    "event kinds": "code emits it",
    "device fields": "a model, a driver or a target reads it",
    "test support": "a test imports it, or a page or tox.ini names it",
    "tools": "a page or tox.ini names it",
    "pages": "a page that one comes to from the README links to it",
    "inputs": "a test or a setting of pytest names its folder of corpus/",
}
"""What each check expects of each thing."""
