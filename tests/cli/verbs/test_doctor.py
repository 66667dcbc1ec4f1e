"""`vblkfuzz doctor`: what this machine can do, and what it lacks."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import Cli
from tests.conformance.leftovers import nothing_left
from vblkfuzz.cli.views import doctor_json
from vblkfuzz.doctor import registry
from vblkfuzz.doctor.check import MODEL, QEMU, TESTS, USES, Check, limited, no, yes
from vblkfuzz.targets.options import NO_OPTIONS, TargetOptions

SCHEMA = json.loads(files("vblkfuzz.cli.views").joinpath(doctor_json.SCHEMA).read_text())
EVENTS = {one["title"]: one for one in SCHEMA["oneOf"]}
LONG = "install it (Debian: apt-get install --no-install-recommends a-package-with-a-long-name)"


def checked(stdout: str) -> list[dict[str, Any]]:
    """Return the lines, after a check of each."""
    lines = [json.loads(line) for line in stdout.splitlines()]
    for line in lines:
        jsonschema.validate(line, SCHEMA, jsonschema.Draft202012Validator)
        assert set(line) == set(EVENTS[line["event"]]["properties"])
    return lines


@pytest.fixture
def poor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that lacks what the model needs."""
    monkeypatch.setattr(
        registry,
        "checks",
        lambda _: (
            Check("kernel", lambda: yes("6.1"), (MODEL, QEMU), reads_only=True),
            Check("engine", lambda: no("not found", LONG), (MODEL,), (TESTS,), reads_only=True),
            Check("cores", lambda: limited("1 of 2", "more"), (), (QEMU,), reads_only=True),
        ),
    )


def test_this_machine(cli: Cli) -> None:
    """What runs this test can run a campaign, but for Atheris, which not each machine has."""
    with nothing_left():
        result = cli("doctor", "--json")
    start, *lines, end = checked(result.stdout)
    assert (start["event"], start["version"]) == ("start", doctor_json.VERSION)
    found = {line["name"]: line for line in lines if line["event"] == "check"}
    uses = {line["name"]: line for line in lines if line["event"] == "use"}
    assert list(found) == [check.name for check in registry.checks(NO_OPTIONS)]
    assert list(uses) == [use.name for use in USES]
    assert [found[name]["verdict"] for name in ("memfd", "model runs")] == ["yes", "yes"]
    assert uses["model"]["missing"] in ([], ["atheris"])
    assert result.exit_code == end["status"] == len(uses["model"]["missing"])
    for line in found.values():
        assert line["verdict"] == "yes" or line["advice"]


@pytest.mark.usefixtures("poor")
def test_a_machine_that_lacks_something(cli: Cli) -> None:
    result = cli("doctor")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "kernel             yes      6.1",
        "engine             no       not found",
        "                            needed for model; helps tests",
        f"                            to do: {LONG}",
        "cores              limited  1 of 2",
        "                            helps qemu",
        "                            to do: more",
        "",
        "model              missing  campaigns on the model: vblkfuzz fuzz; lacks engine",
        "reports            ready    reports: vblkfuzz export --to html, vblkfuzz coverage",
        "qemu               limited  a real QEMU: vblkfuzz fuzz --target qemu; see cores",
        "qsd                ready    a real storage daemon: vblkfuzz fuzz --target qsd",
        "gate               ready    the order of threads of a real QEMU as part of the input",
        "coverage           ready    coverage of a real process, by breakpoints",
        "tests              limited  developing vblkfuzz, and its tests; see engine",
    ]


@pytest.mark.usefixtures("poor")
def test_the_same_in_json(cli: Cli) -> None:
    result = cli("doctor", "--json")
    assert result.exit_code == 1
    _, _, engine, _, model, *_, end = checked(result.stdout)
    assert engine == {
        "event": "check",
        "name": "engine",
        "verdict": "no",
        "fact": "not found",
        "advice": LONG,
        "needed_by": ["model"],
        "helps": ["tests"],
    }
    assert (model["verdict"], model["missing"]) == ("no", ["engine"])
    assert end["status"] == 1


@pytest.mark.usefixtures("poor")
def test_a_terminal_of_80_columns(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = cli("doctor").stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= 80
    assert plain != shown
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m", cli("doctor").stdout)


def test_the_binaries_that_are_checked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[TargetOptions] = []

    def none(options: TargetOptions) -> tuple[Check, ...]:
        asked.append(options)
        return ()

    monkeypatch.setattr(registry, "checks", none)
    cli("doctor", "--qemu-binary", "my-qemu", "--qsd-binary", "my-qsd")
    assert asked == [TargetOptions(qemu_binary="my-qemu", qsd_binary="my-qsd")]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"event": "check"}, SCHEMA)
