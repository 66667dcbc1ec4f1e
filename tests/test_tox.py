"""CI runs what `tox` runs, in two parts."""

from __future__ import annotations

import re
from configparser import ConfigParser

from tests.checkout import CHECKOUT


def names(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_each_environment_is_in_one_part_of_ci() -> None:
    config = ConfigParser(interpolation=None)
    config.read(CHECKOUT / "tox.ini")
    parts = re.findall(r"^tox run.* -m (\w+)", (CHECKOUT / ".ci" / "run").read_text(), re.MULTILINE)
    labels = dict(re.findall(r"^(\w+) = (.*)$", config["tox"]["labels"], re.MULTILINE))
    run = [name for part in parts for name in names(labels[part])]
    assert run == names(config["tox"]["env_list"])
