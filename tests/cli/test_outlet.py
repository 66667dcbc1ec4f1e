"""A reader that does not read keeps nobody from going on, and gets in order what was taken."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import WAIT_S, until
from vblkfuzz.cli.outlet import Outlet
from vblkfuzz.errors import InputFileError
from vblkfuzz.store.history import read_history

MOST = 100_000
"""More than a pipe holds."""


@contextmanager
def a_pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    try:
        yield reading, writing
    finally:
        for descriptor in (reading, writing):
            os.close(descriptor)


def taken(reading: int, most: int) -> bytes:
    try:
        return os.read(reading, most)
    except BlockingIOError:
        return b""


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(1, 40_000)),
            st.tuples(st.just("read"), st.integers(1, 70_000)),
        ),
        max_size=20,
    )
)
def test_what_was_accepted_arrives_whole_and_in_order(steps: list[tuple[str, int]]) -> None:
    with a_pipe() as (reading, writing):
        outlet, sent, got = Outlet(writing, MOST), b"", b""
        for number, (what, size) in enumerate(steps):
            message = bytes([number]) * size
            if what == "read":
                got += taken(reading, size)
            elif outlet.write(message):
                sent += message
            else:
                assert len(sent) - len(got) + size > MOST
        while not outlet.drain(0) or len(got) < len(sent):
            got += taken(reading, MOST)
        assert got == sent


def test_the_descriptor_of_others_stays_as_it_is() -> None:
    """A shell has the same terminal, and expects that its reads and writes wait."""
    with a_pipe() as (_, writing):
        assert Outlet(writing, MOST).write(b"x")
        assert os.get_blocking(writing)


def test_without_a_description_of_its_own_it_waits_for_nobody_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As without /proc."""
    with a_pipe() as (reading, writing):
        monkeypatch.setattr("vblkfuzz.cli.outlet._reopened", lambda descriptor: descriptor)
        outlet = Outlet(writing, MOST)
        assert outlet.write(b"x" * MOST) and not outlet.drain(0)
        got = b""
        while not outlet.drain(0) or len(got) < MOST:
            got += taken(reading, MOST)
        assert outlet.drain(inf) and got == b"x" * MOST


def test_a_reader_that_has_gone_is_an_error_at_once() -> None:
    reading, writing = os.pipe()
    outlet = Outlet(writing, MOST)
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        outlet.write(b"x")
    assert outlet.drain(inf)
    os.close(writing)


SETUP = ("--runs", "3", "--workers", "1", "--seed", "3", "--mode", "inline", "--no-minimize")


def fill(writing: int) -> None:
    os.set_blocking(writing, False)
    try:
        while os.write(writing, b"x"):
            pass
    except BlockingIOError:
        os.set_blocking(writing, True)


@pytest.mark.e2e
@pytest.mark.parametrize("as_json", [True, False])
def test_nobody_reads_the_messages_of_a_campaign(as_json: bool, tmp_path: Path) -> None:
    with a_pipe() as (_, writing):
        fill(writing)
        more = ("--json",) if as_json else ()
        done = subprocess.run(
            [sys.executable, "-m", "vblkfuzz", "fuzz", *more, *SETUP, "--out", tmp_path],
            stdout=subprocess.PIPE,
            stderr=writing,
            timeout=WAIT_S,
            check=False,
        )
    assert done.returncode in (0, 77)
    assert done.stdout.decode().count("essages on standard error") == 1
    assert "not read in time" in done.stdout.decode()
    (record,) = read_history(tmp_path / "campaign.sqlite").campaigns
    assert (record.execs, record.status) == (3, done.returncode)


@pytest.mark.e2e
def test_nobody_reads_the_lines_of_a_campaign_until_it_has_ended(tmp_path: Path) -> None:
    """All of them are there then."""
    with a_pipe() as (reading, writing):
        fill(writing)
        with subprocess.Popen(
            [sys.executable, "-m", "vblkfuzz", "fuzz", "--json", *SETUP, "--out", tmp_path],
            stdout=writing,
            stderr=subprocess.DEVNULL,
        ) as process:
            until(lambda: ended(tmp_path))
            got = b""
            while process.poll() is None:
                got += taken(reading, MOST)
        got += taken(reading, MOST)
    lines = got.lstrip(b"x").splitlines()
    assert lines[0].startswith(b'{"event": "start"')
    assert lines[-1].startswith(b'{"event": "end"')


def ended(out: Path) -> bool:
    try:
        return any(one.ended for one in read_history(out / "campaign.sqlite").campaigns)
    except InputFileError:  # it is about to be made
        return False
