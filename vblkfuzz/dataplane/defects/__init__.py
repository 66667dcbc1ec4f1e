"""Planted defects: known mistakes, each separate, that test the rules and the fuzzer.

A defect is a few overriding methods and a record of their origin (`defect`); each family has a
file. `plant.with_defects` makes a device with given defects. The name of a device names them, as in
``reference+no_selfkick`` (`targets.device_class`). docs/defects.md lists the rules that catch each
defect and the time that the fuzzer takes to find it.
"""

from __future__ import annotations

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.defects.plant import check_defect, with_defects
from vblkfuzz.dataplane.defects.registry import DEFECTS

__all__ = ["DEFECTS", "Defect", "check_defect", "with_defects"]
