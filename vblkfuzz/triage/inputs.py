"""Input files from a PATH of a verb, and what each of them is run on.

A file stands for itself, whatever its name. The output folder of a campaign stands for its
findings, the folder of a finding for that finding, and any other folder for the inputs below it
(`store.input_paths`).

A raw fuzz input does not say what it was found on. So the files around it do: those of the finding
that it lies in, or the ledger of the campaign whose corpus it is in. It also says what the campaign
changed in each input before it ran it: ``--iothread``, ``--without``.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.minimize.edit import without_named
from vblkfuzz.scenario.artifact import MODES, read_input, read_input_file
from vblkfuzz.scenario.input_form import Form
from vblkfuzz.store.finding_files import ARTIFACT, RAW, file_of_finding, path_of_finding
from vblkfuzz.store.history import LEDGER, read_history
from vblkfuzz.store.input_paths import NO_INPUTS, input_paths
from vblkfuzz.store.saved_findings import (
    FINDINGS,
    begin_like,
    finding_names,
    saved_findings,
    the_one_named,
)
from vblkfuzz.targets.as_run import with_iothread
from vblkfuzz.triage.device_file import found_in
from vblkfuzz.triage.named_target import with_target

if TYPE_CHECKING:
    from vblkfuzz.scenario.artifact import Artifact, InputFile

_SIGNATURE: Final = re.compile(r"(?:[sl]\d+|crash|hang)-[\w@-]*")
_OF_CAMPAIGN: Final = ("corpus", "harness")
"""Folders of an output folder that hold raw inputs."""


def input_files(path: str) -> list[str]:
    """Return the input files that `path` stands for.

    The folder of a finding may be named by the beginning of its signature: OUT/findings/s1-res.

    Raises:
        InputFileError: a folder without input files; or no finding begins like that, or several.
    """
    folder = Path(path)
    if folder.parent.name == FINDINGS and folder.parent.is_dir() and not os.path.lexists(path):
        out, parent = folder.parents[1], folder.parent
        folder = parent / the_one_named(folder.name, saved_findings(out), str(parent))
    if not folder.is_dir():
        if not os.path.lexists(path) and (hint := _where_findings_are(path)):
            raise InputFileError(path, "", f"expected a readable file: no such file{hint}")
        return [path]
    if os.path.isdir(folder / FINDINGS):
        return finding_files(path)
    if os.path.exists(folder / ARTIFACT):
        return [str(file_of_finding(folder))]
    files = [str(file) for file in input_paths(folder)]
    if not files:
        raise InputFileError(path, "", NO_INPUTS)
    return files


def _where_findings_are(path: str) -> str:
    """Return the end of a message about a name without a file: where a finding of it would be."""
    place = Path(path)
    found = begin_like(place.name, sorted(saved_findings(place.parent)))
    if found:
        return f"; did you mean {place.parent / FINDINGS / found[0]}?"
    if _SIGNATURE.fullmatch(place.name):
        return f"; the place of a finding is OUT/{FINDINGS}/{place.name}"
    return ""


def finding_files(path: str) -> list[str]:
    """Return the artifacts of all findings of a campaign's output folder, by signature.

    Raises:
        InputFileError: `path` is no output folder, or has no findings.
    """
    folder = Path(path) / FINDINGS
    if not folder.is_dir():
        problem = f"expected the output folder of a campaign, found no {FINDINGS}/ in it"
        raise InputFileError(path, "", problem)
    names = finding_names(Path(path))
    found = [path_of_finding(os.path.join(folder, name)) for name in names]
    if not found:
        raise InputFileError(path, "", "expected findings, found none: the campaign had no finding")
    return found


def one_file(path: str) -> str:
    """Return the one input file that `path` stands for.

    Raises:
        InputFileError: there is none, or there are several.
    """
    first, *others = input_files(path)
    if others:
        problem = f"expected one input, found {1 + len(others)}: name one of them"
        raise InputFileError(path, "", problem)
    return first


def input_at(path: str) -> InputFile:
    """Return the contents of an input file, with what it runs on.

    A raw input runs on what it was found on. The file of a device that an input names is that
    beside the input, if there is one (`device_file`).

    Raises:
        InputFileError: as `read_input_file`.
    """
    file, place = read_input_file(path), Path(path).absolute()
    if file.form is not Form.RAW:
        artifact = with_target(file.artifact) if file.form is Form.TEXT else file.artifact
        device = found_in(artifact.device, os.path.dirname(path))
        return file._replace(artifact=replace(artifact, device=device))
    if place.name == RAW:
        return file._replace(artifact=_of_finding(file.artifact, place.parent / ARTIFACT))
    if place.parent.name in _OF_CAMPAIGN:
        return file._replace(artifact=_of_campaign(file.artifact, place.parents[1] / LEDGER))
    return file


def _of_finding(raw: Artifact, beside: Path) -> Artifact:
    """Return the raw input of a finding with the finding's setup, and its verdict if it is its."""
    try:
        finding = read_input(beside)
    except InputFileError:
        return raw
    if finding.scenario == raw.scenario:
        return finding
    return replace(raw, target=finding.target, device=finding.device, mode=finding.mode)


def _of_campaign(raw: Artifact, ledger: Path) -> Artifact:
    """Return a raw input with the setup of the folder's last campaign, and as that ran it."""
    try:
        campaigns = read_history(ledger).campaigns
    except InputFileError:
        return raw
    if not campaigns:
        return raw
    last = campaigns[-1]
    if not last.device:  # restored, and no file says it
        return raw
    mode = last.mode if last.mode in MODES else raw.mode
    scenario = with_iothread(without_named(raw.scenario, last.without), last.iothread)
    return replace(raw, scenario=scenario, target=last.target, device=last.device, mode=mode)
