"""Convert rows of particles to events with vertices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sqlamarr.errors import DescriptorError
from sqlamarr.events.chunk import ParsedChunk
from sqlamarr.events.event import ROWS_PER_EVENT, EventRef, Rejected
from sqlamarr.native.columns import Columns
from sqlamarr.particles.codes import BEAM, DECAYED, NEUTRINOS, PHOTON, STABLE
from sqlamarr.sources.record_tables import Array, collision_tables, particle_columns, rows_of, vertex_columns
from sqlamarr.sources.tables.columns import ABSENT, Block

_PLACE = ("t", "x", "y", "z")
_NUMBERS = ("px", "py", "pz", *_PLACE, "e", "m", "weight")
_SHELL = 1e-5  # relative to the squared energy: the error of single precision for a massless particle
_MASSLESS = (*NEUTRINOS, PHOTON)


@dataclass(frozen=True)
class ParticleRows:
    """Rows of particles in events.

    :ivar columns: columns by name, (n,)
    :ivar counts: rows per event
    :ivar owner: number of the event of each row, from 0
    :ivar position: of the row in its event
    :ivar first: first row of each event
    """

    columns: dict[str, Array]
    counts: Array
    owner: Array
    position: Array
    first: Array

    @classmethod
    def of(cls, columns: dict[str, Array], counts: Array) -> ParticleRows:
        """Make rows from columns and the number of rows per event."""
        owner, position = rows_of(np.arange(len(counts)), counts)
        return cls(columns, counts, owner, position, np.cumsum(counts) - counts)

    def only(self, events: Array) -> ParticleRows:
        """The rows of the events selected by a mask."""
        rows = events[self.owner]
        return ParticleRows.of({name: values[rows] for name, values in self.columns.items()}, self.counts[events])


def parse(events: Sequence[EventRef], counts: Array, block: Block) -> ParsedChunk:
    """Make the generator tables.

    Rows without a mother begin at vertices of their own, one per place. Rows with a mother begin at her end vertex,
    which is at their place.

    :param counts: rows per event
    """
    columns = {name: block.column(name) for name in (*_NUMBERS, "pid", "mother", "status")}
    columns["pe"], columns["mass"] = _energies(columns)
    columns["event"] = block.event
    rows = ParticleRows.of(columns, counts)
    reasons = _faults(rows, block.row)
    keep = np.array([number not in reasons for number in range(len(events))], bool)
    good = [event for event, kept in zip(events, keep) if kept]
    rejected = [Rejected(events[number].event_id, 0, reason) for number, reason in sorted(reasons.items())]
    rows = rows.only(keep)
    ids = np.array([event.event_id for event in good], np.int64)
    return ParsedChunk({**_collisions(rows, good, ids), **_graph(rows, ids)}, rejected)


def _energies(columns: dict[str, Array]) -> tuple[Array, Array]:
    """Energies and masses, each computed from the other if only one is given."""
    square = columns["px"] * columns["px"] + columns["py"] * columns["py"] + columns["pz"] * columns["pz"]
    energy, mass = columns["e"].copy(), columns["m"].copy()
    neither = np.isnan(energy) & np.isnan(mass)
    for pid in np.unique(columns["pid"][neither]).tolist():
        mass[neither & (columns["pid"] == pid)] = _mass(pid)
    no_energy, no_mass = np.isnan(energy), np.isnan(mass)
    with np.errstate(invalid="ignore"):
        energy[no_energy] = np.sqrt(square + mass * mass)[no_energy]
        left = energy * energy - square
        left[(left < 0) & (left > -_SHELL * energy * energy)] = 0.0
        mass[no_mass] = np.sqrt(left)[no_mass]
    return energy, mass


def _mass(pid: int) -> float:
    from sqlamarr.particles import descriptors

    try:
        return 0.0 if abs(pid) in _MASSLESS else descriptors.mass(pid)
    except DescriptorError:
        return float("nan")


def _faults(rows: ParticleRows, row: Array) -> dict[int, str]:
    """What is wrong, by the number of the event. Only the first bad row is reported.

    :param row: position of each row in the table
    """
    reasons: dict[int, str] = {}

    def note(bad: Array, text: str) -> None:
        for at in np.flatnonzero(bad):
            reasons.setdefault(int(rows.owner[at]), f"Row {row[at]} of the table: {text}")

    for name in _NUMBERS:
        note(np.isinf(rows.columns[name]), f"{name} is not a finite number.")
    energy, mass, pid = (rows.columns[name] for name in ("e", "mass", "pid"))
    massless = np.isnan(energy) & np.isnan(mass)
    for code in np.unique(pid[massless]).tolist():
        note(massless & (pid == code), f"no mass is known for the PDG code {code}; give the table a column m or e.")
    note(np.isnan(rows.columns["pe"]) | np.isnan(mass), "e is less than p.")
    mother, size = rows.columns["mother"], rows.counts[rows.owner]
    note(
        (mother >= size) | (mother < -1), "the mother is not one of the rows of its event (numbered from 0; -1: none)."
    )
    note(mother == rows.position, "the particle is its own mother.")
    inside = (mother >= 0) & (mother < size)
    sibling = _first_siblings(np.where(inside, rows.first[rows.owner] + mother, -1))
    for name in _PLACE:
        place = rows.columns[name]
        note(inside & (place != place[sibling]), f"{name} differs from that of the mother's other daughters.")
    for number in np.flatnonzero(rows.counts > ROWS_PER_EVENT).tolist():
        reasons.setdefault(
            number, f"The event has {rows.counts[number]} particles; at most {ROWS_PER_EVENT} are possible."
        )
    return reasons


def _first_siblings(mother: Array) -> Array:
    """For every row, the first row with the same mother; without a mother, the row itself."""
    rows = np.arange(len(mother))
    if not len(rows):
        return rows
    _, first, inverse = np.unique(mother, return_index=True, return_inverse=True)
    return np.where(mother >= 0, first[inverse], rows)


def _collisions(rows: ParticleRows, events: list[EventRef], ids: Array) -> dict[str, Columns]:
    """GenEvents and GenWeights; the number and the weight of an event are those of its first row."""
    numbers, weights = [event.number for event in events], [1.0] * len(events)
    for number in np.flatnonzero(rows.counts).tolist():
        first = rows.first[number]
        numbers[number], weights[number] = int(rows.columns["event"][first]), float(rows.columns["weight"][first])
    sources = np.array([event.datasource_id for event in events], np.int64)
    return collision_tables(ids, sources, {"event_number": numbers, "weight": weights})


def _graph(rows: ParticleRows, ids: Array) -> dict[str, Columns]:
    """GenVertices and GenParticles."""
    columns, owner = rows.columns, rows.owner
    child = columns["mother"] >= 0
    beam = (columns["status"] == BEAM) & ~child
    place = np.stack([columns[name] for name in _PLACE], axis=1) + 0.0  # -0.0 is 0.0
    made, makers = _vertices(rows, place, ~beam)
    vertex_owner = owner[makers]
    vertex_counts = np.bincount(vertex_owner, minlength=len(ids)).astype(np.int64)
    production = np.where(beam, -1, made - (np.cumsum(vertex_counts) - vertex_counts)[owner])
    end = np.full(len(owner), -1, np.int64)
    end[(rows.first[owner] + columns["mother"])[child]] = production[child]
    status = np.where(columns["status"] != ABSENT, columns["status"], np.where(end >= 0, DECAYED, STABLE))
    _, vertex_position = rows_of(ids, vertex_counts)
    primary = np.isin(
        vertex_owner * ROWS_PER_EVENT + vertex_position, (owner * ROWS_PER_EVENT + end)[beam & (end >= 0)]
    )
    momenta = np.stack([columns[name] for name in ("pe", "px", "py", "pz", "mass")], axis=1)
    ends = (production, end)
    return {
        "GenVertices": vertex_columns(ids[vertex_owner], vertex_position, primary, place[makers]),
        "GenParticles": particle_columns(
            ids[owner], rows.position, rows.position + 1, ends, columns["pid"], status, momenta
        ),
    }


def _vertices(rows: ParticleRows, place: Array, has_one: Array) -> tuple[Array, Array]:
    """Vertices in the order of the first row that begins there.

    :param has_one: whether the row begins at a vertex
    :returns: the vertex of every row, counted over all events, and the first row of every vertex
    """
    mother = np.where(rows.columns["mother"] >= 0, rows.columns["mother"], -1)
    own_place = np.where(mother[:, None] >= 0, 0.0, place)
    made = np.full(len(mother), -1, np.int64)
    used = np.flatnonzero(has_one)
    if not len(used):
        return made, used
    keys = np.column_stack([rows.owner, mother, own_place])[used]
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    made[used] = rank[inverse.reshape(-1)]
    return made, used[first[order]]


__all__ = ["parse"]
