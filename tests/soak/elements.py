"""Mutation testing of what a rule asks for: ``python -m tests.soak.elements FILE...``.

cosmic-ray changes operators and numbers, but no collection. So a kind of event in `needs` that no
trace depends on is not noticed. This removes each element of `needs`, `decisive` and `situations`,
and of the collections in constants and comparisons, and tries the hand-written cases of the file's
rules (of all rules, if it has none). It prints the elements that no case misses.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.soak.mutants import Mutated, fork, import_all_but_rules

ARGUMENTS: Final = frozenset({"needs", "decisive", "situations"})
Display = ast.Tuple | ast.Set | ast.List | ast.Dict


def displays(tree: ast.Module) -> list[Display]:
    """Return the collections with an element that can be left out, in a fixed order."""
    within: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ARGUMENTS:
            within.append(node.value)
        elif isinstance(node, ast.Compare):
            within += node.comparators
    within += [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
    ]
    found = [each for one in within for each in ast.walk(one) if isinstance(each, Display)]
    return [each for each in found if len(elements(each)) > 1]


def elements(display: Display) -> list[ast.expr]:
    return display.values if isinstance(display, ast.Dict) else display.elts


def shortened(text: str) -> Iterator[tuple[str, str]]:
    """Yield, for each element, its place and the text without it."""
    for which, display in enumerate(displays(ast.parse(text))):
        for place, element in enumerate(elements(display)):
            tree = ast.parse(text)
            copy = displays(tree)[which]
            if isinstance(copy, ast.Dict):
                del copy.keys[place]
            del elements(copy)[place]
            yield f"{element.lineno}: {ast.unparse(element)}", ast.unparse(tree)


def survives(path: Path, text: str) -> bool:
    """Try the cases of the rules in `path` with this text; raises if it is missed."""
    module = Mutated(path, text)
    sys.meta_path.insert(0, module)
    cases = importlib.import_module("tests.oracle.test_cases")
    own = {rule.id for rule in cases.RULES if rule.check.__module__ == module.name}
    for case in cases.CASES:
        if not own or case.rule in own:
            cases.test_case(case)
    return True


def passes(path: Path, text: str) -> bool:
    """As `survives`, in a child."""
    with TemporaryDirectory() as folder:
        child = fork(partial(survives, path, text), Path(folder, "output"))
        return os.waitpid(child, 0)[1] == 0


def main() -> None:
    import_all_but_rules()
    for path in map(Path, sys.argv[1:]):
        before = path.read_text()
        assert passes(path, before), f"the cases of {path} must pass before there are mutants"
        for place, text in shortened(before):
            if passes(path, text):
                print(f"{path}:{place}", flush=True)


if __name__ == "__main__":
    main()
