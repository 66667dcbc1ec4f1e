"""The lineage of an input: what it was made of, and by what; one line of text.

    insert,race,surw 7c4a8d09ca3762af61e59520943dc26494f8941b

Edits and schedulers in their order, "new" for a story that was made of nothing; then the names of
the inputs that it was made of (`store.input_name`), which need not be kept any more. An empty line:
not known. That is so for imported inputs, and for those of a version that did not note it.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Lineage(NamedTuple):
    """Where an input comes from."""

    made_by: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    """Names of inputs."""

    def to_text(self) -> str:
        """Return the line, without its end.

        >>> Lineage(("insert", "race"), ("7c4a",)).to_text()
        'insert,race 7c4a'
        """
        return " ".join((",".join(self.made_by), *self.parents)).strip()

    @staticmethod
    def from_text(text: str) -> Lineage:
        """Return the lineage that a line says.

        >>> Lineage.from_text("insert,race 7c4a")
        Lineage(made_by=('insert', 'race'), parents=('7c4a',))
        """
        made_by, *parents = text.split() or [""]
        return Lineage(tuple(one for one in made_by.split(",") if one), tuple(parents))


UNKNOWN: Final = Lineage()
