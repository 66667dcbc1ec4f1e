"""`vblkfuzz list`: names, summaries and sources."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Cli
from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.export.registry import EXPORTS
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.targets.registry import TARGETS

NAMES = {
    "targets": TARGETS.names(),
    "exports": EXPORTS.names(),
    "devices": list(REVISIONS),
    "defects": list(DEFECTS),
    "rules": [rule.id for rule in RULES],
    "ops": [spec.name for spec in OPS],
    "schedule": ["op", "point", "actor", "points", "go", "delayed", "at", "after", "nth"],
}
COLUMNS = ("name", "summary", "rules", "source", "ignores")
TABLES = ("targets", "exports", "defects", "rules")
NO_SOURCE = ("ops", "schedule")


@pytest.mark.parametrize("what", NAMES)
def test_json(cli: Cli, what: str) -> None:
    result = cli("list", what, "--json")
    assert result.exit_code == 0
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [entry["name"] for entry in found] == NAMES[what]
    assert all(entry["summary"] for entry in found)
    assert what in NO_SOURCE or all(entry["source"] for entry in found)


def test_rules_in_json(cli: Cli) -> None:
    found = [json.loads(line) for line in cli("list", "rules", "--json").stdout.splitlines()]
    for entry, rule in zip(found, RULES, strict=True):
        assert (entry["title"], entry["source"]) == (rule.title, rule.source)
        assert [one["name"] for one in entry["situations"]] == [one.name for one in rule.situations]
    kicks = {entry["name"]: entry for entry in found}["S13"]
    assert kicks["defects"] == ["no_renotify_on_attach", "enable_no_recheck", "notify_counter"]
    asked = {entry["name"]: entry["targets"] for entry in found}
    assert asked["S1"] == ["model", "qemu", "qsd", "vhost-user-frontend"]
    assert asked["CRASH"] == ["model", "qemu", "qsd", "vhost-user", "vhost-user-frontend"]
    assert asked["S38"] == ["qemu", "qsd", "vhost-user-frontend"]


def test_ops_in_json(cli: Cli) -> None:
    lines = cli("list", "ops", "--json").stdout.splitlines()
    found = {entry["name"]: entry for entry in map(json.loads, lines)}
    assert found["complete"]["actor"] == "backend"
    assert found["complete"]["targets"] == ["model", "qemu", "qsd", "vhost-user-frontend"]
    assert found["drain_begin"]["arguments"] == {"wait": "poll|nopoll"}
    assert found["kick"]["arguments"] == {"queue": "0..3"}
    assert found["kick"]["targets"] == TARGETS.names()


def test_targets_in_json(cli: Cli) -> None:
    lines = cli("list", "targets", "--json").stdout.splitlines()
    found = {entry["name"]: entry["ignores"] for entry in map(json.loads, lines)}
    assert found["model"] == ["kind", "units"]
    assert found["qemu"] == ["first_index", "fixed_iothread"]


@pytest.mark.parametrize("what", TABLES)
def test_off_a_terminal_it_is_one_whole_line_each(cli: Cli, what: str) -> None:
    entries = [json.loads(line) for line in cli("list", what, "--json").stdout.splitlines()]
    lines = cli("list", what).stdout.splitlines()
    assert len(lines) == len(entries)
    for line, entry in zip(lines, entries, strict=True):
        cells = [entry[column] for column in COLUMNS if entry.get(column)]
        texts = [cell if isinstance(cell, str) else " ".join(cell) for cell in cells]
        assert re.split(r"\s{2,}", line) == texts


def test_operations_off_a_terminal_are_whole_lines_with_ranges(cli: Cli) -> None:
    lines, _, schedule = cli("list", "ops").stdout.partition("\n\n")
    rows = {line.split()[0]: line for line in lines.splitlines()}
    assert list(rows) == NAMES["ops"]
    assert "  queue=0..3  " in rows["kick"]
    assert "  wait=poll|nopoll " in rows["drain_begin"]
    assert schedule == cli("list", "schedule").stdout
    assert "  go  guest|vcpu|main|io0|io1|next: " in schedule
    assert "  point  0..255: " in schedule


def test_each_known_violation_is_a_line_with_its_commit(cli: Cli) -> None:
    for text in cli("list", "devices").stdout.split("\n\n"):
        name, _, _, *lines = text.splitlines()
        known = REVISIONS[name].known
        said = [line.split(maxsplit=1) for line in lines if line.startswith(" " * 6)]
        assert {signature: commit for signature, commit in said} == {
            signature: bug.partition(":")[0] for signature, bug in known.items()
        }
        assert {line.strip() for line in lines if line[4] != " "} == set(known.values())


def test_an_unknown_word(cli: Cli) -> None:
    result = cli("list", "bugs")
    assert result.exit_code == 2
    assert "rules" in result.stderr


@pytest.mark.parametrize("what", NAMES)
def test_a_terminal_of_80_columns(cli: Cli, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = cli("list", what).stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines()), default=0) <= 80
    assert (plain != shown) == bool(NAMES[what])
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m", cli("list", what).stdout)
