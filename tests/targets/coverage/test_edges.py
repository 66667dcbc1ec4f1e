"""Edge coverage of a program that was built with the run time of docs/coverage.md."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT
from tests.docs.page_blocks import blocks
from tests.targets.coverage.program import SOURCE, compiled
from tests.waiting import until
from vblkfuzz.targets.child import Child
from vblkfuzz.targets.coverage.coverage import EDGES, Coverage
from vblkfuzz.targets.coverage.edges import EdgeMap

(RUN_TIME,) = [
    block.text
    for block in blocks((CHECKOUT / "docs/coverage.md").read_text())
    if block.language == "c"
]


@pytest.fixture
def coverage() -> Iterator[Coverage]:
    found = Coverage()
    found.begin(EDGES)
    yield found
    found.close()


def edges(coverage: Coverage) -> EdgeMap:
    assert coverage.edges is not None
    return coverage.edges


def built(folder: Path, compiler: str, option: str) -> str:
    """Return the program, built as the page says."""
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    (folder / "vblk_cov.c").write_text(RUN_TIME)
    (folder / "program.c").write_text(SOURCE)
    for command in (
        [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-c", "vblk_cov.c"],
        [compiler, "-O1", "-pthread", option, "-o", "program", "program.c", "vblk_cov.o"],
    ):
        subprocess.run(command, check=True, cwd=folder)
    return str(folder / "program")


def passed(program: str, word: str, coverage: Coverage) -> set[int]:
    """Return the edges that a run passes."""
    view = edges(coverage).view
    view[:] = bytes(len(view))
    assert exit_code(program, word, coverage) == 0
    return {place for place, mark in enumerate(view.tolist()) if mark}


def exit_code(program: str, word: str, coverage: Coverage | None) -> int | None:
    child = Child([program, word], (), coverage)
    until(lambda: child.exit_code() is not None)
    code = child.exit_code()
    child.end()
    return code


@pytest.mark.parametrize(
    ("compiler", "option"),
    [
        ("gcc", "-fsanitize-coverage=trace-pc"),
        ("clang", "-fsanitize-coverage=trace-pc"),
        ("clang", "-fsanitize-coverage=trace-pc-guard"),
    ],
)
def test_the_same_run_passes_the_same_edges(
    tmp_path: Path, coverage: Coverage, compiler: str, option: str
) -> None:
    program = built(tmp_path, compiler, option)
    alpha, beta = (passed(program, word, coverage) for word in ("alpha", "beta"))
    assert alpha
    assert alpha - beta
    assert beta - alpha
    assert passed(program, "alpha", coverage) == alpha
    assert coverage.problem == ""


def test_it_runs_without_the_memory_as_well(tmp_path: Path) -> None:
    program = built(tmp_path, "gcc", "-fsanitize-coverage=trace-pc")
    assert exit_code(program, "alpha", None) == 0
    assert exit_code(program, "fork", None) == 0


def test_a_program_without_it_is_told(coverage: Coverage) -> None:
    assert exit_code(compiled(), "alpha", coverage) == 0
    assert coverage.problem == (
        "the device writes no edges: it was built without them (docs/coverage.md)"
    )
