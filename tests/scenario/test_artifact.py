"""The artifact, `.vblk`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import artifacts, scenarios
from vblkfuzz import limits
from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.artifact import (
    Artifact,
    dump_artifact,
    load_artifact,
    read_input,
    read_input_file,
)
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.field import Table
from vblkfuzz.scenario.input_form import Form, form_of
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.scenario.text import to_text

SCENARIO = Scenario(
    ops=(op("publish_kick", request="out"), op("drain_begin"), op("reset")),
    schedule=(Deviation(1, 2, Go.NEXT),),
)
ARTIFACT = Artifact(
    SCENARIO,
    device="qemu-8.1",
    mode="inline",
    expectation=Expectation("violation", "S1", "S1:pop in drained section"),
    trace_digest="0123456789abcdef",
    versions={"python": "3.11", "vblkfuzz": "0.1.0"},
)
DATA = dump_artifact(ARTIFACT)
RAW = encode(SCENARIO)
ANY = f"expected a scenario in TOML, an artifact, or a raw fuzz input of at most {MAX_BYTES} bytes"


def packed(**changes: object) -> bytes:
    """Return the artifact's bytes with some top-level fields changed."""
    document: Table = msgpack.unpackb(DATA)
    data: bytes = msgpack.packb({**document, **changes})
    return data


def problem_of(data: bytes) -> str:
    with pytest.raises(InputFileError) as caught:
        load_artifact(data, "a.vblk")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("a.vblk: ")
    return message.removeprefix("a.vblk: ")


@given(artifacts())
def test_every_artifact_comes_back(artifact: Artifact) -> None:
    data = dump_artifact(artifact)
    assert load_artifact(data, "") == artifact
    assert dump_artifact(load_artifact(data, "")) == data


@given(artifacts(max_ops=limits.MAX_OPS))
def test_the_size_is_within_the_limit(artifact: Artifact) -> None:
    assert len(dump_artifact(artifact)) < limits.MAX_ARTIFACT_BYTES // 10


def test_the_order_of_versions_has_no_meaning() -> None:
    swapped = Artifact(SCENARIO, versions={"b": "2", "a": "1"})
    assert dump_artifact(swapped) == dump_artifact(Artifact(SCENARIO, versions=dict(a="1", b="2")))


def test_the_document_can_be_read_by_any_messagepack_reader() -> None:
    document: dict[str, Any] = msgpack.unpackb(DATA)
    assert list(document) == [
        "format",
        "version",
        "scenario",
        "target",
        "device",
        "mode",
        "expect",
        "trace_digest",
        "versions",
    ]
    assert (document["format"], document["version"]) == ("vblkfuzz", 1)
    assert document["scenario"]["ops"][1] == {"op": "drain_begin", "wait": "poll"}
    assert document["scenario"]["schedule"] == [{"op": 1, "point": 2, "go": "next"}]


@pytest.mark.parametrize("size", range(len(DATA)))
def test_the_error_for_a_truncated_file_names_the_byte(size: int) -> None:
    expected = f"byte {size}: expected more of a vblkfuzz artifact, found the end"
    assert problem_of(DATA[:size]) == expected


def test_bytes_after_the_artifact_are_refused() -> None:
    assert problem_of(DATA + b"xyz") == f"byte {len(DATA)}: expected the end, found 3 more bytes"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format": "png"}, "format: expected vblkfuzz, found 'png'"),
        (
            {"version": 2, "news": 1},
            "version: expected at most 1 (a newer vblkfuzz wrote this), found 2",
        ),
        ({"version": 0}, "version: expected 1, found 0"),
        ({"version": None}, "version: expected 1, found nothing"),
        (
            {"news": 1},
            "expected only the keys format, version, scenario, target, device, mode, expect,"
            " trace_digest, versions, found 'news'",
        ),
        ({"scenario": None}, "scenario: expected a table, found nothing"),
        (
            {"scenario": {"extra": 1}},
            "scenario: expected only the keys ops, schedule, device, found 'extra'",
        ),
        (
            {"scenario": {"ops": [{"op": "kick", "queue": 9}]}},
            "scenario.ops[0].queue: expected an integer in 0..3, found 9",
        ),
        (
            {"scenario": {"device": {"iothreads": 3}}},
            "scenario.device.iothreads: expected 0..2, found 3",
        ),
        ({"mode": "fast"}, "mode: expected one of processes, inline, free, found 'fast'"),
        ({"device": 3}, "device: expected a text, found 3"),
        ({"target": []}, "target: expected a text, found an array"),
        ({"trace_digest": {}}, "trace_digest: expected a text, found a table"),
        ({"expect": "clean"}, "expect: expected a table, found 'clean'"),
        ({"versions": []}, "versions: expected a table, found an array"),
        ({"versions": {"python": 3}}, "versions.python: expected a text, found 3"),
    ],
)
def test_fields_that_do_not_fit(changes: dict[str, object], problem: str) -> None:
    assert problem_of(packed(**changes)) == problem


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xc1", "byte 0: expected a vblkfuzz artifact, found FormatError"),
        (b"GIF89a", "byte 0: expected a vblkfuzz artifact, found 71"),
        (b"\x80", "format: expected vblkfuzz, found nothing"),
        (b"\x81\x01\x02", "byte 2: expected a vblkfuzz artifact, found int is not allowed"),
        (b"\x81\xa1\xff\x01", "byte 2: expected a vblkfuzz artifact, found 'utf-8' codec"),
    ],
)
def test_foreign_files(data: bytes, problem: str) -> None:
    assert problem_of(data).startswith(problem)


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (b"\xdc\x00\x41", "max_array_len"),
        (b"\xdd\xff\xff\xff\xff", "max_array_len"),
        (b"\xde\x00\x41", "max_map_len"),
        (b"\xdf\xff\xff\xff\xff", "max_map_len"),
        (b"\xda\x10\x01" + bytes(0x1001), "max_str_len"),
        (b"\xc4\x01\x00", "max_bin_len"),
        (b"\xd4\x01\x00", "max_ext_len"),
    ],
)
def test_hostile_sizes_are_refused_before_memory_is_taken(data: bytes, limit: str) -> None:
    assert f"exceeds {limit}" in problem_of(data)


