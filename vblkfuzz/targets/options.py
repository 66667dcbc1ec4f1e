"""What a user says about the real device that scenarios run on. The model needs none of it."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """Options of real targets; each is named like the command line's.

    Plain values only: they travel to workers as JSON.
    """

    qemu_binary: str = ""
    """qemu-system-x86_64 to run; empty: the one on PATH."""
    qsd_binary: str = ""
    """qemu-storage-daemon to run; empty: the one on PATH."""
    iothread: bool | None = None
    """Whether the dataplane runs in an IOThread; None: as each scenario says."""
    vhost_user_socket: str = ""
    """Socket of a vhost-user-blk back-end that runs already."""
    vhost_user_command: str = ""
    """Command line that starts a vhost-user-blk back-end; `{socket}` in it is its socket."""

    @property
    def words(self) -> list[str]:
        """The command line that says the same; what is not set is left out."""
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
