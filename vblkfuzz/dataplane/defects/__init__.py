"""Planted defects: known mistakes, each alone, to see that the rules and the fuzzer find them.

A defect is a few overriding methods and what is known of it (`defect`); the other files hold a
family each. `plant.with_defects` makes a device that has some; a device name carries them, as in
``reference+no_selfkick`` (`targets.device_class`). Which rule catches which, and how fast the
fuzzer does, is in docs/defects.md.
"""

from __future__ import annotations

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.defects.plant import check_defect, with_defects
from vblkfuzz.dataplane.defects.registry import DEFECTS

__all__ = ["DEFECTS", "Defect", "check_defect", "with_defects"]
