"""Hypothesis strategies for the values that all rooms share: ``from tests.strategies import ...``.

The name `tests` is pytest's: with import-mode=importlib it imports this folder as a namespace
package of the root folder, and the root folder itself is not put on the import path.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from vblkfuzz import limits
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.alphabet.param import ARGS
from vblkfuzz.scenario.alphabet.spec import OpSpec
from vblkfuzz.scenario.artifact import MODES, Artifact
from vblkfuzz.scenario.codec import MAX_BYTES
from vblkfuzz.scenario.device import FIELDS, DeviceConfig
from vblkfuzz.scenario.expectation import VERDICT_KINDS, Expectation
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.place import MAX_NTH, Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario


def _ops_of(spec: OpSpec) -> st.SearchStrategy[Op]:
    fields = [st.just(0)] * ARGS
    for param in spec.params:
        fields[param.field] = st.integers(0, param.count - 1)
    return st.tuples(*fields).map(lambda stored: Op(OPS.index(spec), *stored))


def ops() -> st.SearchStrategy[Op]:
    """Any operation with any arguments."""
    return st.one_of([_ops_of(spec) for spec in OPS])


def device_configs() -> st.SearchStrategy[DeviceConfig]:
    """Any device."""
    return st.builds(
        DeviceConfig, **{name: st.sampled_from(row.values) for name, row in FIELDS.items()}
    )


NAMES = st.text("abcdefghijklmnopqrstuvwxyz_0189", min_size=1, max_size=30)


def places() -> st.SearchStrategy[Place]:
    """Any place, as long ones as there are in QEMU."""
    sites = st.builds(
        lambda folder, name, line: f"{folder}/{name}.c:{line}", NAMES, NAMES, st.integers(0, 99999)
    )
    return st.builds(
        Place, NAMES, st.just("") | sites, st.just("") | NAMES, st.just(1) | st.integers(1, MAX_NTH)
    )


def deviations() -> st.SearchStrategy[Deviation]:
    """Any deviation, also of an operation that does not exist."""
    op = st.integers(0, limits.MAX_OPS - 1)
    point = st.integers(0, limits.MAX_POINT - 1)
    go, role = st.sampled_from(Go), st.sampled_from([role for role in Role if role])
    plain = st.builds(Deviation, op, point, go, st.booleans())
    of_a_role = st.builds(
        Deviation, op, point, go, st.booleans(), role, st.booleans(), st.none() | places()
    )
    return plain | of_a_role


def schedules() -> st.SearchStrategy[tuple[Deviation, ...]]:
    """Any schedule, deviations of operations that do not exist included."""
    chosen = st.lists(
        deviations(), max_size=limits.MAX_DEVIATIONS, unique_by=lambda deviation: deviation.where
    )
    return chosen.map(lambda found: tuple(sorted(found)))


def scenarios(max_ops: int = limits.MAX_OPS) -> st.SearchStrategy[Scenario]:
    """Any scenario."""
    some_ops = st.lists(ops(), max_size=max_ops).map(tuple)
    return st.builds(Scenario, device_configs(), some_ops, schedules())


def on_virtio_blk(scenario: Scenario) -> Scenario:
    """Return a scenario as the model runs it, which has virtio-blk only."""
    return replace(scenario, device=replace(scenario.device, kind="blk", units=1))


def fuzz_bytes() -> st.SearchStrategy[bytes]:
    """Bytes as a fuzzer makes them: any, up to somewhat more than a scenario can use."""
    return st.binary(max_size=MAX_BYTES + 16)


def expectations() -> st.SearchStrategy[Expectation]:
    """Any expectation."""
    text = st.text(max_size=20)
    return st.builds(Expectation, st.sampled_from(VERDICT_KINDS), text, text)


def artifacts(max_ops: int = 8) -> st.SearchStrategy[Artifact]:
    """Any artifact."""
    text = st.text(max_size=40)
    return st.builds(
        Artifact,
        scenarios(max_ops),
        target=text,
        device=text,
        mode=st.sampled_from(MODES),
        expectation=st.none() | expectations(),
        trace_digest=text,
        versions=st.dictionaries(text, text, max_size=4),
    )
