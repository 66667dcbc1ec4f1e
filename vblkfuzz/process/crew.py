"""Forked processes that do pieces of work, each one at a time.

They die with the process that started them. Pieces and results are values in JSON form.
"""

from __future__ import annotations

import json
from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING, Any, Final, TypeVar

from vblkfuzz.errors import HarnessError
from vblkfuzz.process.actor_error import error_text
from vblkfuzz.process.forked import Forked

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

_Piece = TypeVar("_Piece")

_LONGEST: Final = 1 << 20
"""Bytes of an answer, at most."""
_LOOK_S: Final = 0.2
"""Seconds after which it is looked whether the work is to end."""


class Crew:
    """Does pieces of work on several cores; use it in a `with` statement."""

    def __init__(self, size: int, start: Callable[[], Callable[[Any], Any]]) -> None:
        """Prepare a crew.

        Args:
            size: number of processes.
            start: called once in each process; what it returns does a piece.
        """
        self._start = start
        self._members = [Forked(self._serve) for _ in range(size)]

    def __enter__(self) -> Self:
        """Start the processes."""
        try:
            for member in self._members:
                member.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, whatever they do."""
        for member in self._members:
            member.stop()

    def results(
        self, pieces: Iterable[_Piece], stopped: Callable[[], bool]
    ) -> Iterator[tuple[_Piece, Any]]:
        """Yield the results of pieces of work as they are done, each with its piece.

        Args:
            pieces: they are begun in this order.
            stopped: whether to end; then pieces that are under way are left.

        Raises:
            HarnessError: a process failed at a piece, or has ended.
        """
        waiting = iter(pieces)
        under_way: dict[socket.socket, _Piece] = {}
        with DefaultSelector() as selector:
            for member in self._members:
                selector.register(member.line, EVENT_READ)
                self._give(member.line, waiting, under_way)
            while under_way and not stopped():
                for key, _ in selector.select(_LOOK_S):
                    line: socket.socket = key.fileobj  # type: ignore[assignment]  # as registered
                    piece = under_way.pop(line)
                    answer = _answer(line, piece)
                    self._give(line, waiting, under_way)
                    yield piece, answer

    def _give(
        self, line: socket.socket, waiting: Iterator[_Piece], under_way: dict[socket.socket, _Piece]
    ) -> None:
        piece = next(waiting, None)
        if piece is not None:
            line.send(json.dumps(piece).encode())
            under_way[line] = piece

    def _serve(self, line: socket.socket) -> None:
        """Work until the parent ends this process."""
        work = self._start()
        while data := line.recv(_LONGEST):
            try:
                said = {"result": work(json.loads(data))}
            except HarnessError as error:
                said = {"error": error.sentence}
            except Exception as error:
                said = {"error": error_text(error)}
            line.send(json.dumps(said).encode())


def _answer(line: socket.socket, piece: object) -> Any:  # noqa: ANN401 -- what the work returns
    data = line.recv(_LONGEST)
    if not data:
        raise HarnessError(f"the process that worked on piece {piece} has ended")
    said = json.loads(data)
    if "error" in said:
        raise HarnessError(said["error"])
    return said["result"]
