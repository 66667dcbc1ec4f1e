"""An issue has the parts that QEMU's template asks for, a reproducer that works, and no markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.export.test_qtest_file import RESET
from tests.triage.stories import QUIET, SIGNATURE, case
from vblkfuzz.errors import InputFileError, NotReproduced
from vblkfuzz.export.host import host_of
from vblkfuzz.export.issue import EXPORT, touches_given_back
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import read_text
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import Setup

HEADINGS = [
    "Host environment",
    "Emulated/Virtualized environment",
    "Description of problem",
    "Steps to reproduce",
    "Additional information",
]
NO_QEMU = "none/qemu-system-x86_64"


def headings(text: str) -> list[str]:
    return re.findall("^## (.*)$", text, re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    """Return the contents of all blocks of a language."""
    found = re.finditer(rf"^(`{{3,}}){language}\n(.*?)\n\1$", text, re.DOTALL | re.MULTILINE)
    return [one[2] for one in found]


def on_qemu(scenario: Scenario) -> Case:
    """Return a case as if it had been run on a QEMU; none is started but for its version."""
    outcome = case().outcome
    setup = Setup("qemu", "virtio-blk-pci", "processes")
    options = replace(outcome.target_options, qemu_binary=NO_QEMU)
    artifact = replace(outcome.artifact, scenario=scenario, target="qemu")
    return Case(replace(outcome, artifact=artifact, setup=setup, target_options=options))


def test_a_finding_on_the_model_has_its_scenario_and_the_command() -> None:
    text = EXPORT.text([case(path="somewhere/else.vblk")])
    assert headings(text) == HEADINGS
    (scenario,) = blocks(text, "toml")
    assert read_text(scenario, "scenario.toml").scenario == case().scenario
    assert "\n   vblkfuzz replay scenario.toml --device patch-v4 --mode inline\n" in text
    assert "reproduced in 1 of 1 run" in text
    assert f"`{SIGNATURE}`" in text
    assert "QEMU version" not in text
    assert "somewhere" not in text


def test_a_finding_on_a_qemu_has_the_program_and_the_command_line() -> None:
    text = EXPORT.text([on_qemu(Scenario(ops=RESET))])
    assert headings(text) == HEADINGS
    (program,) = blocks(text, "python")
    compile(program, "reproducer.py", "exec")
    assert "- QEMU flavor: qemu-system-x86_64\n- QEMU version: unknown\n" in text
    assert "-device virtio-blk-pci,id=d0,drive=n0" in text
    assert "`python3 reproducer.py --without-drains qemu-system-x86_64`" in text
    assert text.splitlines()[-1] in ('/label ~"kind::Bug"', "/confidential")
    assert "--without-drains`" not in EXPORT.text([on_qemu(Scenario(ops=(op("init"),)))])


def test_a_scenario_that_the_program_cannot_carry_out_is_replayed() -> None:
    text = EXPORT.text([on_qemu(Scenario(ops=(op("init"), op("hold"))))])
    assert not blocks(text, "python")
    assert "vblkfuzz replay scenario.toml" in text
    assert f"--target qemu --qemu-binary {NO_QEMU}" in text


def elsewhere(one: Case) -> Case:
    """Return a case that was saved on another device."""
    artifact = replace(one.outcome.artifact, device="reference")
    return Case(replace(one.outcome, artifact=artifact))


def test_an_input_that_shows_another_bug_than_it_was_saved_for() -> None:
    text = EXPORT.text([elsewhere(case(QUIET))])
    assert (
        "- Rate: shown in at least 1 of 1 run, by vblkfuzz on `model, patch-v4, inline`\n" in text
    )
    assert SIGNATURE not in text.partition("```toml")[0]
    assert "`s8-start-twice`" in text


def test_what_the_program_leaves_out_is_named() -> None:
    text = EXPORT.text([on_qemu(Scenario(ops=(op("init"), op("read_config"))))])
    assert "- The program leaves out: read_config\n" in text


def test_guest_memory_that_was_given_back() -> None:
    touched, one = (
        case(),
        elsewhere(case(QUIET)),
    )  # the request is pushed after the reset; starts are wrong
    assert not touches_given_back(one)
    assert "onfidential" not in EXPORT.text([one])
    assert touches_given_back(touched)
    text = EXPORT.text([touched])
    assert text.index("**Report this confidentially") < text.index(HEADINGS[0])
    assert text.endswith("\n/confidential\n")
    verdict = one.execution.verdict
    changed = replace(verdict.violations[0], rule="S24")
    execution = replace(one.execution, verdict=replace(verdict, violations=(changed,)))
    run = replace(one.outcome.run, execution=execution)
    assert touches_given_back(Case(replace(one.outcome, run=run)))


def test_the_bisected_revisions(tmp_path: Path) -> None:
    one = case(path=str(tmp_path / "finding.vblk"))
    assert "First bad" not in EXPORT.text([one])
    places = [("", "v7.2/qemu", "bad"), ("v8.1/qemu", "v8.2/qemu", "good")]
    changes = [dict(zip(("before", "after", "standing"), place, strict=True)) for place in places]
    path = tmp_path / "bisect.json"
    path.write_text(json.dumps({"changes": changes}))
    text = EXPORT.text([one])
    assert "- First bad: `v7.2/qemu`\n" in text
    assert "- First good after it: `v8.2/qemu` (before it: `v8.1/qemu`)\n" in text
    for wrong in ("[]", "{", '{"changes": [1]}', '{"changes": 1}', "\udcff"):
        path.write_bytes(wrong.encode(errors="surrogateescape"))
        with pytest.raises(InputFileError, match="expected what bisect --json prints"):
            EXPORT.text([one])


def test_text_from_a_file_is_no_markup() -> None:
    outcome = case().outcome
    odd = "x`](http://a) ``b``\n# h"
    text = EXPORT.text([Case(replace(outcome, setup=outcome.setup._replace(device=odd)))])
    assert headings(text) == HEADINGS
    assert "``` model, x`](http://a) ``b`` # h, inline ```" in text


def test_a_bug_that_is_gone_or_another_one() -> None:
    again = "; --repeat N runs it more often"
    with pytest.raises(NotReproduced, match=f"does not show {SIGNATURE} in 1 run{again}"):
        EXPORT.text([case(QUIET, "reference")])
    with pytest.raises(NotReproduced, match=f"{SIGNATURE} in 1 run, but s8-start-twice{again}"):
        EXPORT.text([case(QUIET)])


def test_the_host_is_named() -> None:
    host = host_of(case())
    assert all((host.system, host.kernel, host.architecture))
    assert (host.program, host.version) == ("", "")
