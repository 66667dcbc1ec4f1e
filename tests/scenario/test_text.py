"""The text form."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import expectations, scenarios
from vblkfuzz import limits
from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.canonical import canonical
from vblkfuzz.scenario.device import RERRORS, DeviceConfig, Rerror
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.scenario.text import from_text, read_text, to_text

STORY = """\
# A kick inside a drained section
format = 1
ops = [
    {op = "publish_kick", queue = 0, request = "out", sector = 3, sectors = 1},
    {op = "drain_begin", wait = "poll"},
]
schedule = [
    {op = 0, point = 2, go = "io0"},
]

[device]
iothreads = 2

[expect]
verdict = "violation"
rule = "S1"
on = "patch-v4"
"""
SCENARIO = Scenario(
    DeviceConfig(iothreads=2),
    ops=(op("publish_kick", queue=0, request="out", sector=3), op("drain_begin")),
    schedule=(Deviation(0, 2, Go.IO0),),
)


def test_the_text_form_of_a_scenario() -> None:
    comment = "A kick inside a drained section"
    assert to_text(SCENARIO, comment, Expectation("violation", "S1"), "patch-v4") == STORY
    assert read_text(STORY, "a.toml") == (
        SCENARIO,
        Expectation("violation", "S1"),
        "patch-v4",
        "",
    )


@given(scenarios(max_ops=16))
def test_every_scenario_comes_back(scenario: Scenario) -> None:
    assert from_text(to_text(scenario), "") == scenario


@given(scenarios(max_ops=4), expectations(), st.text(max_size=20))
def test_an_expectation_comes_back(scenario: Scenario, expected: Expectation, on: str) -> None:
    assert read_text(to_text(scenario, "", expected, on), "") == (scenario, expected, on, "")


@given(expectations(), st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_target_comes_back(expected: Expectation, on: str, target: str) -> None:
    text = to_text(SCENARIO, "", expected, on, target)
    assert read_text(text, "") == (SCENARIO, expected, on, target)
    assert canonical(text, "") == text


def test_a_target_needs_a_device() -> None:
    text = to_text(SCENARIO, "", Expectation("clean")) + 'target = "qemu"\n'
    with pytest.raises(InputFileError) as error:
        read_text(text, "a.toml")
    assert str(error.value) == "a.toml: expect.on: expected the device of target qemu, found none"


def test_a_name_cannot_contain_terminal_control_characters() -> None:
    name = "a\x1b[31m\x9b31m\u202eb\U000e0001"
    text = to_text(SCENARIO, name, Expectation("clean"), name)
    assert all(line.isprintable() for line in text.splitlines())
    assert read_text(text, "").on == name


@given(scenarios(max_ops=4))
def test_the_text_is_canonical(scenario: Scenario) -> None:
    text = to_text(scenario)
    assert to_text(from_text(text, "")) == text


@given(st.text())
def test_any_comment_is_only_a_comment(comment: str) -> None:
    assert from_text(to_text(SCENARIO, comment), "") == SCENARIO


def test_a_missing_field_has_its_default() -> None:
    assert from_text("format = 1", "") == Scenario()


@pytest.mark.parametrize("werror", RERRORS)
def test_a_read_policy_is_written_unless_both_policies_are_the_default(werror: Rerror) -> None:
    """Also where a file without it would mean the same: a reader of the file may not know that."""
    for rerror in RERRORS:
        device = DeviceConfig(werror=werror, rerror=rerror)
        written = f'rerror = "{rerror}"' in to_text(Scenario(device)).splitlines()
        assert written == ((werror, rerror) != ("report", "report"))
        assert from_text(to_text(Scenario(device)), "").device == device


def test_the_default_device_is_an_empty_table() -> None:
    text = to_text(Scenario())
    assert text == "format = 1\nops = []\nschedule = []\n\n[device]\n"
    assert from_text(text, "") == from_text(text.removesuffix("\n[device]\n"), "") == Scenario()


@given(scenarios(max_ops=2))
def test_files_that_name_every_field_mean_the_same(scenario: Scenario) -> None:
    """Files of older versions name every field."""
    head = to_text(replace(scenario, device=DeviceConfig()))
    fields = asdict(scenario.device).items()
    values = "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields)
    assert from_text(head + values, "") == scenario


@pytest.mark.parametrize("werror", RERRORS)
def test_a_file_without_a_read_policy_uses_its_write_policy(werror: Rerror) -> None:
    device = from_text(f'format = 1\n[device]\nwerror = "{werror}"', "").device
    assert (device.werror, device.rerror) == (werror, werror)


def test_a_full_disk_stops_writes_only() -> None:
    device = from_text('format = 1\n[device]\nwerror = "enospc"', "").device
    assert (device.werror, device.rerror) == ("enospc", "report")
    text = 'format = 1\n[[ops]]\nop = "resize"\n[device]\niothreads = 0'
    assert from_text(text, "") == Scenario(DeviceConfig(iothreads=0), (op("resize", sectors=1),))


def test_the_actor_may_be_named() -> None:
    text = 'format = 1\nops = [{op = "kick", actor = "guest"}, {op = "stop", actor = "operator"}]'
    assert from_text(text, "").ops == (op("kick"), op("stop"))


def test_deviations_may_stand_in_any_order() -> None:
    line = '{op = 1, point = 0, go = "next"}, {op = 0, point = 7, go = "vcpu"}'
    expected = (Deviation(0, 7, Go.VCPU), Deviation(1, 0, Go.NEXT))
    assert from_text(f"format = 1\nschedule = [{line}]", "").schedule == expected


def test_delayed_is_written_only_if_stores_are_delayed() -> None:
    for delayed in (False, True):
        scenario = Scenario(schedule=(Deviation(1, 0, Go.NEXT, delayed=delayed),))
        line = '    {op = 1, point = 0, go = "next"' + ", delayed = true" * delayed + "},"
        assert line in to_text(scenario).splitlines()
        assert from_text(to_text(scenario), "") == scenario


def test_a_deviation_of_an_actor_at_a_place() -> None:
    place = Place("qemu_mutex_lock", "util/async.c:717", "aio_co_schedule", 2)
    held = Deviation(5, 77, Go.IO0, role=Role.MAIN, locks=True, place=place)
    line = (
        '    {op = 5, actor = "main", point = 77, points = "locks", go = "io0", '
        'at = "qemu_mutex_lock util/async.c:717", after = "aio_co_schedule", nth = 2},'
    )
    text = to_text(Scenario(schedule=(held,)))
    assert line in text.splitlines()
    assert from_text(text, "").schedule == (held,)


def test_keys_of_an_actor_that_are_default_are_not_written() -> None:
    held = Deviation(5, 3, Go.NEXT, role=Role.WORKER, place=Place("thread_pool_submit"))
    line = '    {op = 5, actor = "worker", point = 3, go = "next", at = "thread_pool_submit"},'
    assert line in to_text(Scenario(schedule=(held,))).splitlines()
    named = line.replace("next", 'next", points = "events')
    text = f"format = 1\nschedule = [{named}]"
    assert from_text(text, "").schedule == (held,)


def ops_with(item: str) -> str:
    return f'format = 1\nops = [{{op = "reset"}}, {item}]'


def schedule_with(item: str) -> str:
    return f'format = 1\nschedule = [{{op = 0, point = 0, go = "main"}}, {item}]'


UNUSABLE = {
    "no format": ("", "format: expected 1, found nothing"),
    "format of another kind": ("format = true", "format: expected 1, found true"),
    "newer": (
        "format = 2\nnews = 1",
        "format: expected at most 1 (a newer vblkfuzz wrote this), found 2",
    ),
    "key": (
        "format = 1\nname = 3",
        "expected only the keys format, ops, schedule, device, expect, found 'name'",
    ),
    "ops is no array": ("format = 1\nops = 3", "ops: expected an array, found 3"),
    "op is no table": (ops_with("'reset'"), "ops[1]: expected a table, found 'reset'"),
    "op of no name": (ops_with("{queue = 1}"), "ops[1].op: expected one of init, *, found nothing"),
    "unknown op": (
        ops_with("{op = 'kik'}"),
        "ops[1].op: expected one of init, *, found 'kik'; did you mean kick?",
    ),
    "op is a number": (ops_with("{op = 3}"), "ops[1].op: expected one of init, *, found 3"),
    "argument": (
        ops_with("{op = 'kick', sector = 1}"),
        "ops[1]: expected only the keys op, queue, actor, found 'sector'",
    ),
    "range": (
        ops_with("{op = 'kick', queue = 4}"),
        "ops[1].queue: expected an integer in 0..3, found 4",
    ),
    "type": (
        ops_with("{op = 'kick', queue = '1'}"),
        "ops[1].queue: expected an integer in 0..3, found '1'",
    ),
    "boolean for a number": (
        ops_with("{op = 'kick', queue = true}"),
        "ops[1].queue: expected an integer in 0..3, found true",
    ),
    "huge number": (
        ops_with(f"{{op = 'kick', queue = 0x{'f' * 5000}}}"),
        "ops[1].queue: expected an integer in 0..3, found an integer of 20000 bits",
    ),
    "number of many digits": (ops_with("9" * 5000), "expected TOML: *"),
    "choice": (
        ops_with("{op = 'drain_begin', wait = 'no'}"),
        "ops[1].wait: expected one of poll, nopoll, found 'no'",
    ),
    "long text": (
        ops_with(f"{{op = 'drain_begin', wait = '{'x' * 5000}'}}"),
        f"ops[1].wait: expected one of poll, nopoll, found '{'x' * 60}'...",
    ),
    "choice by table": (
        ops_with("{op = 'drain_begin', wait = {}}"),
        "ops[1].wait: expected one of poll, nopoll, found a table",
    ),
    "actor": (
        ops_with("{op = 'kick', actor = 'operator'}"),
        "ops[1].actor: expected guest, the owner of kick, found 'operator'",
    ),
    "too many ops": (
        f"format = 1\nops = [{'1,' * (limits.MAX_OPS + 1)}]",
        "ops: expected at most 64 items, found 65",
    ),
    "deviation": (schedule_with("[]"), "schedule[1]: expected a table, found an array"),
    "deviation without go": (
        schedule_with("{op = 1, point = 1}"),
        "schedule[1].go: expected one of guest, vcpu, main, io0, io1, next, found nothing",
    ),
    "deviation with a number for delayed": (
        schedule_with("{op = 1, point = 1, go = 'next', delayed = 1}"),
        "schedule[1].delayed: expected true or false, found 1",
    ),
    "deviation of no op": (
        schedule_with("{op = 64, point = 1, go = 'main'}"),
        "schedule[1].op: expected an integer in 0..63, found 64",
    ),
    "deviation of no point": (
        schedule_with("{op = 1, point = 256, go = 'main'}"),
        "schedule[1].point: expected an integer in 0..255, found 256",
    ),
    "deviation with more": (
        schedule_with("{op = 1, point = 1, go = 'main', to = 1}"),
        "schedule[1]: expected only the keys op, actor, point, points, go, delayed, at, after, nth,"
        " found 'to'",
    ),
    "two at one point": (
        schedule_with("{op = 0, point = 0, go = 'io0'}"),
        "schedule[1]: expected one deviation at op and point (0, 0), found two",
    ),
    "two of an actor at one point": (
        schedule_with(
            "{op = 0, point = 0, go = 'io0', actor = 'main'}, "
            "{op = 0, point = 0, go = 'io1', actor = 'main', at = 'virtqueue_pop'}"
        ),
        "schedule[2]: expected one deviation at op and point (0, 0) of main, found two",
    ),
    "actor of a deviation": (
        schedule_with("{op = 0, point = 0, go = 'io0', actor = 'io2'}"),
        "schedule[1].actor: expected one of main, io0, io1, vcpu, guest, monitor, worker,"
        " found 'io2'",
    ),
    "locks of no actor": (
        schedule_with("{op = 0, point = 0, go = 'io0', points = 'locks'}"),
        "schedule[1].actor: expected beside points, found nothing",
    ),
    "points of another kind": (
        schedule_with("{op = 0, actor = 'main', point = 0, go = 'io0', points = 'all'}"),
        "schedule[1].points: expected one of events, locks, found 'all'",
    ),
    "place of no actor": (
        schedule_with("{op = 0, point = 0, go = 'io0', at = 'virtqueue_pop'}"),
        "schedule[1].actor: expected beside at, found nothing",
    ),
    "event before no place": (
        schedule_with("{op = 0, actor = 'main', point = 0, go = 'io0', after = 'virtqueue_pop'}"),
        "schedule[1].at: expected beside after, found nothing",
    ),
    "no place": (
        schedule_with("{op = 0, actor = 'main', point = 0, go = 'io0', at = 'a b c:1'}"),
        "schedule[1].at: expected EVENT [FILE:LINE] [after EVENT] [nth NUMBER]",
    ),
    "place that is a number": (
        schedule_with("{op = 0, actor = 'main', point = 0, go = 'io0', at = 1}"),
        "schedule[1].at: expected a text, found 1",
    ),
    "no stop at a place": (
        schedule_with("{op = 0, actor = 'main', point = 0, go = 'io0', at = 'a', nth = 0}"),
        "schedule[1].nth: expected an integer in 1..65535, found 0",
    ),
    "too many deviations": (
        f"format = 1\nschedule = [{'1,' * (limits.MAX_DEVIATIONS + 1)}]",
        "schedule: expected at most 32 items, found 33",
    ),
    "device": ("format = 1\ndevice = 'seed'", "device: expected a table, found 'seed'"),
    "device key": (
        "format = 1\n[device]\nsize = 1",
        "device: expected only the keys queues, queue_size, *, found 'size'",
    ),
    "device range": (
        "format = 1\n[device]\nqueue_size = 5",
        "device.queue_size: expected one of 4, 8, 16, 32, found 5",
    ),
    "device type": (
        "format = 1\n[device]\nqueues = true",
        "device.queues: expected an integer, found true",
    ),
    "device flag": (
        "format = 1\n[device]\npolling = 1",
        "device.polling: expected true or false, found 1",
    ),
    "device text": (
        "format = 1\n[device]\nwerror = 1.5",
        "device.werror: expected a text, found 1.5",
    ),
    "huge device": (
        f"format = 1\n[device]\nqueues = 0x{'f' * 5000}",
        "device.queues: expected an integer in 0..65535, found an integer of 20000 bits",
    ),
    "expectation of nothing": (
        "format = 1\n[expect]\nrule = 'S1'",
        "expect.verdict: expected one of clean, violation, harness_error, found nothing",
    ),
    "expectation of a number": (
        "format = 1\n[expect]\nverdict = 'clean'\nrule = 1",
        "expect.rule: expected a text, found 1",
    ),
    "expectation key": (
        "format = 1\n[expect]\nverdict = 'clean'\nwhy = 1",
        "expect: expected only the keys verdict, rule, signature, target, on, found 'why'",
    ),
    "long line": (f"format = 1\nx = 1 # {'x' * 9000}", "line 2: expected at most 8192 characters"),
    "a BOM": ("\ufeffformat = 1", "line 1 column 1: expected TOML, found a byte order mark (BOM)*"),
    "no TOML": ("format = 1\nops = [\n}", "line 3 column 1: expected TOML: *"),
    "half a TOML": ("format = 1\nops = [", "end of file: expected TOML: *"),
    "nested": ("x = " + "[" * 5000, "expected a scenario, found deeply nested values"),
}


@pytest.mark.parametrize(("text", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_errors_in_a_text(text: str, message: str) -> None:
    """Each message is one line: file, place, expected, found."""
    with pytest.raises(InputFileError) as caught:
        from_text(text, "a.toml")
    found = str(caught.value)
    head, _, tail = message.partition("*")
    assert found.startswith(f"a.toml: {head}")
    assert found.endswith(tail)
    assert tail or len(found) > len(head)
    assert "\n" not in found
    assert "*" in message or found == f"a.toml: {message}"


@given(st.text(max_size=200) | st.text(alphabet='[]{}=",\n#.ops1formatdevice ', max_size=200))
def test_any_text_is_a_scenario_or_an_input_file_error(text: str) -> None:
    try:
        from_text(text, "a.toml")
    except InputFileError as error:
        assert str(error).startswith("a.toml: ")


def test_the_layout_is_plain_toml() -> None:
    document = tomllib.loads(STORY)
    assert list(document) == ["format", "ops", "schedule", "device", "expect"]
    assert document["ops"][1] == {"op": "drain_begin", "wait": "poll"}