@pytest.mark.parametrize(
    "data",
    [b"\x91" * 100_000, b"\xdc\x00\x40" * 100_000, bytes(limits.MAX_ARTIFACT_BYTES + 1)],
    ids=["depth", "depth x 64", "size"],
)
def test_hostile_depth_and_size_are_refused(data: bytes) -> None:
    assert "expected a vblkfuzz artifact, found " in problem_of(data)


def test_a_device_is_only_a_name(tmp_path: Path) -> None:
    """Reading an artifact does not import the device it names."""
    code = tmp_path / "device.py"
    code.write_text("raise SystemExit('imported')")
    artifact = Artifact(SCENARIO, device=f"{code}:Device")
    assert load_artifact(dump_artifact(artifact), "").device == f"{code}:Device"


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: DATA[:60] + tail))
def test_any_bytes_are_an_artifact_or_an_input_file_error(data: bytes) -> None:
    try:
        artifact = load_artifact(data, "a.vblk")
    except InputFileError as error:
        assert str(error).startswith("a.vblk: ")
    else:
        assert load_artifact(dump_artifact(artifact), "") == artifact


@given(st.integers(0, len(DATA) - 1), st.integers(0, 255))
def test_one_wrong_byte_never_escapes(offset: int, byte: int) -> None:
    data = bytearray(DATA)
    data[offset] = byte
    try:
        load_artifact(bytes(data), "a.vblk")
    except InputFileError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["a.vblk", "finding", "a.toml", "crash-" + 40 * "0", "a.bin"])
def test_read_input_recognises_an_artifact(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(DATA)
    assert read_input(tmp_path / name) == ARTIFACT


@pytest.mark.parametrize("name", ["a.toml", "story", "a.vblk"])
def test_read_input_recognises_text(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(to_text(SCENARIO, "", Expectation("clean"), "reference"))
    expected = Artifact(SCENARIO, device="reference", expectation=Expectation("clean"))
    assert read_input(str(tmp_path / name)) == expected


def test_text_without_expectation_runs_on_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(to_text(SCENARIO))
    assert read_input(tmp_path / "a.toml") == Artifact(SCENARIO)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("gone.vblk", None, "expected a readable file: No such file or directory"),
        ("empty.vblk", b"", "byte 0: expected more of a vblkfuzz artifact, found the end"),
        ("empty.toml", b"", "format: expected 1, found nothing"),
        ("text.toml", b"format = 1 # \xff", "byte 13: expected UTF-8 text"),
        ("cut.vblk", b"\x00\x01", "byte 0: expected a vblkfuzz artifact, found 0"),
        (
            "cut",
            DATA[:-1],
            f"byte {len(DATA) - 1}: expected more of a vblkfuzz artifact, found the end",
        ),
        ("data.toml", b"\xff\x00", "byte 0: expected UTF-8 text"),
        (
            "README",
            b"A device",
            f"line 1 column 3: expected TOML: Expected '=' after a key in a key/value pair ({ANY})",
        ),
        ("picture", bytes(MAX_BYTES + 1), f"{ANY}, found {MAX_BYTES + 1} bytes"),
        ("large.toml", b"#" * (limits.MAX_ARTIFACT_BYTES + 1), "expected at most 1048576 bytes"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFileError) as caught:
        read_input(path)
    assert str(caught.value) == f"{path}: {problem}"
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("crash-da39a3ee5e6b4b0d3255bfef95601890afd80709", RAW),
        ("timeout-da39a3ee5e6b4b0d3255bfef95601890afd80709", b"all of it is text"),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", b""),
        ("input.bin", b"format = 1"),
        ("any", RAW),
        ("white", b"\n"),
    ],
)
def test_read_input_recognises_a_raw_input(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    file = read_input_file(tmp_path / name)
    assert file.artifact == Artifact(decode(data))
    assert file.raw == data
    assert file.guessed(str(tmp_path / name)) == (name in ("any", "white"))


@pytest.mark.parametrize("name", ["a.toml", "a.vblk"])
def test_what_promises_another_form_is_no_raw_input(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(RAW)
    with pytest.raises(InputFileError):
        read_input(tmp_path / name)


@given(scenarios())
def test_the_bytes_of_a_scenario_are_no_other_form(scenario: Scenario) -> None:
    assert form_of("x", encode(scenario)) is Form.RAW


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="expected a file, found a folder"):
        read_input(tmp_path)
