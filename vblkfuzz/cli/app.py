"""The `vblkfuzz` command: its verbs, and how every way of ending becomes an exit code.

Each verb is a function in a file of its own; its signature is its interface. A verb imports what
it needs when it runs, so that ``--help`` and ``list`` do not load the fuzzing engine. To add one,
write its file and register it here.
"""

from __future__ import annotations

import os
import sys
import traceback
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from vblkfuzz.cli.bench import bench, core, detection, qemu, qsd
from vblkfuzz.cli.bisect import bisect
from vblkfuzz.cli.cmin import cmin
from vblkfuzz.cli.complaint import say_error
from vblkfuzz.cli.encode import encode
from vblkfuzz.cli.explore import explore
from vblkfuzz.cli.export import export
from vblkfuzz.cli.fuzz import fuzz
from vblkfuzz.cli.list import list_
from vblkfuzz.cli.merge import merge
from vblkfuzz.cli.minimize import minimize
from vblkfuzz.cli.replay import replay
from vblkfuzz.cli.show import show
from vblkfuzz.cli.status import status
from vblkfuzz.cli.triage import triage
from vblkfuzz.errors import ExitStatus, VblkfuzzError

if TYPE_CHECKING:
    # The base class of groups; typer has click inside, or beside it, depending on its version.
    from typer import Context

_SIGPIPE_STATUS: Final = 128 + 13
"""What a shell says of a program whose reader left; our own codes would claim a verdict."""


class Verbs(TyperGroup):
    """The group of all verbs; ends each in the exit code of what it raised."""

    def invoke(self, ctx: Context) -> Any:  # type: ignore[override]  # noqa: ANN401  # as click
        """Run a verb."""
        try:
            said = super().invoke(ctx)
            sys.stdout.flush()
            return said
        except VblkfuzzError as error:
            say_error(error)
            raise SystemExit(int(error.exit_status)) from None
        except KeyboardInterrupt:
            raise SystemExit(int(ExitStatus.USER_STOP)) from None
        except BrokenPipeError:
            _forget_stdout()
            raise SystemExit(_SIGPIPE_STATUS) from None


def _forget_stdout() -> None:
    """Let the interpreter's last flush go nowhere; it would complain about the pipe again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def examples(*commands: str) -> str:
    r"""Return the end of a verb's help. ``\b`` keeps click from joining the lines."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            print(f"vblkfuzz {version('vblkfuzz')}")
        except PackageNotFoundError:
            print("vblkfuzz (a checkout that is not installed)")
        raise typer.Exit


app = typer.Typer(
    name="vblkfuzz",
    cls=Verbs,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("vblkfuzz fuzz --max-total-time 60", "vblkfuzz replay vblkfuzz-out/findings/"),
)


