"""The signals that a campaign handles itself, so that it ends, or pauses, in order.

Ctrl-Z reaches the orchestrator only: its workers have sessions of their own. So it stops them
before it stops itself, and lets them go on after it goes on (``fg``, SIGCONT).
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vblkfuzz.launch.local import WorkerProcess

_ENDS: Final = {
    signal.SIGINT: ExitStatus.USER_STOP,
    signal.SIGTERM: ExitStatus.INTERRUPTED,
    signal.SIGHUP: ExitStatus.INTERRUPTED,
}


@contextmanager
def handled(end: Callable[[ExitStatus], None], pause: Callable[[], None]) -> Iterator[None]:
    """Call `end` with the exit status of a signal, and `pause` on ctrl-Z.

    A signal that the parent process has set to be ignored stays ignored, such as SIGHUP by nohup.
    """

    def note(number: int, _frame: object) -> None:
        if number == signal.SIGTSTP:
            pause()
        else:
            end(_ENDS[signal.Signals(number)])

    wanted = [
        number
        for number in (*_ENDS, signal.SIGTSTP)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    previous = {number: signal.signal(number, note) for number in wanted}
    try:
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old)


def stop_together(workers: Sequence[WorkerProcess]) -> None:
    """Stop the workers and this process; return when it goes on, and they with it."""
    for worker in workers:
        worker.signal_group(signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)
    for worker in workers:
        worker.signal_group(signal.SIGCONT)
