"""The machines: what is fixed for the life of a front-end, so there is a QEMU for each."""

from __future__ import annotations

from itertools import product
from typing import Final, NamedTuple

from vblkfuzz.targets.vhost_user_frontend.disk import FORMS, Form


class Machine(NamedTuple):
    """A machine with one device, whose back-end is ours."""

    form: Form
    """Of its disk, which no other machine has."""
    packed: bool = False
    """Whether its device offers packed rings, if the back-end does."""


MACHINES: Final = tuple(Machine(form, packed) for packed, form in product((False, True), FORMS))
"""All that a scenario may need. The number of one is its place here: those with split rings come
first."""
