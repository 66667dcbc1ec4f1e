"""`vblkfuzz explore --stories`: all short stories, instead of one input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz import __version__
from vblkfuzz.cli.options.stop import Stop
from vblkfuzz.cli.views.stories import StoriesResult, StoriesView
from vblkfuzz.errors import ExitStatus, HarnessError, UsageError
from vblkfuzz.executor import run_scenario
from vblkfuzz.explore.all_stories import AllStories, StoryBounds, story_crew
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

    from vblkfuzz.cli.views.stories import Told
    from vblkfuzz.process.crew import Crew


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
    # The processes are forked before anything else has begun: they inherit no lock and no thread.
    with story_crew(name, bounds, bound.workers or usable_cores()) as crew, Stop() as stop:
        with claimed(out):
            stories = AllStories(bounds, StoryPosition(out, _of(name, bounds)))
            explored = Explored(target, out / "findings", dict(device_class(name).known))
            with target:
                told = _watch(stories, crew, stop, explored)
            complete = stories.length == bound.stories
            if complete:
                stories.position.remove()
        result = StoriesResult(name, bound.deviations, stories, told, complete)
        if as_json:
            print(json.dumps(result.to_json()))
        else:
            result.show()
    return stop.status or _exit_status(told)


def _of(device: str, bounds: StoryBounds) -> dict[str, str]:
    return {
        "device": device,
        "alphabet": " ".join(map(repr, bounds.letters)),
        "number of operations": str(bounds.length),
        "number of deviations": str(bounds.deviations),
        "version of vblkfuzz": __version__,
    }


def _watch(stories: AllStories, crew: Crew, stop: Stop, explored: Explored) -> Told:
    """Explore until all is done or a signal arrives; return the findings."""
    told: Told = {}
    position = stories.position
    with StoriesView() as view:
        view.resumed(position.units)
        try:
            for progress in stories.run(crew, lambda: stop.status is not None):
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
    return told


def _tell(stories: AllStories, view: StoriesView, explored: Explored, told: Told) -> None:
    """Save and announce what the lengths that are complete have shown."""
    for signature, scenario in stories.news():
        explored.add(Visit(run_scenario(explored.target, scenario), "", 1, 1, ()))
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
