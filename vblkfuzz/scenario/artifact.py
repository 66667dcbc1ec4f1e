"""The artifact (`.vblk`): an input with everything needed to run and judge it again.

A MessagePack map: the scenario as a document (`vblkfuzz.scenario.document`), the target, device and
mode it ran on, the expected verdict, the digest of its trace, and the versions of the packages that
produced it. The layout is canonical: ``dump_artifact(load_artifact(data)) == data`` for data that
this version wrote.

An artifact is not trusted. The device is only a name here and is not imported. Sizes and nesting
are bounded while unpacking. Any bytes give an `Artifact` or an `InputFileError`.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import Final, Literal, NamedTuple, cast, get_args

import msgpack

from vblkfuzz import limits
from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.document import SCENARIO_KEYS, document_of, expectation_of, scenario_of
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.field import (
    FieldError,
    Table,
    choice_at,
    mismatch,
    table_at,
    text_at,
    version_at,
)
from vblkfuzz.scenario.file_bytes import read_at_most
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.scenario.input_form import Form, form_of, is_input_among_others, is_raw_name
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import read_text, to_text

FORMAT: Final = "vblkfuzz"
VERSION: Final = 1
"""Version of the artifact. Newer files are refused; older ones stay readable."""

Mode = Literal["processes", "inline", "free"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
DEFAULT_TARGET: Final = "model"
DEFAULT_DEVICE: Final = "patch-v4"

_MAX_KEYS: Final = 64
_MAX_TEXT: Final = 4096
"""Longest text in an artifact (bytes): the limit of a path on Linux (PATH_MAX)."""

_ANY_FORM: Final = (
    f"expected a scenario in TOML, an artifact, or a raw fuzz input of at most {MAX_BYTES} bytes"
)
_KEYS: Final = (
    "format",
    "version",
    "scenario",
    "target",
    "device",
    "mode",
    "expect",
    "trace_digest",
    "versions",
)


@dataclass(frozen=True, slots=True)
class Artifact:
    """One input, the target and device it runs on, and the expected verdict."""

    scenario: Scenario
    target: str = DEFAULT_TARGET
    device: str = DEFAULT_DEVICE
    """Name of a revision, ``package.module:Class`` or ``file.py:Class``; not imported here."""
    mode: Mode = "processes"
    expectation: Expectation | None = None
    trace_digest: str = ""
    """`Trace.digest` of the stored run; empty: not known."""
    versions: dict[str, str] = field(default_factory=dict)
    """Version by name, of the packages that produced the file and of the program that it ran on."""


def dump_artifact(artifact: Artifact) -> bytes:
    """Return the bytes of a `.vblk` file."""
    expectation = artifact.expectation
    document = {
        "format": FORMAT,
        "version": VERSION,
        "scenario": document_of(artifact.scenario),
        "target": artifact.target,
        "device": artifact.device,
        "mode": artifact.mode,
        "expect": asdict(expectation) if expectation else None,
        "trace_digest": artifact.trace_digest,
        "versions": dict(sorted(artifact.versions.items())),
    }
    packed: bytes = msgpack.packb(document)
    return packed


def artifact_text(artifact: Artifact, comment: str = "") -> str:
    """Return an artifact as text, with `comment` above it.

    The text form has no mode, trace digest and versions.
    """
    target = "" if artifact.target == DEFAULT_TARGET else artifact.target
    return to_text(artifact.scenario, comment, artifact.expectation, artifact.device, target)


def load_artifact(data: bytes, path: str) -> Artifact:
    """Return the artifact in the bytes of a `.vblk` file; `path` is the file name used in errors.

    Raises:
        InputFileError: the data is truncated, no artifact or of a newer version, or a field is out
            of range.
    """
    try:
        return _artifact_of(_unpack(data))
    except FieldError as error:
        raise InputFileError(path, error.place, error.problem) from None


def _unpack(data: bytes) -> Table:
    """Return the map in `data`. The place of an error is the byte where unpacking stopped."""
    unpacker = msgpack.Unpacker(
        max_buffer_size=limits.MAX_ARTIFACT_BYTES,
        max_array_len=limits.MAX_OPS,
        max_map_len=_MAX_KEYS,
        max_str_len=_MAX_TEXT,
        max_bin_len=0,
        max_ext_len=0,
    )
    expected = "a vblkfuzz artifact"
    try:
        unpacker.feed(data)
        document = unpacker.unpack()
    except msgpack.OutOfData:
        raise FieldError(
            f"byte {len(data)}", f"expected more of {expected}, found the end"
        ) from None
    # msgpack documents that unpacking bad bytes may raise any exception.
    except Exception as error:
        found = str(error) or type(error).__name__
        raise FieldError(f"byte {unpacker.tell()}", f"expected {expected}, found {found}") from None
    if not isinstance(document, dict):
        raise mismatch("byte 0", expected, document)
    if unpacker.tell() != len(data):
        rest = len(data) - unpacker.tell()
        raise FieldError(f"byte {unpacker.tell()}", f"expected the end, found {rest} more bytes")
    return document


def _artifact_of(document: Table) -> Artifact:
    if document.get("format") != FORMAT:
        raise mismatch("format", FORMAT, document.get("format"))
    version_at("version", document.get("version"), VERSION)
    table_at("", document, _KEYS)
    mode = choice_at("mode", document.get("mode", "processes"), MODES)
    expect = document.get("expect")
    target = text_at("target", document.get("target", DEFAULT_TARGET))
    device = text_at("device", document.get("device", DEFAULT_DEVICE))
    return Artifact(
        _scenario_of(document.get("scenario")),
        target,
        current_name(device) if target == DEFAULT_TARGET else device,
        cast(Mode, mode),
        None if expect is None else expectation_of(expect)[0],
        text_at("trace_digest", document.get("trace_digest", "")),
        _versions_of(document.get("versions", {})),
    )


def _scenario_of(value: object) -> Scenario:
    table = table_at("scenario", value, SCENARIO_KEYS)
    try:
        return scenario_of(table)
    except FieldError as error:
        raise FieldError(f"scenario.{error.place}", error.problem) from None


def _versions_of(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise mismatch("versions", "a table", value)
    return {name: text_at(f"versions.{name}", version) for name, version in value.items()}


class InputFile(NamedTuple):
    """The contents of an input file."""

    artifact: Artifact
    form: Form
    raw: bytes
    """The raw fuzz input; of a file with one, what the file holds."""

    def guessed(self, path: str) -> bool:
        """Whether only the content, which may be anything, says that it is a raw fuzz input."""
        return self.form is Form.RAW and not is_raw_name(PurePath(path).name)


def read_input(path: str | os.PathLike[str]) -> Artifact:
    """Return the input in a file of any form, see `read_input_file`."""
    return read_input_file(path).artifact


def read_input_file(path: str | os.PathLike[str]) -> InputFile:
    """Return the contents of an input file: artifact, text or raw fuzz input.

    `scenario.input_form` says how the form is recognised. A text runs on the target and the
    device that its expectation names; a raw input on the default target and device.

    Raises:
        InputFileError: the file cannot be read, is larger than `limits.MAX_ARTIFACT_BYTES` (a raw
            input: `codec.MAX_BYTES`), is empty without the name of a raw input, or holds no valid
            input (see `load_artifact` and `text.read_text`).
    """
    name = os.fspath(path)
    data = _beginning_of(name)
    form = _form_in(name, data)
    if form is Form.RAW:
        return InputFile(Artifact(decode(data)), form, data)
    artifact = _artifact_in(name, data, form)
    return InputFile(artifact, form, encode(artifact.scenario))


def raw_input_among_others(path: str) -> bytes | None:
    """Return the raw fuzz input of a file of a folder, see `read_input_file`; it is not decoded.

    None: the file is not meant as an input (`scenario.input_form`).
    """
    data = _beginning_of(path)
    if 0 < len(data) <= MAX_BYTES and form_of(path, data) is Form.RAW:
        return data  # at once: of 50,000 files, most are that
    return _raw_input_in(path, data) if is_input_among_others(path, data[:MAX_BYTES]) else None


def _raw_input_in(name: str, data: bytes) -> bytes:
    form = _form_in(name, data)
    return data if form is Form.RAW else encode(_artifact_in(name, data, form).scenario)


def _form_in(name: str, data: bytes) -> Form:
    """Return the form of the content of a file, if it is not too large for that.

    Raises:
        InputFileError: it is.
    """
    if len(data) > limits.MAX_ARTIFACT_BYTES:
        raise InputFileError(name, "", f"expected at most {limits.MAX_ARTIFACT_BYTES} bytes")
    form = form_of(name, data)
    if form is Form.RAW and not data and not is_raw_name(os.path.basename(name)):
        raise InputFileError(name, "", "expected an input, found an empty file")
    if form is Form.RAW and len(data) > MAX_BYTES:
        raise InputFileError(name, "", f"{_ANY_FORM}, found {len(data)} bytes")
    return form


def _artifact_in(name: str, data: bytes, form: Form) -> Artifact:
    return load_artifact(data, name) if form is Form.ARTIFACT else _of_text(data, name)


def _of_text(data: bytes, name: str) -> Artifact:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputFileError(name, f"byte {error.start}", "expected UTF-8 text") from None
    try:
        scenario, expectation, device, target = read_text(text, name)
    except InputFileError as error:
        if name.endswith(".toml"):
            raise
        raise InputFileError(name, error.place, f"{error.problem} ({_ANY_FORM})") from None
    return Artifact(
        scenario, target or DEFAULT_TARGET, device or DEFAULT_DEVICE, expectation=expectation
    )


def _beginning_of(name: str) -> bytes:
    """Return the content of a file; of a larger one than there may be, one byte too many.

    Raises:
        InputFileError: it cannot be read.
    """
    try:
        return read_at_most(name, limits.MAX_ARTIFACT_BYTES + 1)
    except IsADirectoryError:
        raise InputFileError(name, "", "expected a file, found a folder") from None
    except OSError as error:
        raise InputFileError(name, "", f"expected a readable file: {error.strerror}") from None
