"""Options of real targets as words of a command line."""

from __future__ import annotations

from dataclasses import replace

import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.triage.stories import case
from vblkfuzz.cli.options.target import takes_target_options
from vblkfuzz.targets.options import NO_OPTIONS, TargetOptions
from vblkfuzz.triage.case import replay_command
from vblkfuzz.triage.outcome import Setup
from vblkfuzz.triage.replay_target import Options, ReplayTarget

PATHS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8)
OPTIONS = st.builds(
    TargetOptions,
    **dict.fromkeys(
        ["qemu_binary", "qsd_binary", "vhost_user_socket", "vhost_user_command"], PATHS
    ),
    iothread=st.sampled_from([None, True, False]),
    rss_limit_mb=st.integers(0, 1 << 20),
)


@given(OPTIONS)
def test_words_are_what_the_command_line_takes(options: TargetOptions) -> None:
    taken: list[TargetOptions] = []

    @takes_target_options
    def verb(*, target_options: TargetOptions) -> None:
        taken.append(target_options)

    app = typer.Typer()
    app.command()(verb)
    result = CliRunner().invoke(app, options.words)
    assert result.exit_code == 0, result.output
    assert taken == [options]


def test_what_is_not_set_is_left_out() -> None:
    assert NO_OPTIONS.words == []
    assert TargetOptions(iothread=False).words == ["--no-iothread"]


def test_a_replay_command_repeats_them_where_they_mean_something() -> None:
    options = TargetOptions(qemu_binary="/my qemu", iothread=True)
    asked = Options(target="model", mode="inline", target_options=options)
    with ReplayTarget(asked) as target:
        outcome = target.replay("x.vblk", case().outcome.artifact, 1)
    assert "--" not in replay_command(outcome).partition("--mode inline")[2]
    real = replace(outcome, setup=Setup("qemu", "virtio-blk-pci", "processes"))
    assert replay_command(real) == (
        "vblkfuzz replay x.vblk --device virtio-blk-pci --mode processes --target qemu "
        "--qemu-binary '/my qemu' --iothread"
    )