@app.callback()
def vblkfuzz(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Fuzz virtio-blk devices: guest and device in several processes, every schedule chosen.

    Exit codes: 0 clean, 2 usage or unreadable input, 77 violation found, 125 no verdict possible,
    130 stopped by the user.
    """


app.command(
    "fuzz",
    short_help="Run a campaign and save what it finds.",
    epilog=examples(
        "vblkfuzz fuzz --max-total-time 60",
        "vblkfuzz fuzz --device reference --workers 1 --runs 10000 --seed 7 --json",
    ),
)(fuzz)
bench.command(
    "core",
    short_help="Executions per second, inline and in processes.",
    epilog=examples("vblkfuzz bench core", "vblkfuzz bench core --rounds 100 --json"),
)(core)
bench.command(
    "detection",
    short_help="How soon planted bugs are found; with feedback, without.",
    epilog=examples(
        "vblkfuzz bench detection",
        "vblkfuzz bench detection --defect wakes_one --seeds 10 --json",
    ),
)(detection)
bench.command(
    "qemu",
    short_help="Drained windows per second, in one real QEMU.",
    epilog=examples("vblkfuzz bench qemu", "vblkfuzz bench qemu --no-iothread --json"),
)(qemu)
bench.command(
    "qsd",
    short_help="Sessions per second, on one real storage daemon.",
    epilog=examples("vblkfuzz bench qsd", "vblkfuzz bench qsd --no-iothread --json"),
)(qsd)
app.add_typer(
    bench, name="bench", epilog=examples("vblkfuzz bench core", "vblkfuzz bench core --json")
)
app.command(
    "replay",
    epilog=examples(
        "vblkfuzz replay vblkfuzz-out/findings/ --json",
        "vblkfuzz replay finding.vblk --mode inline --repeat 100",
    ),
)(replay)
app.command(
    "show",
    epilog=examples("vblkfuzz show finding.vblk", "vblkfuzz show finding.vblk > scenario.toml"),
)(show)
app.command(
    "encode",
    epilog=examples(
        "vblkfuzz encode scenario.toml -o scenario.vblk",
        "vblkfuzz encode scenario.toml -o scenario.vblk --force",
    ),
)(encode)
app.command(
    "triage",
    short_help="List the findings of a campaign, or tell the story of one.",
    epilog=examples(
        "vblkfuzz triage vblkfuzz-out",
        "vblkfuzz triage vblkfuzz-out show s1-reset-stop",
    ),
)(triage)
app.command(
    "export",
    short_help="Write findings in a form that others can run or look at.",
    epilog=examples(
        "vblkfuzz export finding.vblk --to perfetto -o trace.json",
        "vblkfuzz export scenario.toml --to perfetto -o trace.json --device qemu-8.1",
    ),
)(export)
app.command(
    "cmin",
    short_help="Write a corpus with the same features and fewer inputs.",
    epilog=examples(
        "vblkfuzz cmin vblkfuzz-out/corpus -o small-corpus",
        "vblkfuzz cmin corpus/seed my-corpus -o small-corpus --json",
    ),
)(cmin)
app.command(
    "merge",
    short_help="Add inputs of other corpora that have new features.",
    epilog=examples(
        "vblkfuzz merge my-corpus vblkfuzz-out/corpus",
        "vblkfuzz merge my-corpus corpus/seed corpus/regress --json",
    ),
)(merge)
app.command(
    "bisect",
    short_help="Say which revisions or QEMU binaries show a bug.",
    epilog=examples(
        "vblkfuzz bisect corpus/regress/s1-wrong-context",
        "vblkfuzz bisect finding.vblk --binaries v8.2/qemu v9.0/qemu --repeat 5",
    ),
)(bisect)
app.command(
    "explore",
    short_help="Run an input under every schedule of a few deviations.",
    epilog=examples(
        "vblkfuzz explore corpus/regress/s1-reset-in-drain --device reference",
        "vblkfuzz explore scenario.toml --deviations 3 --runs 100000 --json",
    ),
)(explore)
app.command(
    "minimize",
    epilog=examples(
        "vblkfuzz minimize vblkfuzz-out/findings/SIGNATURE/finding.vblk -o small.toml",
        "vblkfuzz minimize finding.vblk -o small.vblk --mode inline --json",
    ),
)(minimize)
app.command(
    "status",
    epilog=examples("vblkfuzz status vblkfuzz-out", "vblkfuzz status vblkfuzz-out --json"),
)(status)
app.command(
    "list",
    epilog=examples("vblkfuzz list rules", "vblkfuzz list devices --json"),
)(list_)


def main() -> NoReturn:
    """Run the command line; an exception that no verb expects is reported as our bug."""
    try:
        app(prog_name="vblkfuzz")
    except KeyboardInterrupt:  # while a verb was being looked up
        sys.exit(ExitStatus.USER_STOP)
    except Exception:
        traceback.print_exc()
        print("vblkfuzz: the error above is a bug in vblkfuzz; please report it", file=sys.stderr)
        sys.exit(ExitStatus.HARNESS)
    sys.exit(ExitStatus.CLEAN)
