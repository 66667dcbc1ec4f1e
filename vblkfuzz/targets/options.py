"""Command line options about the real device that scenarios run on. The model uses none of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """Options of real targets, each named like its command line option.

    Plain values only: they are sent to workers as JSON.
    """

    qemu_binary: str = ""
    """Path of qemu-system-x86_64; empty: the one on PATH."""
    qsd_binary: str = ""
    """Path of qemu-storage-daemon; empty: the one on PATH."""
    iothread: bool | None = None
    """Whether the dataplane runs in an IOThread; None: each scenario decides."""
    serial: bool | None = None
    """Whether the threads of the device go on one at a time, in an order that is the same again.
    None: where the schedule of a scenario interrupts one of them; False: never."""
    vhost_user_socket: str = ""
    """Path of the socket of a running vhost-user-blk back-end."""
    vhost_user_command: str = ""
    """Command line that starts a vhost-user-blk back-end; `{socket}` in it becomes its socket."""

    def is_serial(self, scenario: Scenario) -> bool:
        """Whether the threads of the device go on one at a time in a scenario."""
        if self.serial is not None:
            return self.serial
        return any(deviation.role for deviation in scenario.schedule)

    @property
    def words(self) -> list[str]:
        """The same options as words of a command line; options that are not set are left out."""
        words: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            name = field.name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{name}" if value else f"--no-{name}")
            elif value:
                words += [f"--{name}", value]
        return words


NO_OPTIONS = TargetOptions()

BINARY_OPTIONS: Final = {
    "qemu-system-x86_64": "--qemu-binary",
    "qemu-storage-daemon": "--qsd-binary",
}
"""The option that names another build, for each program that findings record the version of."""
