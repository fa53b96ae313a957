"""A particle gun as numbers, from which native code makes events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from sqlamarr.events.chunk import GENERATOR_TABLES, ParsedChunk
from sqlamarr.events.event import EventRef, event_numbers
from sqlamarr.native.library import check, ffi, lib, listener
from sqlamarr.sources.gun.distributions import Law
from sqlamarr.sources.hepmc.ascii import table_of


class Species(NamedTuple):
    """``sqlamarr_gun_species``."""

    pid: int
    mass: float
    width: float
    ctau: float
    channels: int
    n_channels: int
    status_made: int
    status_first: int


class Head(NamedTuple):
    """``sqlamarr_gun_head``."""

    choices: int
    n_choices: int
    size: int
    size_kind: int
    angle: int
    angle_kind: int
    phi: int
    joint: int
    joint_n: tuple[int, int]
    place: tuple[int, int, int]


@dataclass
class Plan:
    """The content of ``sqlamarr_gun``, as lists that grow while a description is read."""

    distributions: list[tuple[Any, ...]] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    species: list[Species] = field(default_factory=list)
    channels: list[tuple[float, int, int]] = field(default_factory=list)
    daughters: list[int] = field(default_factory=list)
    choices: list[tuple[float, int]] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    origin: tuple[int, ...] = ()

    def add_law(self, law: Law) -> int:
        """Add a distribution and return its index."""
        at = len(self.numbers)
        self.numbers += [*law.edges, *law.contents]
        self.distributions.append((law.kind, len(law.contents), at, law.a, law.b, law.c, law.d))
        return len(self.distributions) - 1


@dataclass(frozen=True)
class GunRecipe:
    """Events of a particle gun.

    :ivar plan: the complete plan
    :ivar key: key of the random numbers, see :func:`sqlamarr.native.random.stream_key`
    """

    plan: Plan
    key: int

    def __reduce__(self) -> tuple[Any, ...]:
        return GunRecipe, (self.plan, self.key)  # without the native copy

    def make(self, events: Sequence[EventRef]) -> ParsedChunk:
        """GenEvents, GenVertices, GenParticles of these events; the first particle of each is the collision itself.

        :raises DataError: a decay is impossible, or too improbable for rejection sampling
        """
        native, _ = self._native
        where = np.zeros(len(events), _EVENT)
        numbers = event_numbers(events)
        for name, column in (("event_id", 0), ("datasource_id", 2), ("number", 3)):
            where[name] = numbers[:, column]
        out = ffi.new("sqlamarr_hepmc **")
        pointer = ffi.cast("sqlamarr_gun_event *", where.ctypes.data)
        stop, raised = listener()
        status = lib.sqlamarr_gun_make(native, self.key, pointer, len(where), stop, out)
        if raised:
            raise raised[0]
        check(status)
        owner = ffi.gc(out[0], lib.sqlamarr_hepmc_free)
        return ParsedChunk({name: table_of(owner, name) for name in GENERATOR_TABLES})

    @cached_property
    def _native(self) -> tuple[Any, list[Any]]:
        """The plan as a C structure, and the arrays that it points to."""
        plan, keep = self.plan, []
        native = ffi.new("sqlamarr_gun *")
        for name in ("distributions", "species", "channels", "choices", "heads"):
            kind = {"species": "species"}.get(name, name[:-1])
            c_type = "sqlamarr_distribution[]" if kind == "distribution" else f"sqlamarr_gun_{kind}[]"
            keep.append(ffi.new(c_type, [tuple(row) for row in getattr(plan, name)]))
            setattr(native, name, keep[-1])
        for name, c_type in (("numbers", "double[]"), ("daughters", "int32_t[]")):
            keep.append(ffi.new(c_type, getattr(plan, name)))
            setattr(native, name, keep[-1])
        native.n_distributions, native.n_heads = len(plan.distributions), len(plan.heads)
        native.origin = plan.origin
        return native, keep


_EVENT = np.dtype([("event_id", "i8"), ("datasource_id", "i8"), ("number", "i8"), ("collision", "i4")], align=True)

__all__ = ["GunRecipe", "Head", "Plan", "Species"]
