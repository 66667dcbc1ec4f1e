"""New inputs whose schedule a scheduler decides, by running them.

    mutator --input--> run, steered --input with what was decided--> libFuzzer --> the worker

libFuzzer keeps the input that it has got, so the deviations are in it before libFuzzer sees it.
Its trace is known then, and the input does not run a second time: `take` gives the worker the
trace, and marks the coverage of the run. What is random comes from the bytes of the input, the seed
of the worker and the number of runs of the story.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

from vblkfuzz.campaign.left_out import decoded
from vblkfuzz.campaign.shares import shares_of
from vblkfuzz.campaign.tried import Tried
from vblkfuzz.errors import HarnessError
from vblkfuzz.limits import MAX_DEVIATIONS
from vblkfuzz.mutation.made import Made
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.codec import encode
from vblkfuzz.schedule.policies.surw import counts_in
from vblkfuzz.schedule.policy import Task
from vblkfuzz.schedule.registry import INPUT, NONE, scheduler_of
from vblkfuzz.schedule.steering import Steering

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.executor import Execution
    from vblkfuzz.launch.plan import WorkerPlan
    from vblkfuzz.process.arena import Arena
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target
    from vblkfuzz.trace.trace import Trace

_MAX_STORIES: Final = 4096
"""Stories of which something is remembered; then all are forgotten."""
_OWN_STORY: Final = 1 << 15
"""Below it, of 2^16: a scheduler gets the story that was mutated, as it was before: what is known
of it from earlier runs makes a scheduler better, and several runs of a story are worth more."""


@runtime_checkable
class Steerable(Protocol):
    """A target that schedulers can steer."""

    arena: Arena

    def steered(self, scenario: Scenario, steering: Steering) -> tuple[Scenario, Trace]:
        """Run the operations of a scenario; return it with the schedule that was decided."""


class _Known(NamedTuple):
    """What the runs of a story have shown."""

    runs: int = 0
    steps: int = 0
    """Most points of a run."""
    counts: tuple[int, ...] = ()


class _Ahead(NamedTuple):
    """A run that the worker has not taken yet."""

    data: bytes
    trace: Trace
    coverage: bytes


class SteeredInputs:
    """Lets the schedulers of a plan decide about their shares of the new inputs."""

    def __init__(self, plan: WorkerPlan, target: Target, warn: Callable[[str], None]) -> None:
        """Raise UsageError if there is no such scheduler, or a share is no number."""
        # Nothing is looked up if no scheduler is named: a bundled program has no entry points.
        shares = shares_of(plan.schedulers) if plan.schedulers else {INPUT: 1}
        self.tried = Tried()
        self._shares = shares
        self._names = [name for name, share in shares.items() for _ in range(share)]
        self._target = target if isinstance(target, Steerable) else None
        self._without = plan.without
        self._seed = plan.seed.to_bytes(8, "little")
        self._warn = warn
        self._warned: set[str] = set()
        self._known: dict[bytes, _Known] = {}
        self._ahead: _Ahead | None = None
        self._failed: tuple[str, HarnessError] | None = None
        """The scheduler of the last input, and what kept it from deciding."""
        self._decided = ("", False)
        """The scheduler of the last input, if there was one; whether its story is that of before.
        """

    def decoded(self, data: bytes) -> tuple[Scenario, bytes]:
        """Return the scenario that the plan lets an input stand for, and its bytes."""
        return decoded(data, self._without, scheduled=[*self._shares] != [NONE])

    def of(self, before: bytes, data: bytes, max_size: int) -> bytes:
        """Return an input to run instead of a new one, or that one.

        Args:
            before: what it was made of.
            data: the new one.
            max_size: most bytes.
        """
        self._ahead = self._failed = None
        self._decided = ("", False)
        lot = self._lot(data)
        name = self._names[lot % len(self._names)]
        if name == INPUT or self._target is None:
            return data
        own = bool(before) and lot >> 48 < _OWN_STORY
        if own:
            data = before
        self._decided = (name, own)
        scenario = replace(self.decoded(data)[0], schedule=())
        if name == NONE or not scenario.ops:
            return encode(scenario)[:max_size]
        story = encode(scenario)
        if len(story) > max_size:
            return data
        steered = self._steered(name, story, scenario)
        return steered if len(steered) <= max_size else data

    def made(self, before: bytes, made: Made) -> Made:
        """Return how the last input was made.

        Args:
            before: as for `of`.
            made: how its other argument was.
        """
        name, own = self._decided
        if own:
            return Made((name,), (before,))
        return Made((*made.by, name), made.of) if name else made

    def _lot(self, data: bytes) -> int:
        """Return a number of 64 bits that depends on bytes and on the seed."""
        return int.from_bytes(blake2b(data, digest_size=8, key=self._seed).digest(), "little")

    def _steered(self, name: str, story: bytes, scenario: Scenario) -> bytes:
        """Run a story, steered; return it with what was decided, also if it has no trace."""
        assert self._target is not None
        known = self._known.get(story, _Known())
        steering = Steering(name, self._task(name, story, known, scenario))
        arena = self._target.arena
        arena.coverage[:] = bytes(len(arena.coverage))
        try:
            ran, trace = self._target.steered(scenario, steering)
        except HarnessError as error:
            self._failed = (name, error)
            return arena.steered.read()  # the worker fails as well, unless it is the scheduler's
        data = encode(ran)
        self._ahead = _Ahead(data, trace, bytes(arena.coverage))
        self._note_depth(story, steering.task, ran, trace)
        return data

    def _task(self, name: str, story: bytes, known: _Known, scenario: Scenario) -> Task:
        seed = self._lot(known.runs.to_bytes(8, "little") + name.encode() + story)
        depths = scheduler_of(name).depths
        depth = depths[seed % len(depths)] if depths else 0
        reach = sum([OPS[operation[0]].reach for operation in scenario.ops])
        return Task(seed >> 8, depth, max(reach, known.steps), known.counts)

    def _note_depth(self, story: bytes, task: Task, ran: Scenario, trace: Trace) -> None:
        """Count a run of PCT, if it is one of which the bound holds."""
        whole = len(ran.schedule) < MAX_DEVIATIONS and trace.steps <= task.steps
        if task.depth and whole:
            key = blake2b(story, digest_size=8).digest()
            # guest, vCPU, main loop, the story, and the IOThreads
            self.tried.note(key, task.depth, 4 + ran.device.iothreads, task.steps)

    def _complain(self, name: str, error: HarnessError) -> None:
        if name not in self._warned:
            self._warned.add(name)
            line = str(error).strip().rpartition("\n")[2]
            self._warn(f"scheduler {name}: an input could not be steered: {line}")

    def take(self, data: bytes) -> Trace | None:
        """Return the trace of an input that has just run, and mark its coverage; None: run it."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.data != data or self._target is None:
            return None
        self._target.arena.coverage[:] = ahead.coverage
        return ahead.trace

    def note(self, execution: Execution) -> None:
        """Remember what a run of a story shows. What ran well has not failed for its device."""
        if self._failed:
            self._complain(*self._failed)
            self._failed = None
        if [*self._shares] in ([INPUT], [NONE]):
            return
        if len(self._known) >= _MAX_STORIES:
            self._known.clear()
        story = encode(replace(execution.scenario, schedule=()))
        known, trace = self._known.get(story, _Known()), execution.trace
        steps = max(known.steps, trace.steps)
        self._known[story] = _Known(known.runs + 1, steps, counts_in(trace.events))
