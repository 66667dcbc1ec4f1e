"""`vblkfuzz compare`: what guests see on several binaries, or which bugs a patch brings.

Exit code: 130 or 72 stopped; else 77 differences or new signatures; else 125 a run could not be
judged; else 2 a file of the corpus could not be read; else 0.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from vblkfuzz.cli.options import complete
from vblkfuzz.cli.options.budget import span
from vblkfuzz.cli.options.inputs import Json
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say, say_error
from vblkfuzz.errors import ExitStatus, HarnessError, InputFileError, UsageError
from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from vblkfuzz.compare.inputs import Input
    from vblkfuzz.targets.target import Target

_PATCH_MINUTES: Final = 10.0
"""Budget of a comparison of a patch, unless the user gives one."""
_TWO: Final = 2


_Target = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="What a BINARY is; see above.", autocompletion=complete.targets
    ),
]


def compare(  # noqa: PLR0913  # a verb's parameters are its options
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    binaries: Annotated[
        list[str] | None,
        typer.Option(metavar="BINARY...", help="Two or more to compare."),
    ] = None,
    base: Annotated[str, typer.Option(metavar="BINARY", help="Binary without a patch.")] = "",
    patched: Annotated[str, typer.Option(metavar="BINARY", help="The one with it.")] = "",
    target: _Target = "qemu",
    corpus: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Inputs, repeatable.  [default: the seeds of campaigns]"),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            parser=span("--minutes", "minutes", zero="the corpus once"),
            metavar="TIME",
            help="Minutes for all runs, or 90s.  [default: the corpus once; 10 with --base]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=1, help="Of the mutations.")] = 1,
    repeat: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Runs on each binary before a difference counts."),
    ] = 10,
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Output folder; results of an earlier comparison go to earlier/."
        ),
    ] = Path("vblkfuzz-compare"),
    as_json: Json = False,
    iothread: Annotated[
        bool | None,
        typer.Option(
            "--iothread/--no-iothread",
            help="Dataplane in an IOThread, or in the main loop.  [default: as in the scenario]",
        ),
    ] = None,
) -> None:
    """Show what guests see differently on several binaries, or which bugs a patch brings.

    With --binaries: runs the corpus on all of them, and shows where a guest gets other answers,
    with the scenario. What a device is free to do, such as when it serves a request, is not
    compared. Each operation settles before the next.

    With --base and --patched: runs the same inputs on both in turn, the corpus and then mutations
    of it. Signatures that only the patched binary shows are new, those that only the base shows
    are gone.

    BINARY is a qemu-system-x86_64; with --target qsd a qemu-storage-daemon, with vhost-user a
    command that starts a back-end, with model a revision.

    DIR gets compare.json, and the scenarios or findings. Exit code: 130 or 72 stopped; else 77
    differences, or new signatures; else 125 a run could not be judged; else 2 a file could not be
    read; else 0.
    """
    names = _names(binaries, more, base, patched)
    default = 0 if binaries else _PATCH_MINUTES
    budget = default if minutes is None else minutes
    options = TargetOptions(iothread=iothread)
    plan = _Plan(target, names, options, corpus or [], budget, seed, repeat, out)
    found = (_behaviour if binaries else _signatures)(plan)
    if as_json:
        print(json.dumps(found.json))
    else:
        found.print()
    raise typer.Exit(found.status)


def _names(
    binaries: list[str] | None, more: list[str] | None, base: str, patched: str
) -> list[str]:
    """Return the names of the binaries to compare.

    Raises:
        UsageError: they are too few, or both forms of the verb are mixed.
    """
    names = [*(binaries or ()), *(more or ())]
    if more and not binaries:
        if not more[0]:
            raise UsageError("expected binaries after --binaries, found an empty argument")
        raise UsageError(f"{more[0]}: unexpected; name binaries after --binaries")
    if binaries and (base or patched):
        raise UsageError("--binaries: expected without --base and --patched")
    if binaries and len(names) < _TWO:
        raise UsageError(f"--binaries: expected two or more, found {names[0]} only")
    if binaries:
        return names
    if not (base and patched):
        raise UsageError("expected --binaries A B..., or --base A and --patched B")
    return [base, patched]


class _Plan(NamedTuple):
    """What to run on what."""

    target: str
    names: list[str]
    options: TargetOptions
    corpus: list[Path]
    minutes: float
    """0: no limit, the corpus only."""
    seed: int
    repeat: int
    out: Path


class _Found(NamedTuple):
    """The result: as JSON values, as a function that prints it, and as an exit code."""

    json: dict[str, object]
    print: Callable[[], None]
    status: ExitStatus


class _Work:
    """The sides and the inputs of a comparison; entering starts the targets."""

    def __init__(self, plan: _Plan) -> None:
        from vblkfuzz.cli.options.stop import Stop
        from vblkfuzz.cli.views.compare import CompareView
        from vblkfuzz.compare.inputs import corpus_of
        from vblkfuzz.compare.side import sides

        self._plan = plan
        self._stack = ExitStack()
        self._unreadable = self._unsaved = False
        self.sides = sides(plan.target, plan.names, plan.options)
        self._corpus = corpus_of(plan.corpus, self._complain)
        self._stop = Stop()
        self._view = CompareView()
        self.targets: list[Target] = []

    def _complain(self, error: InputFileError) -> None:
        self._unreadable = True
        say_error(error)

    def __enter__(self) -> Self:
        """Start everything."""
        from vblkfuzz.compare.earlier import check_free, set_aside
        from vblkfuzz.compare.started import started
        from vblkfuzz.store.folder import claimed

        out = self._plan.out
        check_free(out)
        with ExitStack() as stack:
            stack.enter_context(self._stop)
            stack.enter_context(claimed(out, folders=()))
            stack.enter_context(self._view)
            self.targets = stack.enter_context(started(self.sides))
            earlier = set_aside(out)
            self._stack = stack.pop_all()
        if earlier:
            say(f"the results of an earlier comparison are in {earlier} now")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self._stack.close()

    def inputs(self, found: Callable[[], str]) -> Iterator[Input]:
        """Yield inputs until the budget is spent or a signal arrives.

        Args:
            found: returns what was found so far, for the bar.
        """
        from vblkfuzz.compare.inputs import mutations
        from vblkfuzz.counted import counted

        plan, corpus = self._plan, self._corpus
        end = time.monotonic() + 60 * plan.minutes if plan.minutes else math.inf
        new = mutations(corpus, plan.seed) if plan.minutes else ()
        for ran, given in enumerate(chain(corpus, new)):
            self._view.update(ran, len(corpus), found())
            if self._stop.status:
                say(f"stopped after {counted(ran, 'input')}; the corpus has {len(corpus):,}")
                return
            if time.monotonic() >= end:
                if ran < len(corpus):
                    say(f"the budget ended after {ran} of {len(corpus)} inputs of the corpus")
                return
            yield given

    def begin(self, values: dict[str, object]) -> None:
        """Write compare.json before the first run: a comparison that is killed has left it too."""
        self._write(values | {"stopped": True})

    def end(self, values: dict[str, object]) -> dict[str, object]:
        """Write compare.json; return what it says."""
        values = values | {"stopped": bool(self._stop.status)}
        self._write(values)
        return values

    def _write(self, values: dict[str, object]) -> None:
        from vblkfuzz.compare.record import write_object

        self.keep(partial(write_object, self._plan.out, values))

    def keep(self, write: Callable[[], object]) -> None:
        """Write a file; a failure is said once, and the result is still printed."""
        try:
            write()
        except HarnessError as error:
            if not self._unsaved:
                say_error(error)
            self._unsaved = True

    def status(self, *, found: bool, not_judged: bool) -> ExitStatus:
        """Return the exit code."""
        if self._stop.status:
            return self._stop.status
        if found:
            return ExitStatus.VIOLATION
        if not_judged or self._unsaved:
            return ExitStatus.HARNESS
        return ExitStatus.USAGE if self._unreadable else ExitStatus.CLEAN


def _behaviour(plan: _Plan) -> _Found:
    from vblkfuzz.cli.views.compare import print_behaviour
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.compare.behaviour import Behaviour
    from vblkfuzz.compare.record import behaviour_object, write_scenario

    with _Work(plan) as work:
        result = Behaviour(work.targets, plan.repeat)

        def values() -> dict[str, object]:
            return behaviour_object(result, work.sides)

        work.begin(values())
        for given in work.inputs(lambda: f"{len(result.found)} differ"):
            scenario = result.add(given)
            if scenario is not None:
                text = "; ".join(one.what for one in result.found[given.name])
                work.keep(partial(write_scenario, plan.out, given.name, scenario, text))
        found = work.end(values())
        status = work.status(found=bool(result.found), not_judged=bool(result.not_judged))
    return _Found(found, lambda: print_behaviour(Screen(), result, work.sides), status)


def _signatures(plan: _Plan) -> _Found:
    from vblkfuzz.cli.views.compare import print_signatures
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.compare.record import save_candidate, signatures_object
    from vblkfuzz.compare.signatures import BASE, PATCHED, Signatures

    with _Work(plan) as work:
        result = Signatures(work.targets, plan.repeat)

        def so_far() -> str:
            return f"{len(result.of(PATCHED))} new, {len(result.of(BASE))} gone"

        def values() -> dict[str, object]:
            return signatures_object(result, work.sides, plan.seed)

        work.begin(values())
        for given in work.inputs(so_far):
            result.add(given)
        for side in (PATCHED, BASE):
            for name in result.of(side):
                saved = save_candidate(plan.out, result, name)
                if saved.fallback:
                    say(f"{name}: not in the output folder: {saved.fallback}: {saved.path}")
        found = work.end(values())
        new = bool(result.of(PATCHED))
        status = work.status(found=new, not_judged=bool(result.not_judged))
    return _Found(found, lambda: print_signatures(Screen(), result, work.sides), status)


VERB: Final = Verb(
    compare,
    examples=(
        "vblkfuzz compare --binaries v7.2/qemu v10.0/qemu --corpus corpus/regress",
        "vblkfuzz compare --base old/qemu --patched new/qemu --minutes 10",
    ),
    summary="Show what differs on several binaries, or a patch's bugs.",
    usage="[OPTIONS] --binaries BINARY BINARY... | --base BINARY --patched BINARY",
)
