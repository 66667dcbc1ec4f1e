"""What installed packages register: found by name, or refused in one line that says why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.installed import install
from vblkfuzz import entry_points
from vblkfuzz.entry_points import Registry
from vblkfuzz.errors import UsageError

GROUP = "vblkfuzz.tests"


class Thing(NamedTuple):
    summary: str


def thing(named: object, _: EntryPoint) -> Thing | None:
    return Thing(named) if isinstance(named, str) else None


THINGS = Registry("test", "a str", thing)


@pytest.fixture(autouse=True)
def scanned_anew() -> Iterator[None]:
    entry_points._installed.cache_clear()
    yield
    entry_points._installed.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the import path with one package, and with vblkfuzz itself."""
    monkeypatch.syspath_prepend(tmp_path)
    code = "GOOD = 'a good one'\nNUMBER = 3\n"
    names = {"good": "things_one:GOOD", "number": "things_one:NUMBER", "gone": "things_one:GONE"}
    install(tmp_path, "things_one", {GROUP: names}, code)
    install(tmp_path, "vblkfuzz", {GROUP: {"ours": "vblkfuzz.limits:__doc__"}})
    (tmp_path / "vblkfuzz.py").unlink()
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_names_are_sorted_and_import_nothing() -> None:
    assert THINGS.names() == ["gone", "good", "number", "ours"]


@pytest.mark.usefixtures("folder")
def test_ours_and_others_are_found_in_the_same_way() -> None:
    assert THINGS.find("good") == Thing("a good one")
    assert THINGS.find("ours").summary.startswith("Every bound")


@pytest.mark.usefixtures("folder")
def test_a_list_says_of_each_whether_it_can_be_used() -> None:
    found = {row.name: (row.summary, row.source) for row in THINGS.listed()}
    assert list(found) == ["gone", "good", "number", "ours"]
    assert found["good"] == ("a good one", "things_one:GOOD")
    assert found["gone"][0].startswith("cannot be used: test gone: things_one (things_one:GONE)")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("none", "test none: expected one of gone, good, number, ours"),
        ("number", "test number: things_one (things_one:NUMBER): expected a str, found int"),
        ("gone", "test gone: things_one (things_one:GONE): AttributeError("),
    ],
)
def test_what_cannot_be_used(name: str, problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        THINGS.find(name)
    assert str(raised.value).startswith(problem)


@pytest.mark.parametrize(
    "code", ["raise SystemExit(3)", "raise GeneratorExit", "import no_such_module"]
)
def test_a_module_that_fails_while_it_is_imported(folder: Path, code: str) -> None:
    install(folder, "things_bad", {GROUP: {"bad": "things_bad:X"}}, code)
    with pytest.raises(UsageError, match=r"^test bad: things_bad \(things_bad:X\): "):
        THINGS.find("bad")


def test_a_module_that_ends_the_process(folder: Path) -> None:
    """It did so without a word. A child that it forks may end as it likes."""
    code = "import os\nif (pid := os.fork()) == 0: os._exit(0)\nos.waitpid(pid, 0)\nos._exit(3)"
    install(folder, "things_bad", {GROUP: {"bad": "things_bad:THING"}}, code)
    ours = os._exit
    with pytest.raises(UsageError, match=r"EndsProcess: it calls os\._exit\(3\)"):
        THINGS.find("bad")
    assert os._exit is ours


def test_a_name_that_two_packages_register_is_refused(folder: Path) -> None:
    """Neither wins: a verdict must not come from other code than the user means."""
    install(folder, "things_two", {GROUP: {"ours": "things_two:X"}}, "X = ''\n")
    with pytest.raises(UsageError) as raised:
        THINGS.find("ours")
    assert str(raised.value) == (
        "test ours: registered by things_two (things_two:X) and vblkfuzz (vblkfuzz.limits:__doc__):"
        " uninstall one of them"
    )
    assert [row.name for row in THINGS.listed()].count("ours") == 2
    assert THINGS.find("good").summary == "a good one"


@pytest.mark.parametrize("others", [(), (EntryPoint("mine", "mine:X", GROUP),)])
def test_a_checkout_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, others: tuple[EntryPoint, ...]
) -> None:
    monkeypatch.setattr(entry_points, "entry_points", lambda **_: EntryPoints(others))
    says = "the tests of vblkfuzz are not registered in this Python: install it"
    with pytest.raises(UsageError, match=says):
        THINGS.find("ours")
    with pytest.raises(UsageError, match=says):
        THINGS.listed()
    assert THINGS.names() == [entry.name for entry in others]


def test_a_summary_that_fails_is_said_in_the_list(folder: Path) -> None:
    class Ending:
        @property
        def summary(self) -> str:
            raise SystemExit(0)

    install(folder, "things_bad", {GROUP: {"bad": "things_bad:X"}}, "X = 3")
    endings = Registry("test", "any", lambda _, entry: Ending() if entry.name == "bad" else None)
    found = {row.name: row.summary for row in endings.listed()}
    assert found["bad"] == "cannot be used: summary: SystemExit(0)"
