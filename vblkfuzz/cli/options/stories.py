"""`vblkfuzz explore --stories`: all short stories, instead of one input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz import __version__
from vblkfuzz.cli.options.stop import Stop
from vblkfuzz.cli.views.stories import StoriesView, print_stories, stories_object
from vblkfuzz.errors import ExitStatus, HarnessError, UsageError
from vblkfuzz.executor import run_scenario
from vblkfuzz.explore.all_stories import AllStories, StoryBounds
from vblkfuzz.explore.alphabets import alphabet
from vblkfuzz.explore.explored import Explored
from vblkfuzz.explore.search import Visit
from vblkfuzz.explore.story_position import StoryPosition
from vblkfuzz.process.usable_cores import usable_cores
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.store.folder import claimed
from vblkfuzz.targets.device_class import defective, device_class
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel
from vblkfuzz.targets.registry import MODEL, default_device

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vblkfuzz.explore.explored import Found

    Told = dict[str, tuple[Found, int]]
    """Findings by signature, each with the number of its operations."""


class Bound(NamedTuple):
    """Options of the user."""

    stories: int
    alphabet: str
    deviations: int
    workers: int


def explore_stories(
    bound: Bound, device: str | None, defects: Sequence[str], out: Path, *, as_json: bool
) -> ExitStatus:
    """Explore, print the result and return the exit status.

    Raises:
        UsageError: an option cannot be carried out.
        HarnessError: a schedule could not be run.
    """
    name = defective(device or default_device(MODEL), tuple(defects))
    letters = alphabet(bound.alphabet)
    bounds = StoryBounds(letters, bound.stories, bound.deviations, DeviceConfig())
    target = model(name, "inline")
    if not isinstance(target, InlineModel):
        raise UsageError(f"--stories: device {name} is not one of those that are built in")
    with Stop() as stop, claimed(out):
        position = StoryPosition(out, _of(name, bounds))
        stories = AllStories(name, bounds, position)
        told: Told = {}
        explored = Explored(target, out / "findings", dict(device_class(name).known))
        with target, StoriesView() as view:
            view.resumed(position.units)
            _watch(stories, bound.workers or usable_cores(), stop, view, explored, told)
        complete = stories.length == bound.stories
        if complete:
            position.remove()
        if as_json:
            print(json.dumps(stories_object(stories, name, told, complete=complete)))
        else:
            print_stories(stories, name, bound.deviations, told, complete=complete)
    return stop.status or _exit_status(told)


def _of(device: str, bounds: StoryBounds) -> dict[str, str]:
    return {
        "device": device,
        "alphabet": " ".join(map(repr, bounds.letters)),
        "number of operations": str(bounds.length),
        "number of deviations": str(bounds.deviations),
        "version of vblkfuzz": __version__,
    }


def _watch(  # what an exploration consists of
    stories: AllStories,
    processes: int,
    stop: Stop,
    view: StoriesView,
    explored: Explored,
    told: Told,
) -> None:
    """Explore until all is done or a signal arrives."""
    stopped = lambda: stop.status is not None  # noqa: E731
    position = stories.position
    try:
        for progress in stories.run(processes, stopped):
            _tell(stories, view, explored, told)
            view.update(progress)
        _tell(stories, view, explored, told)
    except HarnessError:
        if stop.status is None:
            raise
    finally:
        position.keep()
    if stop.status is not None:
        view.stopped()


def _tell(stories: AllStories, view: StoriesView, explored: Explored, told: Told) -> None:
    """Save and announce what the lengths that are complete have shown."""
    for signature, scenario in stories.news():
        execution = run_scenario(explored.target, scenario)
        explored.add(Visit(execution, "", 1, 1, ()))
        for name, found in explored.findings.items():
            if name not in told:
                told[name] = found, len(scenario.ops)
                view.announce(found, len(scenario.ops))
        if signature not in told:
            raise HarnessError(f"{signature}: not shown again; the device is not deterministic")


def _exit_status(told: Told) -> ExitStatus:
    if any(found.fallback for found, _ in told.values()):
        return ExitStatus.HARNESS
    return ExitStatus.VIOLATION if told else ExitStatus.CLEAN
