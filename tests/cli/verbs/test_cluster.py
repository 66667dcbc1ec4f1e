"""`vblkfuzz cluster` as far as it goes without Ray; with it: tests/faults/test_ray.py."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from vblkfuzz.cli.verbs import cluster
from vblkfuzz.cli.views.cluster import announce, say_end
from vblkfuzz.errors import ExitStatus
from vblkfuzz.launch import ray
from vblkfuzz.launch.node import NodeState

RUNS = NodeState("here", 7, 1)


def version(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    """Have this version of Ray installed; empty: none."""

    def answer(name: str) -> str:
        if not found:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(ray, "version", answer)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("", "cluster needs ray, which is not installed: pip install 'vblkfuzz[cluster]'"),
        (
            "2.9.3",
            "cluster needs ray 2.55 or newer, 2.9.3 is installed: "
            "pip install --upgrade 'vblkfuzz[cluster]'",
        ),
    ],
)
def test_without_ray_one_line_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, found: str, said: str
) -> None:
    version(monkeypatch, found)
    done = cli("cluster", "--ray", "local", "--store", "store")
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"vblkfuzz: {said}\n")


@pytest.mark.parametrize("found", ["2.55.0", "2.60.0", "3.0.0rc1"])
def test_a_newer_ray_will_do(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    version(monkeypatch, found)
    ray.check_ray()


@pytest.mark.parametrize("option", ["--out=x", "--store", "--workers=2", "--max-total-time"])
def test_an_option_of_its_own_does_not_stand_after_the_dashes(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    version(monkeypatch, "2.60.0")
    done = cli("cluster", "--ray", "local", "--store", "store", "--", option)
    assert done.exit_code == 2
    assert f"{option}: an option of cluster itself; put it before --" in done.stderr


def test_each_node_has_a_folder_and_all_have_one_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = cluster._plans(2, "store", 4, Path("nodes"), ("--device", "reference"))
    assert first.folder == str(tmp_path / "nodes" / "node-0")
    assert second.folder == str(tmp_path / "nodes" / "node-1")
    assert first.arguments == second.arguments
    told = ("--store", str(tmp_path / "store"), "--workers", "4", "--device", "reference")
    assert first.arguments == told
    (node,) = cluster._plans(1, "s3://bucket/store", 1, Path("nodes"), ())
    assert node.arguments[1] == "s3://bucket/store"


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((0, 0), ExitStatus.CLEAN),
        ((0, 77, 70), ExitStatus.VIOLATION),
        ((0, 70), ExitStatus.TIMEOUT),
        ((125, 77), ExitStatus.HARNESS),
        ((2, 125), ExitStatus.USAGE),
        ((None, 77), ExitStatus.HARNESS),
        ((-9, 0), ExitStatus.HARNESS),
    ],
)
def test_the_worst_status_of_all_nodes_counts(
    statuses: tuple[int | None, ...], expected: ExitStatus
) -> None:
    states = [RUNS._replace(status=status) for status in statuses]
    assert cluster._status(states) == expected


def test_a_node_without_a_place_is_a_fault_of_the_harness() -> None:
    assert cluster._status([None, RUNS._replace(status=0)]) == ExitStatus.HARNESS


def test_each_change_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    announce(0, None, RUNS)
    announce(0, RUNS, RUNS._replace(pid=8, starts=2))
    announce(0, RUNS, None)
    announce(0, RUNS, RUNS._replace(problem="no room"))
    announce(0, RUNS, RUNS._replace(status=77, problem="1 finding"))
    announce(0, RUNS, RUNS)
    assert capsys.readouterr().err.splitlines() == [
        "vblkfuzz: node 0: runs on here, process 7",
        "vblkfuzz: node 0: runs on here, process 8, start 2 there",
        "vblkfuzz: node 0: its actor is gone; Ray starts it again where there is room",
        "vblkfuzz: node 0: does not run on here: no room",
        "vblkfuzz: node 0: ended with exit status 77: 1 finding",
    ]


def test_the_end_says_where_the_findings_are(capsys: pytest.CaptureFixture[str]) -> None:
    say_end([RUNS._replace(status=77), None], 1, "a store")
    said = capsys.readouterr()
    assert said.out == (
        "2 nodes, 1 of them ended in order\nWhat they found: vblkfuzz status 'a store'\n"
    )
    assert said.err.splitlines() == [
        "vblkfuzz: without a place at the end: node 1",
        "vblkfuzz: 1 node did not say in time that it has uploaded and left",
    ]
