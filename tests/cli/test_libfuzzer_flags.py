"""Flags of libFuzzer before ``--``: their options, and what to use where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from vblkfuzz.cli.options.libfuzzer_flags import from_libfuzzer
from vblkfuzz.errors import UsageError


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        ("-runs=1000 -seed=7", "--runs 1000 --seed 7"),
        ("-runs=-1", "--runs 0"),
        ("-max_total_time=60", "--max-total-time 60"),
        ("-workers=3", "--workers 3"),
        ("-jobs=3", "--workers 3"),
        ("-jobs=0", "--workers 1"),
        ("-jobs=8 -workers=2", "--workers 2"),
        ("-fork=4", "--workers 4"),
        ("-rss_limit_mb=512", "--rss-limit-mb 512"),
        ("-rss_limit_mb=0", "--rss-limit-mb 0"),
        ("-ignore_crashes=1", ""),
        ("-ignore_crashes=0", "--stop-on-first"),
        ("-help=1", "--help"),
        ("--runs 5 -- -max_len=9 -runs=1", "--runs 5 -- -max_len=9 -runs=1"),
        ("--runs=5 -h", "--runs=5 -h"),
    ],
)
def test_flags_with_a_twin(flags: str, options: str) -> None:
    assert from_libfuzzer(flags.split()) == options.split()


@pytest.mark.parametrize(
    ("flag", "instead"),
    [
        ("-dict=words", "use --corpus"),
        ("-artifact_prefix=out/", "use --out"),
        ("-merge=1", "use vblkfuzz merge"),
        ("-minimize_crash=1", "use vblkfuzz minimize"),
        ("-runs=0", "use vblkfuzz replay CORPUS"),
        ("-timeout=25", "leave it out"),
        ("-malloc_limit_mb=2560", "use --rss-limit-mb"),
        ("-runs=abc", "expected a number from 0 on, found 'abc'"),
        ("-seed=-5", "expected a number from 0 on, found '-5'"),
        ("-run=10", "did you mean -runs=10?"),
        ("-max_totaltime=9", "did you mean -max_total_time=9?"),
        ("-nosuch=1", "goes after --: fuzz -- -nosuch=1"),
        ("-max_len=9", "goes after --: fuzz -- -max_len=9"),
    ],
)
def test_flags_without_one(flag: str, instead: str) -> None:
    with pytest.raises(UsageError) as refused:
        from_libfuzzer([flag])
    assert str(refused.value).startswith(f"{flag}: ")
    assert instead in str(refused.value)


def test_fuzz_takes_them(cli: Cli) -> None:
    assert cli("fuzz", "-help=1").exit_code == 0
    assert "Usage: vblkfuzz fuzz" in cli("fuzz", "-help=1").stdout
    refused = cli("fuzz", "-runs=5", "-dict=words")
    assert refused.exit_code == 2
    assert "-dict=words: vblkfuzz has no dictionaries; use --corpus" in refused.stderr
    assert cli("fuzz", "-runs=many").exit_code == 2


@pytest.mark.parametrize("words", [("corpus/", "-runs=10"), ("-runs=10", "corpus/", "more")])
def test_a_folder_names_its_option(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = cli("fuzz", *words, "--out", tmp_path / "out")
    instead = "a folder of inputs to start from is --corpus corpus/"
    said = f"vblkfuzz: libFuzzer argument corpus/: expected -flag=value; {instead}\n"
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", said)
    assert not (tmp_path / "out").exists()
