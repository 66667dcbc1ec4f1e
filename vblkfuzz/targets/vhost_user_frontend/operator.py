"""The operator and the back-end of a front-end under test: what operations mean here.

stop, cont, system_reset, replug:device   QMP commands, as on target `qemu`
hold, complete, flush, release            the back-end's own requests
save                                      the back-end ends, with requests in flight; the VM runs
restore                                   the next back-end connects, and goes on
replug:connection                         both at once
start_fail                                the back-end ends while a ring is being started
answer                                    the back-end answers a message late or wrongly
resize                                    the back-end has another capacity, and tells the front-end
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost, HarnessError
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.targets.complete import check_complete
from vblkfuzz.targets.dequeue import Dequeue
from vblkfuzz.targets.qemu import hotplug
from vblkfuzz.targets.replug import tell_unplug, tell_unplugged
from vblkfuzz.targets.vhost.fault import BackendGone
from vblkfuzz.targets.vhost_user_frontend.answer import ABOUT, LATE, RIGHT, is_believed
from vblkfuzz.targets.vhost_user_frontend.server import Order
from vblkfuzz.targets.vhost_user_frontend.without import WITHOUT
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import (
    POP,
    RESET_CALL,
    RESET_RET,
    RESIZE,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.vhost_kinds import VHOST_ANSWER, VHOST_CONNECTION, VHOST_MESSAGE
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.vhost_user import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from vblkfuzz.targets.qemu.process import QemuProcess
    from vblkfuzz.targets.recorder import Recorder
    from vblkfuzz.targets.vhost_user_frontend.chardev import FrontendChardev
    from vblkfuzz.targets.vhost_user_frontend.log import Told
    from vblkfuzz.targets.vhost_user_frontend.process import BackendProcess

_CONNECTION: Final = 1
"""A part of `replug`."""
_RELEASE, _RESTORE, _CONT = op("release"), op("restore"), op("cont")
_RIGHT: Final = op("answer", how="right")
ENDS_AT: Final = (
    Request.SET_MEM_TABLE,
    Request.GET_INFLIGHT_FD,
    Request.GET_PROTOCOL_FEATURES,
    Request.GET_QUEUE_NUM,
)
"""By queue of `start_fail`: the message at which the back-end ends. The front-end waits for the
answer to each of them: else the clock would decide what it notices first."""
_GREETING: Final = ABOUT[:3]
"""Messages before SET_OWNER: QEMU 7.2 fails for good at a wrong answer to one of them."""
_NOWHERE: Final = 0
_OF_SERVICE: Final = ~(Witness.PROCESS | Witness.MESSAGES)
"""Witnesses of how the device serves the guest."""
_TRIES: Final = 4
"""Connections that are made in a row if the front-end closes each."""


class Operator:
    """Operates one QEMU and the session of the back-end that serves it."""

    def __init__(
        self, number: int, qemu: QemuProcess, chardev: FrontendChardev, backend: BackendProcess
    ) -> None:
        """Operate a process that is connected.

        Args:
            number: of the machine and of its disk, an index into `machine.MACHINES`.
            qemu: it.
            chardev: where it listens.
            backend: the process of the back-end.
        """
        self.number: Final = number
        self.qemu: Final = qemu
        self.vm_running = True
        self._chardev: Final = chardev
        self._backend: Final = backend
        self._away = False
        """Whether the back-end has ended by `save`."""
        self._holding = False
        self._new = True
        """Whether cache mode and capacity are those of a new device, and no answer was wrong."""
        self._armed = False
        """Whether the next message of a kind is answered late or wrongly."""
        self._misled = False
        """Whether the front-end has got a wrong answer on this connection, or has believed one."""
        self._believes = False
        self._recorder: Recorder | None = None
        """Of the current scenario, as soon as it is known."""
        self._messages: list[Told] = []
        """Told by the back-end, and not recorded yet."""

    @property
    def is_as_new(self) -> bool:
        """Whether another scenario may begin here, after a reset of the device.

        QEMU keeps the cache mode over a reset, and what a wrong answer has told it.
        """
        greeted = self._backend.log.is_greeted(self.number)
        return greeted and self._new and self.unfinished() is None

    def begin(self) -> None:
        """Begin a scenario."""
        self._backend.order(Order.START, self.number)
        self._backend.log.forget()
        self._recorder = None
        self._messages.clear()
        self._holding = self._armed = self._misled = self._believes = False
        self.qemu.qmp.forget_events()

    def end(self) -> None:
        """Kill the process and free everything."""
        self.qemu.end()

    def unfinished(self) -> Op | None:
        """The next operation towards rest; None: there already."""
        if self._armed or self._owes():
            return _RIGHT
        if self._away:
            return _RESTORE
        if self._holding:
            return _RELEASE
        return None if self.vm_running else _CONT

    # --- Observation --------------------------------------------------------------------------

    def dequeues(self) -> Sequence[Dequeue]:
        """Return the dequeues since the last call; record the messages, which came before them.

        Dequeues that come before a message in an interval do not matter to any rule.
        """
        told = self._backend.log.take()
        for one in told:
            self._note(one)
        self._messages += [one for one in told if one.kind != POP]
        if self._recorder is not None:
            messages, self._messages = self._messages, []
            for one in messages:
                self._recorder.tell(one.kind, ActorId.MAIN, **one.fields)
        return [Dequeue(one.queue, ActorId.IO0) for one in told if one.kind == POP]

    def _note(self, told: Told) -> None:
        """Note what an event says of the state of front-end and device."""
        if told.kind == VHOST_ANSWER:
            if told.flag != LATE:
                self._misled = True
                self._believes |= is_believed(told.value, told.flag)
                self._new &= not self._believes and told.value not in _GREETING
        elif told.kind == VHOST_CONNECTION:
            self._misled = self._believes
        elif (told.kind, told.flag) == (VHOST_MESSAGE, Request.SET_CONFIG) and not told.value:
            self._new = False

    def doubt(self) -> None:
        """Leave it to the rules of answers what a front-end does that was told wrong things."""
        if self._misled and self._recorder is not None:
            self._recorder.doubt(_OF_SERVICE)

    def settle(self, recorder: Recorder) -> None:
        """Wait until front-end and back-end are at rest; then look.

        A back-end that has ended, but not by `save`, is replaced.
        """
        self._rest(recorder)
        for _ in range(_TRIES):
            if self._away or self._backend.log.is_connected(self.number):
                break
            self._connect()
            self._rest(recorder)

    def _rest(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.qemu.settle(blocked=self._armed or self._owes())
        recorder.look(self.dequeues)

    def _owes(self) -> bool:
        return self._backend.log.owes(self.number)

    def answer_late(self) -> bool:
        """Give the late answer that the front-end waits for; return whether it did."""
        owes = self._owes()
        if owes:
            self._backend.order(Order.LATE)
        return owes

    def _run(self, work: Coroutine[object, object, object]) -> None:
        """Run work of QMP; the front-end may need a late answer before it, and in it."""
        self.answer_late()
        task = self.qemu.qmp.begin(work)
        self.qemu.qmp.outlast(task, self._owes)
        while self.answer_late():
            self.qemu.qmp.outlast(task, self._owes)
        task.result()

    def _connect(self) -> None:
        """Let the next back-end connect.

        Raises:
            DeviceLost: the front-end does not listen.
        """
        try:
            line = self._chardev.endpoint.connect()
        except BackendGone as gone:
            raise DeviceLost(str(gone)) from None
        with line:
            self._backend.order(Order.ADOPT, self.number, fds=(line.fileno(),))

    # --- Operations ---------------------------------------------------------------------------

    def perform(self, operation: Op, recorder: Recorder) -> None:
        """Carry out an operation; those of `WITHOUT` do nothing."""
        self._recorder = recorder
        method = _METHODS[operation.code]
        if method is not None:
            method(self, operation, recorder)

    def hold(self, operation: Op, recorder: Recorder) -> None:
        """Hold requests from now on."""
        self._holding = True
        self._backend.order(Order.HOLD)

    def release(self, operation: Op, recorder: Recorder) -> None:
        """Stop holding."""
        self._holding = False
        self._backend.order(Order.RELEASE)

    def complete(self, operation: Op, recorder: Recorder) -> None:
        """End some held requests."""
        self._backend.order(Order.END, operation.a, operation.b)

    def flush(self, operation: Op, recorder: Recorder) -> None:
        """End all but reads."""
        self._backend.order(Order.FLUSH)

    def start_fail(self, operation: Op, recorder: Recorder) -> None:
        """Let the back-end end instead of an answer, in the next start or greeting."""
        self._backend.order(Order.FAIL, ENDS_AT[operation.a])

    def answer(self, operation: Op, recorder: Recorder) -> None:
        """Answer the next message of a kind late or wrongly; `right`: all as it should."""
        self._armed = operation.b != RIGHT
        self._backend.order(Order.ANSWER, ABOUT[operation.a] if self._armed else 0, operation.b)

    def resize(self, operation: Op, recorder: Recorder) -> None:
        """Change the capacity, if the back-end is there to tell of it."""
        if not self._away:
            self._new = False
            self._backend.order(Order.RESIZE, operation.d)
            recorder.tell(RESIZE, value=operation.d + 1)
            recorder.doubt(Witness.DISK)  # it is unknown before which requests it took effect

    def save(self, operation: Op, recorder: Recorder) -> None:
        """End the back-end: what is in flight stays noted in the inflight area."""
        if not self._away:
            self._away = True
            self._backend.order(Order.CUT)

    def restore(self, operation: Op, recorder: Recorder) -> None:
        """Let the next back-end connect."""
        if self._away:
            self._away = False
            self._connect()

    def replug(self, operation: Op, recorder: Recorder) -> None:
        """Let another back-end take over, or unplug the device and plug in a new one."""
        if operation.a == _CONNECTION:
            if not self._away:
                self._backend.order(Order.CUT)  # `settle` connects the next one
        elif not self._away:  # QEMU would wait in device_add for a connection
            self._plug_anew(recorder)

    def _plug_anew(self, recorder: Recorder) -> None:
        """Plug in a new device, for which there is always a back-end: QEMU waits for it."""
        self._backend.order(Order.FAIL, _NOWHERE)
        self.answer(_RIGHT, recorder)
        if not self._backend.log.is_connected(self.number):
            self._connect()
        tell_unplug(recorder, self.dequeues)
        try:
            self._run(self._replace())
        finally:
            recorder.look(self.dequeues)
        tell_unplugged(recorder, self.dequeues)

    async def _replace(self) -> None:
        qmp, variant = self.qemu.qmp, self.qemu.variant
        await hotplug.eject(qmp, variant)
        await hotplug.gone(qmp)
        if not await hotplug.plug(qmp, variant, variant.chardev, geometry=False):
            raise HarnessError("device_add is refused")

    def stop(self, operation: Op, recorder: Recorder) -> None:
        """Stop the VM."""
        if self.vm_running:
            recorder.tell(VM_STOP_CALL)
            self.vm_running = False
            self._run(self.qemu.qmp.call("stop"))
            self._rest(recorder)
            recorder.tell(VM_STOP_RET)

    def cont(self, operation: Op, recorder: Recorder) -> None:
        """Continue the VM."""
        if not self.vm_running:
            recorder.look(self.dequeues)
            recorder.tell(VM_CONT)
            self.vm_running = True
            self._run(self.qemu.qmp.call("cont"))

    def system_reset(self, operation: Op, recorder: Recorder) -> None:
        """Reset the machine and wait until that is done."""
        recorder.tell(RESET_CALL, flag=1)
        self._run(self._reset())
        self._rest(recorder)
        recorder.tell(RESET_RET)

    async def _reset(self) -> None:
        await self.qemu.qmp.call("system_reset")
        await self.qemu.qmp.event(lambda event: bool(event["event"] == "RESET"))


check_complete(Operator, WITHOUT)
_METHODS: Final[tuple[Callable[[Operator, Op, Recorder], None] | None, ...]] = tuple(
    None if spec.owner == "guest" else getattr(Operator, spec.name, None) for spec in OPS
)
"""By operation code; None: there is no such operation."""
