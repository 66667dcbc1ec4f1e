"""Mutation testing of the rules, made fast: ``python -m tests.soak.mutants mutants.sqlite``.

The session file, which cosmic-ray makes, lists the mutants (docs/rules.md). Results go into it as
cosmic-ray's own do: `cr-report` reads them, and a run that was interrupted goes on. No file of the
checkout changes.

One process imports all but the rules and forks for each mutant. The child imports the mutated text
in place of the module and asks the hand-written cases first, which kill most mutants in a tenth of
a second, then all of tests/oracle. Its exit status: 0 survived, 1 killed; whatever else it ends
with (a limit, a mutant that cannot be made) is told as incompetent.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import resource
import sys
import traceback
from collections.abc import Callable, Sequence
from difflib import unified_diff
from functools import cache, partial
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Final

import pytest
from cosmic_ray import mutating
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

from vblkfuzz import scenario, trace, virtio

TESTS: Final = Path("tests/oracle")
LAST: Final = ("test_disk", "test_judge", "test_verdict")
"""Files that take longest."""
CPU_SECONDS: Final = 90
"""A child's limit: all tests take less than 10."""
MEMORY_BYTES: Final = 4 << 30
OUTCOMES: Final = {0: TestOutcome.SURVIVED, 1: TestOutcome.KILLED}
BROKEN: Final = 2


class Mutated(MetaPathFinder, InspectLoader):
    """Imports one module from a text."""

    def __init__(self, path: Path, text: str) -> None:
        self._name = ".".join(path.with_suffix("").parts)
        self._text = text

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._name else None

    def get_source(self, fullname: str) -> str:
        return self._text

    def is_package(self, fullname: str) -> bool:
        return False


def mutated(mutation: MutationSpec, text: str) -> str:
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    made = mutating.mutate_code(text, operator, mutation.occurrence)
    assert isinstance(made, str), f"the session is older than {mutation.module_path}"
    return made


def survives(module: str = "") -> bool:
    """Whether all tests pass, those of `module` first. Nothing may have imported the rules yet."""
    try:
        cases = importlib.import_module("tests.oracle.test_cases")
        for case in cases.CASES:
            cases.test_case(case)
    except Exception:
        traceback.print_exc()
        return False
    # pytest's hook that rewrites asserts would come before `Mutated`, and import the file
    options = ["-qx", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout=0"]
    files = sorted(
        TESTS.rglob("test_*.py"), key=lambda at: (module not in at.stem, at.stem in LAST)
    )
    return pytest.main([*options, *map(str, files)]) == 0


def fork(act: Callable[[], bool], output: Path) -> int:
    """Start a child that exits with 0 if `act` returns true, with 1 if not; return its pid."""
    pid = os.fork()
    if pid:
        return pid
    status = BROKEN
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        file = os.open(output, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, 1)
        os.dup2(file, 2)
        status = 0 if act() else 1
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def try_mutant(mutation: MutationSpec, diff: Path) -> bool:
    path = mutation.module_path
    before = path.read_text()
    text = mutated(mutation, before)
    names = f"a/{path}", f"b/{path}"
    lines = unified_diff(before.splitlines(), text.splitlines(), *names, lineterm="")
    diff.write_text("\n".join(lines))
    sys.meta_path.insert(0, Mutated(path, text))
    return survives(path.stem)


def collect(running: dict[int, tuple[WorkItem, Path]], session: WorkDB) -> None:
    """Wait for a child and store what came of its mutant."""
    pid, status = os.wait()
    item, output = running.pop(pid)
    outcome = OUTCOMES.get(os.waitstatus_to_exitcode(status), TestOutcome.INCOMPETENT)
    said, diff = output.read_text(errors="replace"), output.with_suffix(".diff").read_text()
    session.set_result(item.job_id, WorkResult(WorkerOutcome.NORMAL, said, outcome, diff))
    if outcome != TestOutcome.KILLED:
        mutation = item.mutations[0]
        place = f"{mutation.module_path}:{mutation.start_pos[0]}"
        print(f"{outcome.value}: {place}: {mutation.operator_name}", flush=True)


def import_all_but_rules() -> None:
    for package in (scenario, trace, virtio):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    imported = [name for name in sys.modules if name.startswith("vblkfuzz.oracle")]
    assert not imported, imported


def try_all(session: WorkDB, jobs: int) -> None:
    """Try what the session has no result of, `jobs` at a time."""
    items = sorted(session.pending_work_items, key=lambda item: item.mutations[0].module_path)
    mutating.get_ast = cache(mutating.get_ast)  # parsed once a module; each child spoils its own
    for path in {item.mutations[0].module_path for item in items}:
        mutating.get_ast(path.read_text())
    running: dict[int, tuple[WorkItem, Path]] = {}
    with TemporaryDirectory() as folder:
        for item in items:
            if len(running) == jobs:
                collect(running, session)
            output = Path(folder, item.job_id)
            act = partial(try_mutant, item.mutations[0], output.with_suffix(".diff"))
            running[fork(act, output)] = item, output
        while running:
            collect(running, session)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("session", help="session file of cosmic-ray")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="children at a time")
    options = parser.parse_args()
    os.environ["CI"] = "1"  # Hypothesis: the same examples for each mutant, and no database
    import_all_but_rules()
    with TemporaryDirectory() as folder, use_db(options.session, WorkDB.Mode.open) as session:
        unchanged = fork(survives, Path(folder, "output"))
        if os.waitpid(unchanged, 0)[1]:
            sys.exit(f"{TESTS} must pass before there are mutants")
        try_all(session, options.jobs)


if __name__ == "__main__":
    main()
