"""Coverage of code that runs in other processes: an AST pass that marks blocks in shared memory.

Atheris instruments only its own process. Therefore the modules of guest and device are compiled
with a statement ``__vcov__[n] = 1`` at the start of every block. `__vcov__` is the coverage region
of the arena, which the fuzz process registers with libFuzzer (`feedback.region`). A block costs
about 20 ns on all Python versions; the bytecode instrumentation of Atheris costs four times that.

`instrument` must run before the modules are imported, `connect` before the actors are forked.
The name `__vcov__` ends in ``__`` too, since class-private mangling would change it otherwise.

A compiled build has the same probes, put in before it was compiled
(``tools/compiled/source.py``). Its modules number their own probes from 0, and get a part of the
region each.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder, SourceFileLoader
from typing import TYPE_CHECKING, Any, Final, TypeVar

from vblkfuzz.limits import COVERAGE_EDGES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import CodeType, ModuleType

REGION: Final = "__vcov__"
CONNECT: Final = "__vcov_connect__"
"""In a compiled module, the function that takes another region."""

INSTRUMENTED: Final = (
    "vblkfuzz.dataplane.",
    "vblkfuzz.driver.guest",
    "vblkfuzz.driver.hostile",
    "vblkfuzz.virtio.chain",
    "vblkfuzz.virtio.split.device_queue",
    "vblkfuzz.virtio.packed.chain",
    "vblkfuzz.virtio.packed.device_queue",
    "vblkfuzz.virtio.request.blk",
)
"""Prefixes of the modules to instrument: guest and device, not the code that schedules them."""


_ENGINE: Final = ("vblkfuzz.dataplane.thread", "vblkfuzz.dataplane.disk_content")
"""Modules that are not instrumented: they schedule the others, or tell what they have done."""

_CALLED_EVERY_TURN: Final = frozenset(
    {"has_work", "_main_has_work", "exit_pending", "guest_may_run"}
)
"""Functions without probes. The turnstile calls them at every turn: they would be a fifth of all
probe executions and carry no information."""


def has_probes(module: str, prefixes: tuple[str, ...] = INSTRUMENTED) -> bool:
    """Whether a module gets probes."""
    return module.startswith(prefixes) and module not in _ENGINE


_BRANCHES: Final = (ast.If, ast.For, ast.While, ast.Try, ast.Match)


_BLOCKS: Final = ("body", "cases", "handlers", "orelse", "finalbody")
"""Fields of statements that have statements in them. Expressions have none, so none is visited."""

_Node = TypeVar("_Node", ast.expr, ast.stmt)


def _placed(node: _Node) -> _Node:
    """Return the node with a place in its file, which it needs; a probe is nowhere."""
    node.lineno = node.end_lineno = 1
    node.col_offset, node.end_col_offset = 0, 1
    return node


class Probes:
    """Inserts a probe at the start of every block that does not always run with its outer block.

    A function with branches needs no probe of its own: one of its branches always runs.
    """

    def __init__(self, first: int) -> None:
        self.next = first
        """Number of the next probe."""

    def insert(self, node: ast.AST) -> bool:
        """Insert probes into the blocks of `node`; return whether there are branches in it."""
        if isinstance(node, ast.FunctionDef) and node.name in _CALLED_EVERY_TURN:
            return any(isinstance(inner, _BRANCHES) for inner in ast.walk(node))
        inner = [self.insert(one) for name in _BLOCKS for one in getattr(node, name, ())]
        branches = any(inner)
        self._mark_blocks(node, branches)
        return branches or isinstance(node, _BRANCHES)

    def _mark_blocks(self, node: ast.AST, branches: bool) -> None:
        """Insert probes into the node's own blocks."""
        if isinstance(node, ast.FunctionDef):
            node.body = node.body if branches else self._mark(node.body)
        elif isinstance(node, (ast.ExceptHandler, ast.match_case)):
            node.body = self._mark(node.body)
        elif isinstance(node, ast.Try):
            node.orelse = self._mark(node.orelse) if node.orelse else []
        elif isinstance(node, (ast.If, ast.For, ast.While)):
            node.body = self._mark(node.body)
            # A missing `else` gets a probe too: it marks the branch not taken.
            node.orelse = self._mark(node.orelse)

    def _mark(self, body: list[ast.stmt]) -> list[ast.stmt]:
        first = body[0] if body else None
        docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        at = 1 if docstring else 0
        return [*body[:at], self._probe(), *body[at:]]

    def _probe(self) -> ast.stmt:
        number = _placed(ast.Constant(self.next % COVERAGE_EDGES))
        self.next += 1
        region = _placed(ast.Name(REGION, ast.Load()))
        flag = _placed(ast.Subscript(region, number, ast.Store()))
        return _placed(ast.Assign([flag], _placed(ast.Constant(1))))


