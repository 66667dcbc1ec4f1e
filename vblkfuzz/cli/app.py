"""The `vblkfuzz` command: finds its verbs and maps every outcome to an exit code.

Each file in `cli.verbs` defines one verb (`cli.verb`). A verb imports what it needs when it runs,
so that ``--help`` and ``list`` do not load the fuzzing engine.
"""

from __future__ import annotations

import sys
import traceback
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from vblkfuzz._build import build
from vblkfuzz.cli import verbs
from vblkfuzz.cli.options.empty_argument import refuse_empty
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say_error
from vblkfuzz.errors import (
    ExitStatus,
    HarnessError,
    OutputLost,
    Stopped,
    VblkfuzzError,
    too_many_files,
)
from vblkfuzz.foreign_code import end, shown, was_imported

if TYPE_CHECKING:
    from collections.abc import Iterator

    # From typer, not from click: some versions of typer include click, others depend on it.
    from typer import Context


class Verbs(TyperGroup):
    """The group of all verbs; turns the errors that a verb raises into exit codes."""

    def main(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401  # as click
        """Parse the command line and run a verb, or print the help."""
        with _exit_codes():
            try:
                return super().main(*args, **more)
            finally:
                sys.stdout.flush()

    def invoke(self, ctx: Context) -> Any:  # type: ignore[override]  # noqa: ANN401  # as click
        """Run a verb; click has exit codes of its own for some errors that leave it."""
        with _exit_codes():
            try:
                return super().invoke(ctx)
            except SystemExit as error:  # a verb of ours raises typer.Exit
                raise HarnessError(
                    f"code of a device or a package ends it: {shown(error)}"
                ) from error


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Exit with the code of the error that is raised, after one line about it."""
    try:
        yield
    except OutputLost as error:
        if not error.reader_left:
            say_error(error)
        raise SystemExit(error.status) from None
    except VblkfuzzError as error:
        say_error(error)
        raise SystemExit(int(error.exit_status)) from None
    except Stopped as stopped:
        raise SystemExit(stopped.status) from None
    except KeyboardInterrupt:
        raise SystemExit(int(ExitStatus.USER_STOP)) from None
    except OSError as error:
        if not (advice := too_many_files(error)):
            raise
        say_error(HarnessError(advice))
        raise SystemExit(int(ExitStatus.HARNESS)) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            print(f"vblkfuzz {version('vblkfuzz')} ({build()})")
        except PackageNotFoundError:
            print("vblkfuzz (a checkout that is not installed)")
        raise typer.Exit


_EPILOG: Final = """\b
Examples:
  vblkfuzz fuzz --max-total-time 60
  vblkfuzz replay vblkfuzz-out/findings/"""

app = typer.Typer(
    name="vblkfuzz",
    cls=Verbs,
    add_completion=True,  # --install-completion, --show-completion
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
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
    """Fuzz virtio-blk devices: guest and device in several processes, under chosen schedules.

    Exit codes: 0 clean, 1 doctor: something is missing, 2 usage or unreadable input, 70 inputs
    hung, 72 stopped by SIGTERM or SIGHUP, 77 violation found, 125 no verdict possible, 130 stopped
    by the user.
    """


def _add(group: typer.Typer, verb: Verb) -> None:
    """Add a verb, or a group with its verbs."""
    if not verb.verbs:
        command = group.command(
            verb.name, cls=_command(verb), short_help=verb.summary or None, epilog=verb.epilog
        )
        command(verb.run)
        return
    inner = typer.Typer(no_args_is_help=True)
    inner.callback()(verb.run)
    for one in verb.verbs:
        _add(inner, one)
    group.add_typer(inner, name=verb.name, epilog=verb.epilog)


def _command(verb: Verb) -> type[TyperCommand]:
    """Return a class of commands with the usage of this verb, and its way to read arguments."""

    class Command(TyperCommand):
        # override: the Context of the class above is that of click or of a copy in typer.
        def parse_args(self, ctx: Context, args: list[str]) -> list[str]:  # type: ignore[override]
            words = verb.rewrite(args) if verb.rewrite else args
            if not ctx.resilient_parsing:  # as for completion, where a word may be empty
                given, _, _ = self.make_parser(ctx).parse_args([*words])
                refuse_empty(given, self.params)  # type: ignore[arg-type]  # of typer, all
            return super().parse_args(ctx, words)

        def collect_usage_pieces(self, ctx: Context) -> list[str]:  # type: ignore[override]
            return [verb.usage] if verb.usage else super().collect_usage_pieces(ctx)

    return Command


def _written() -> list[Verb]:
    """Return the verbs in the files of `cli.verbs`, by name."""
    return [_verb_in(module.name) for module in iter_modules(verbs.__path__)]


def _verb_in(name: str) -> Verb:
    """Return the verb of a file; since it is named like the file, no two have one name."""
    module = import_module(f"{verbs.__name__}.{name}")
    verb = getattr(module, "VERB", None)
    if not isinstance(verb, Verb) or verb.name != name:
        raise TypeError(f"{module.__file__}: expected VERB = Verb({name}, ...), found {verb!r}")
    return verb


for _verb in _written():
    _add(app, _verb)


def main() -> NoReturn:
    """Run the command line, and end the process whatever a user's module has left behind."""
    try:
        _main()
    except SystemExit as ended:
        if was_imported() and isinstance(ended.code, int | None):
            end(ended.code or 0)
        raise


def _main() -> NoReturn:
    """Run the command line; an unexpected exception is reported as a bug of vblkfuzz."""
    try:
        app(prog_name="vblkfuzz")
    except Stopped as stopped:  # before the verb was invoked
        sys.exit(stopped.status)
    except KeyboardInterrupt:
        sys.exit(ExitStatus.USER_STOP)
    except Exception:
        traceback.print_exc()
        print("vblkfuzz: the error above is a bug in vblkfuzz; please report it", file=sys.stderr)
        sys.exit(ExitStatus.HARNESS)
    sys.exit(ExitStatus.CLEAN)
