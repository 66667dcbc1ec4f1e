"""Canaries: found by a campaign that works, missed by one that does not, and without a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.campaign.conftest import Start
from tests.waiting import WAIT_S
from vblkfuzz.campaign import canary
from vblkfuzz.campaign.canary import Canaries, planted_for
from vblkfuzz.dataplane.defects import DEFECTS, with_defects
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.launch.plan import Message, Stat, WorkerPlan
from vblkfuzz.oracle import judge as judging
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.process.arena import Arena
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model_modes import InlineModel
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import MODEL, Witness

CORPUS = Path(__file__).parents[2] / "corpus" / "defects"
TURN = 49
"""The first execution that is tried."""
SETUP = ("--device", "reference", "--mode", "inline", "--workers", "1", "--seed", "11")


def scenario_of(defect: str) -> Scenario:
    return read_input(CORPUS / defect / "scenario.toml").scenario


class Tried:
    """Canaries of a worker on a model, and what they sent."""

    def __init__(self, device: str = "reference", silenced: tuple[str, ...] = ()) -> None:
        self.arena = Arena()
        self.sent: list[Message] = []
        self.target = InlineModel(device, self.arena, REVISIONS[device])
        self.names = [one.defect for one in planted_for(device, MODEL)]
        plan = WorkerPlan(0, device, "inline", 1, "", canaries=self.names, silenced=list(silenced))
        self._canaries = Canaries(self.target, plan, self.arena, self.sent.append)
        self._number = TURN

    def run(self, scenario: Scenario) -> Execution:
        with self.target:
            return run_scenario(self.target, scenario)

    def turn(self, execution: Execution) -> None:
        self._canaries.turn(execution, self._number)
        self._number += 100

    @property
    def found(self) -> list[str]:
        return [one.name for one in self.sent if one.kind == "canary"]

    @property
    def tries(self) -> list[int]:
        return [self.arena.statistics[Stat.CANARIES + place] for place in range(3)]


def test_each_is_found_by_an_input_that_shows_it() -> None:
    tried = Tried()
    for name in tried.names:
        tried.turn(tried.run(scenario_of(name)))
    assert tried.found == tried.names
    tried.turn(tried.run(scenario_of(tried.names[0])))  # none is left: no more tries
    assert tried.tries == [1, 1, 1]


@pytest.mark.parametrize("device", REVISIONS)
def test_the_easiest_shows_in_every_revision(device: str) -> None:
    tried = Tried(device)
    tried.turn(tried.run(scenario_of(tried.names[0])))
    assert tried.found == tried.names[:1]


def test_they_take_turns_until_they_are_found() -> None:
    tried = Tried()
    dull, easy = tried.run(Scenario()), tried.run(scenario_of(tried.names[0]))
    for execution in (dull, dull, dull, easy, dull, dull, dull):
        tried.turn(execution)
    assert tried.found == [tried.names[0]]
    assert tried.tries == [2, 3, 2]


def test_what_the_device_does_by_itself_is_not_found() -> None:
    """An input that breaks the rule without the defect does not show that this is seen."""
    tried = Tried()
    defect = tried.names[0]
    device = InlineModel(defect, Arena(), REVISIONS["reference"])
    plain = tried.run(scenario_of(defect))
    device.device_class = with_defects(REVISIONS["reference"], [defect])
    with device:
        broken = run_scenario(device, scenario_of(defect))
    assert plain.verdict.clean and not broken.verdict.clean
    tried.turn(Execution(plain.scenario, plain.trace, broken.verdict))
    assert tried.found == []


def test_a_rule_that_is_off_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = Tried()
    execution = tried.run(scenario_of(tried.names[0]))

    def blind(_scenario: Scenario, _trace: Trace) -> Verdict:
        return Verdict()

    monkeypatch.setattr(judging, "judge", blind)
    tried.turn(execution)
    assert (tried.found, tried.tries) == ([], [1, 0, 0])


def test_what_the_user_silences_is_not_found() -> None:
    tried = Tried(silenced=("*",))
    tried.turn(tried.run(scenario_of(tried.names[0])))
    assert tried.found == []


def test_the_memory_of_the_worker_stays_as_it_is() -> None:
    tried = Tried()
    execution = tried.run(scenario_of(tried.names[0]))
    tried.arena.coverage[:] = marks = bytes(range(256)) * (len(tried.arena.coverage) // 256)
    before = tried.arena.device_ring.written, bytes(tried.arena.memory.bytes)
    tried.turn(execution)
    assert tried.found
    assert bytes(tried.arena.coverage) == marks
    assert (tried.arena.device_ring.written, bytes(tried.arena.memory.bytes)) == before


def test_a_canary_that_fails_is_a_harness_error(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = Tried()
    execution = tried.run(Scenario())

    def failing(_self: InlineModel, _scenario: Scenario) -> Trace:
        raise RuntimeError("of ours")

    monkeypatch.setattr(InlineModel, "run", failing)
    with pytest.raises(RuntimeError):  # the worker reports what its target raises
        tried.turn(execution)


@pytest.mark.parametrize(
    "witnesses", [MODEL, ~Witness.DEVICE, Witness.GUEST | Witness.MEMORY | Witness.PROCESS]
)
def test_every_target_has_three(witnesses: Witness) -> None:
    assert len(planted_for("virtio-blk-pci", witnesses)) == 3


def test_a_defect_that_the_device_has_is_not_planted_again() -> None:
    first = planted_for("reference", MODEL)[0].defect
    assert first not in [one.defect for one in planted_for(f"reference+{first}", MODEL)]


def test_every_candidate_is_a_defect_that_its_rule_sees() -> None:
    for grade in canary._GRADES:
        for one in grade:
            assert one.rule in DEFECTS[one.defect].rules


def test_a_candidate_needs_the_operations_of_its_scenario() -> None:
    for grade in canary._GRADES:
        for one in grade:
            shown_by = {operation.name for operation in scenario_of(one.defect).ops}
            assert shown_by == one.needs, one.defect


@pytest.mark.parametrize(
    ("without", "planted"),
    [
        (("flush",), ["in_flight_not_awaited", "wakes_one", "no_selfkick"]),
        (("drain_end",), ["in_flight_not_awaited", "enospc_reported", "read_error_by_werror"]),
        (("drain_begin",), ["status_of_last", "enospc_reported", "read_error_by_werror"]),
        (("hold",), []),
        (("init",), []),
    ],
)
def test_what_inputs_cannot_show_is_not_planted(
    without: tuple[str, ...], planted: list[str]
) -> None:
    """A campaign that leaves sections out on purpose is no broken set-up."""
    found = planted_for("reference", MODEL, without)
    assert [one.defect for one in found] == planted


def test_a_campaign_is_the_same_with_and_without(start: Start, tmp_path: Path) -> None:
    ran = []
    for without, before in enumerate(
        ("", "import vblkfuzz.campaign.canary as c; c._GRADES = ((),)")
    ):
        out = tmp_path / f"out-{without}"
        process = start(*SETUP, "--runs", "400", out=out, before=before)
        stdout, _ = process.communicate(timeout=WAIT_S)
        end = json.loads(stdout.splitlines()[-1])
        inputs = {path.name for path in (out / "corpus").iterdir()}
        ran.append((inputs, end["features"], end["unseen"], end["violations"]))
        assert bool(end["canaries"]) is not bool(without)
    assert ran[0] == ran[1]


def test_a_set_up_that_sees_nothing_is_said(start: Start, tmp_path: Path) -> None:
    """All violations are silenced: the easiest canary is never found, and that is no clean run."""
    known = tmp_path / "known.txt"
    known.write_text("*\n")
    before = "import vblkfuzz.store.canary as c; c.ENOUGH = 1"
    process = start(*SETUP, "--runs", "60", "--known", known, before=before)
    stdout, _ = process.communicate(timeout=WAIT_S)
    end = json.loads(stdout.splitlines()[-1])
    assert process.returncode == 125
    assert end["blind"].startswith("this set-up cannot find bugs: planted defect")


def test_a_campaign_finds_an_easy_one(start: Start) -> None:
    """One that a sixth of all inputs show, and it alone, so that few executions do."""
    easy = "c._Candidate('status_of_last', 'S21', frozenset())"
    before = f"import vblkfuzz.campaign.canary as c; c._GRADES = (({easy},),)"
    process = start(*SETUP, "--runs", "2000", before=before)
    stdout, _ = process.communicate(timeout=WAIT_S)
    end = json.loads(stdout.splitlines()[-1])
    (canary,) = end["canaries"]
    assert 50 <= canary["first_exec"] <= 2000
    assert process.returncode == end["violations"] == len(end["findings"]) == 0
