"""What installed packages register with vblkfuzz by entry point: targets, exports, schedulers.

A package registers a value by a line in its pyproject.toml. vblkfuzz registers its own values in
the same way:

    [project.entry-points."vblkfuzz.targets"]
    mine = "my_package.my_module:TARGET"

A value is imported only when it is requested by name or listed. Reasons: docs/decisions/0009.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, EntryPoints, entry_points
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from vblkfuzz.errors import UsageError
from vblkfuzz.foreign_code import blamed, no_arguments, no_exit
from vblkfuzz.suggestion import did_you_mean

_OWN_PACKAGE: Final = "vblkfuzz"
"""Name of the installed package of vblkfuzz itself."""


class Summarized(Protocol):
    """The interface of every registered value."""

    @property
    def summary(self) -> str:
        """One line for `vblkfuzz list`."""


Value = TypeVar("Value", bound=Summarized)


class Listed(NamedTuple):
    """A row of `vblkfuzz list`."""

    name: str
    summary: str
    source: str
    """The place of the value: ``package.module:NAME``."""


@dataclass(frozen=True, slots=True)
class Registry(Generic[Value]):
    """All registered values of one kind."""

    kind: str
    """One word, for messages: ``target``. The group of its entry points is ``vblkfuzz.targets``."""
    expected: str
    """What an entry point of the group must name, for messages."""
    accept: Callable[[object, EntryPoint], Value | None]
    """Converts the object of an entry point to a value of the kind; None: it is not one."""

    def names(self) -> list[str]:
        """Return the registered names, sorted, without importing a value."""
        return sorted({entry.name for entry in self._entries()})

    def listed(self) -> list[Listed]:
        """Return a row for each entry point, by name; an unusable one has the error as summary.

        Raises:
            UsageError: vblkfuzz itself is not installed.
        """
        self._check_installed()
        return [Listed(one.name, self._summary(one), one.value) for one in self._entries()]

    def find(self, name: str) -> Value:
        """Return the value of that name.

        Raises:
            UsageError: no package or more than one registers it, or it cannot be imported.
        """
        found = self._named(name)
        if len(found) > 1:
            packages = " and ".join(map(_origin, found))
            raise UsageError(f"{self.kind} {name}: registered by {packages}: uninstall one of them")
        return self._loaded(found[0])

    def is_own(self, name: str) -> bool:
        """Whether vblkfuzz alone registers that name, so that no code of others is imported.

        Raises:
            UsageError: no package registers it.
        """
        return all(package_of(entry) == _OWN_PACKAGE for entry in self._named(name))

    def _entries(self) -> list[EntryPoint]:
        found = _installed(f"vblkfuzz.{self.kind}s")
        return sorted(found, key=lambda entry: (entry.name, package_of(entry)))

    def _named(self, name: str) -> list[EntryPoint]:
        """Return the entry points of that name, at least one.

        Raises:
            UsageError: there is none.
        """
        found = [entry for entry in self._entries() if entry.name == name]
        if not found:
            self._check_installed()
            known = ", ".join(self.names())
            raise UsageError(
                f"{self.kind} {name}: expected one of {known}{did_you_mean(name, self.names())}"
            )
        return found

    def _check_installed(self) -> None:
        """Raise UsageError if vblkfuzz's own values are not registered, as in a bare checkout."""
        if all(package_of(entry) != _OWN_PACKAGE for entry in self._entries()):
            raise UsageError(
                f"the {self.kind}s of vblkfuzz are not registered in this Python:"
                " install it (again); in a checkout: pip install -e ."
            )

    def _loaded(self, entry: EntryPoint) -> Value:
        where = f"{self.kind} {entry.name}: {_origin(entry)}"
        with blamed(where), no_arguments(entry.module), no_exit():
            named: object = entry.load()
        value = self.accept(named, entry)
        if value is None:
            found = type(named).__name__
            raise UsageError(f"{where}: expected {self.expected}, found {found}")
        return value

    def _summary(self, entry: EntryPoint) -> str:
        try:
            value = self._loaded(entry)
            with blamed("summary"):
                return value.summary
        except UsageError as error:
            return f"cannot be used: {error}"


def package_of(entry: EntryPoint) -> str:
    """Return the name of the package that registers the entry point; empty if unknown."""
    return _name_of(entry.dist) if entry.dist else ""


@cache
def _name_of(package: Distribution) -> str:
    """Parse its metadata, once: a list of findings asks for each of them."""
    return package.name


def _origin(entry: EntryPoint) -> str:
    """Return package and place of the entry point, for messages."""
    return f"{package_of(entry) or 'a package'} ({entry.value})"


@cache
def _installed(group: str) -> EntryPoints:
    """Read the metadata of all installed packages, once, since it takes milliseconds."""
    return entry_points(group=group)
