"""Options of a time: which forms they take, and one line about all others."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import get_type_hints

import pytest

from tests.cli.command_line import options, verbs
from tests.cli.conftest import Cli
from vblkfuzz.cli.options.budget import span
from vblkfuzz.errors import UsageError

_TIMES = {
    ("fuzz",): "--max-total-time",
    ("bench", "detect"): "--max-total-time",
    ("ci",): "--budget",
    ("cluster",): "--max-total-time",
    ("compare",): "--minutes",
}
_NONE = ("nan", "inf", "-inf", "-1", "1e3", "8x", "m", "1h30", "٣", "1 m", "9" * 12, "2.5m")


@pytest.mark.parametrize("verb", _TIMES, ids="-".join)
@pytest.mark.parametrize("text", _NONE)
def test_what_is_no_time(cli: Cli, tmp_path: Path, verb: tuple[str, ...], text: str) -> None:
    option = _TIMES[verb]
    out = () if verb[0] == "bench" else ("--out", tmp_path / "out")
    done = cli(*verb, f"{option}={text}", *out)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"vblkfuzz: {option}: expected a time such as 8m, 90s, 1h30m")
    assert done.stderr.endswith(f"; found {text!r}\n")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("0.5", 0.5), ("8m", 480), ("90s", 90), ("1h30m", 5400), ("1h1s", 3601)],
)
def test_what_is_one(text: str, seconds: float) -> None:
    assert span("--budget")(text) == seconds
    alone = 60 if text[-1].isdigit() else 1
    assert span("--minutes", "minutes")(text) == pytest.approx(seconds * alone / 60)


def test_zero_has_a_meaning_or_is_refused() -> None:
    assert span("--max-total-time", zero="no limit")("0") == 0
    with pytest.raises(UsageError, match="more than 0, at most a year; found '0s'"):
        span("--budget")("0s")


def test_every_option_of_a_number_that_is_not_whole_is_a_time() -> None:
    """A range of typer's own lets nan through, or says what the user cannot read."""
    found = {
        (names, one.opts[0])
        for names, command in verbs()
        for one in command.params
        if _is_float(command.callback, one.name)
    }
    assert found == {*_TIMES.items()}
    assert found == {(names, one.opts[0]) for names, one in options() if one.metavar == "TIME"}


def _is_float(callback: object, name: str) -> bool:
    verb = inspect.unwrap(callback)  # type: ignore[arg-type]  # a function, as typer has it
    hint = get_type_hints(verb).get(name)
    return hint in (float, float | None)
