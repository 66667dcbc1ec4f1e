"""Nodes on a Ray cluster: an actor for each, which only keeps its campaign running.

Nothing of value is in Ray: what nodes find is in their store. An actor that is killed is started
again by Ray (`max_restarts=-1`); one whose machine is lost, on another that has room, or as soon as
there is one. If the head is lost, or Ray on the machine of the command, all actors end, and their
campaigns with them; the same command then goes on.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.launch.node import LEAVE_S, Node, NodeState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.launch.node import NodePlan

LOCAL: Final = "local"
"""Instead of an address: a cluster on this machine, as long as the command runs."""
_LEAST: Final = (2, 55)
"""Version of Ray from which on we have tried it. Before 2.52 it has no tokens."""
_LOOK_S: Final = 1.0
"""Seconds between two looks at the nodes."""
_LOOPBACK_ONLY: Final = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Set to 0, Ray listens on the loopback interface only: it replaces any address by that of the
machine else, and then listens on all."""
_DEFAULTS: Final = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_raylet_start_wait_time_s": "120",
    "RAY_worker_niceness": "0",
}
"""Unless the user has set them: tokens are asked for, Ray sends no statistics of its use, a busy
machine has the time to start it, and a campaign is not behind all else (Ray: niceness 15)."""


def check_ray() -> None:
    """Check that there is a Ray that can be used, without loading it.

    Raises:
        UsageError: there is none; it says what to install.
    """
    try:
        found = version("ray")
    except PackageNotFoundError:
        raise UsageError(
            "cluster needs ray, which is not installed: pip install 'vblkfuzz[cluster]'"
        ) from None
    if tuple(int(part) for part in found.split(".")[:2]) < _LEAST:
        least = ".".join(map(str, _LEAST))
        raise UsageError(
            f"cluster needs ray {least} or newer, {found} is installed: "
            "pip install --upgrade 'vblkfuzz[cluster]'"
        )


@contextmanager
def connected(address: str, cpus: int) -> Iterator[None]:
    """Be connected to a cluster.

    Args:
        address: host:port of its head; or LOCAL: one is started, on the loopback interface.
        cpus: how many a local one offers.

    Raises:
        HarnessError: there is no connection.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    if address == LOCAL:
        os.environ[_LOOPBACK_ONLY] = "0"  # read when Ray is imported
        _make_token()
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    with TemporaryDirectory(prefix="vblk-ray-", ignore_cleanup_errors=True) as folder:
        more: dict[str, Any] = {}
        if address == LOCAL:
            more = {"num_cpus": cpus, "include_dashboard": False, "_temp_dir": folder}
        try:
            ray.init(address, **quiet, **more)
        except Exception as error:  # of Ray, RPC and the system: whatever it raises
            raise HarnessError(f"--ray {address}: {_first_line(error)}") from error
        try:
            yield
        finally:
            ray.shutdown()


def _make_token() -> None:
    """Make a token for a cluster of this command alone, unless the user has one."""
    import secrets

    if not {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _check_here() -> None:
    """Check that this machine is still one of the cluster: Ray ends the actors of one that is not.

    Raises:
        HarnessError: it is not.
    """
    import ray

    here = ray.get_runtime_context().get_node_id()
    if here not in {one["NodeID"] for one in ray.nodes() if one["Alive"]}:
        raise HarnessError(
            "Ray on this machine has ended, and with it all nodes: start it again (ray start), "
            "then the same command, which goes on with the store"
        )


class Fleet:
    """All nodes of a command, as the cluster to which it is connected runs them."""

    def __init__(self, plans: Sequence[NodePlan], cpus: int) -> None:
        """Create the actors; Ray places each of them where `cpus` are free."""
        import ray

        actor = ray.remote(Node).options(
            num_cpus=cpus, max_restarts=-1, max_task_retries=0, scheduling_strategy="SPREAD"
        )
        self._actors = [actor.remote(plan) for plan in plans]
        self._asked: dict[Any, int] = {}
        self.states: list[NodeState | None] = [None] * len(plans)
        """What each node said last; None: it has no place yet, or its actor is gone."""

    @property
    def ended(self) -> bool:
        """Whether all campaigns have ended by themselves."""
        return all(state is not None and state.status is not None for state in self.states)

    def look(self, seconds: float | None) -> list[int]:
        """Have each node look after its campaign; return those whose state has changed.

        Args:
            seconds: as for `Node.keep`.
        """
        import ray

        asked = set(self._asked.values())
        for index, actor in enumerate(self._actors):
            state = self.states[index]
            if index not in asked and (state is None or state.status is None):
                self._asked[actor.keep.remote(seconds)] = index
        time.sleep(_LOOK_S)
        ready, _ = ray.wait(list(self._asked), num_returns=len(self._asked), timeout=0)
        return [index for one in ready if self._note(index := self._asked.pop(one), one)]

    def _note(self, index: int, answer: Any) -> bool:  # noqa: ANN401  # Ray has no types
        """Take the answer of a node; return whether its state has changed.

        Raises:
            HarnessError: the code of a node failed, or there is no Ray here any more.
        """
        import ray

        before = self.states[index]
        try:
            self.states[index] = ray.get(answer)
        except ray.exceptions.RayTaskError as error:
            raise HarnessError(f"node {index}: {str(error).strip().splitlines()[-1]}") from error
        except ray.exceptions.RayError:  # its actor is gone; Ray starts it again
            _check_here()
            self.states[index] = None
        return self.states[index] != before

    def leave(self) -> int:
        """Have all nodes upload and leave; return how many did not answer in time."""
        import ray

        answers = {
            actor.leave.remote(): index
            for index, (actor, state) in enumerate(zip(self._actors, self.states, strict=True))
            if state is not None
        }
        if not answers:
            return 0
        ready, late = ray.wait(list(answers), num_returns=len(answers), timeout=2 * LEAVE_S)
        for one in ready:
            self._note(answers[one], one)
        return len(late)
