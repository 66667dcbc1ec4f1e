"""A port on one fake back-end, and a second one that takes its place."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tests.targets.vhost.fake_backend import FakeBackend
from vblkfuzz.driver.memory_map import ring_layout
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.targets.vhost.frontend import QueueFds
from vblkfuzz.targets.vhost.link import Link
from vblkfuzz.targets.vhost.memory_table import SharedMemory
from vblkfuzz.targets.vhost.port import VhostUserPort
from vblkfuzz.virtio.layout import F_VERSION_1, STATUS_DRIVER, STATUS_DRIVER_OK
from vblkfuzz.virtio.vhost_user import Request


class Ported:
    def __init__(self, device: DeviceConfig, always: int = 1 << F_VERSION_1) -> None:
        self.device = device
        self.first, self.second = FakeBackend(), FakeBackend()
        self.link, self.shared = Link(), SharedMemory()
        self.port = VhostUserPort(self.shared, self.link, always=always)
        self.port.power_on(device, [os.dup(self.first.client.fileno())])

    def start(self, status: int = STATUS_DRIVER | STATUS_DRIVER_OK) -> None:
        for queue in range(self.device.queues):
            list(self.port.set_up_queue(queue, ring_layout(queue, self.device.queue_size, 0)))
        list(self.port.write_status(status))

    def restore(self) -> None:
        self.port.restore([os.dup(self.second.client.fileno())])
        self.wait()

    def replace(self) -> None:
        self.port.replace([])
        self.port.replace([os.dup(self.second.client.fileno())])
        self.wait()

    def wait(self) -> None:
        """Wait until the back-end has read all: it answers this after that."""
        self.port.capacity()

    def fds(self, queue: int) -> QueueFds:
        fds = self.port._fds[queue]
        assert fds is not None
        return fds

    def close(self) -> None:
        self.port.power_off()
        for backend in (self.first, self.second):
            backend.close()
        self.link.close()
        self.shared.close()


def requests(backend: FakeBackend) -> Sequence[Request]:
    """The messages that a back-end got."""
    return [seen.request for seen in backend.seen]