def compile_with_probes(source: bytes, path: str, first: int) -> tuple[CodeType, int]:
    """Return the code of a module with probes numbered from `first`, and the next free number."""
    tree = ast.parse(source, path)
    probes = Probes(first)
    probes.insert(tree)
    return compile(tree, path, "exec", dont_inherit=True), probes.next


class _Loader(SourceFileLoader):
    """Loads a module with probes; reads and writes no .pyc file."""

    def __init__(self, fullname: str, path: str, finder: Instrumenter) -> None:
        super().__init__(fullname, path)
        self._finder = finder

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source with probes."""
        path = self.get_filename(fullname)
        code, self._finder.next = compile_with_probes(self.get_data(path), path, self._finder.next)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Run the module; until `connect`, its probes write to a region of its own."""
        setattr(module, REGION, bytearray(COVERAGE_EDGES))
        self._finder.modules.append(module)
        super().exec_module(module)


class Instrumenter(MetaPathFinder):
    """Finds the modules to instrument; probes are numbered in import order, which is fixed."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self._prefixes = prefixes
        self.next = 0
        """Number of the next probe, which is the number of probes so far."""
        self.modules: list[ModuleType] = []
        self._without_source: list[str] = []

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return a spec with the instrumenting loader, or None if `fullname` has no probes."""
        if not has_probes(fullname, self._prefixes):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, self)
            return spec
        if spec is None or not isinstance(spec.loader, ExtensionFileLoader):
            self._without_source.append(fullname)
        return None

    def include(self, device: str) -> None:
        """Instrument the module of a user's device as well, from now on.

        Args:
            device: as in ``--device``; only a ``package.module:Class`` names a module.
        """
        module, colon, _ = device.rpartition(":")
        if colon:
            self._prefixes += (module,)

    def load_file(self, name: str, path: Path) -> ModuleType:
        """Import a user's device file with probes (a `device_class.LoadFile`)."""
        loader = _Loader(name, str(path), self)
        spec = importlib.util.spec_from_loader(name, loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loader.exec_module(module)
        return module

    @property
    def blind_spots(self) -> str:
        """A warning of modules that have no probes, since they had no source; or empty.

        Such are modules that others have compiled, and in a PyInstaller bundle all, unless its hook
        for vblkfuzz ran (`feedback.pyinstaller`).
        """
        if self.next and not self._without_source:
            return ""
        first, *others = self._without_source or ["guest and device"]
        what = f"{first} and {len(others)} more" if others else first
        return f"no coverage {'' if self.next else 'at all '}of {what}: no source code"

    def connect(self, region: Any) -> None:  # noqa: ANN401 - a memoryview or a bytearray
        """Make all probes write to `region`."""
        for module in self.modules:
            setattr(module, REGION, region)
        self._connect_compiled(memoryview(region))

    def _connect_compiled(self, region: memoryview) -> None:
        """Give each module that was compiled with probes a part of the region, after the others.

        They import one another without asking a finder.
        """
        for name in sorted(sys.modules):
            module = sys.modules[name]
            if not has_probes(name, self._prefixes) or module in self.modules:
                continue
            own = getattr(module, REGION, None)
            if own is not None:
                first = self.next if self.next + len(own) <= COVERAGE_EDGES else 0
                getattr(module, CONNECT)(region[first : first + len(own)])
                self.next = first + len(own)
            elif (getattr(module, "__file__", None) or "").endswith(".so"):
                self._without_source.append(name)


def instrument(device: str) -> Instrumenter:
    """Instrument guest and device modules that are imported from now on.

    Args:
        device: as in ``--device``; the module of a ``package.module:Class`` is instrumented too.

    Raises:
        RuntimeError: such a module was imported before, so it has no probes.
    """
    early = [name for name in sys.modules if has_probes(name)]
    if early:
        raise RuntimeError(f"imported before it could be instrumented: {', '.join(early)}")
    finder = Instrumenter(INSTRUMENTED)
    finder.include(device)
    sys.meta_path.insert(0, finder)
    return finder
