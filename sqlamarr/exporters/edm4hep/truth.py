"""Event headers and MC particles."""

from __future__ import annotations

import numpy as np

from sqlamarr.exporters.edm4hep.collection import Collection, Relation
from sqlamarr.exporters.edm4hep.events import Events
from sqlamarr.exporters.edm4hep.model import EVENT_HEADER, FAST_SIMULATION, MC_PARTICLE, UNSET_HELICITY
from sqlamarr.native.columns import Array
from sqlamarr.output.tables.event_blocks import counts
from sqlamarr.particles.constants import SPEED_OF_LIGHT

GEV = 1e-3  # in MeV


def vector(x: Array, y: Array, z: Array, unit: float = 1.0) -> dict[str, Array]:
    """A Vector3f or Vector3d."""
    return {"x": x * unit, "y": y * unit, "z": z * unit}


def event_header(events: Events) -> Collection:
    """One header per event; ``weights`` are those of its collision, or the event's weight if it has several."""
    one = np.ones(len(events), dtype=np.int64)
    weight = events.numbers.get("eventWeight", np.ones(len(events)))
    values = {
        "eventNumber": events.numbers["eventNumber"],
        "runNumber": events.numbers["runNumber"],
        "timeStamp": np.zeros(len(events), dtype=np.int64),
        "weight": weight,
    }
    return Collection(EVENT_HEADER, one, values, {"weights": _weights(events, weight)})


def _weights(events: Events, weight: Array) -> tuple[Array, Array]:
    if "GenWeights" not in events.tables:
        return np.ones(len(events), dtype=np.int64), weight
    table = events.tables["GenWeights"]
    ids = events.numbers["event_id"]
    first = np.ma.getdata(table["position"]) == 0
    single = counts(np.ma.getdata(table["event_id"])[first], ids) == 1
    rows = events.counts("GenWeights")
    kept = np.repeat(single, rows)
    each = np.where(single, rows, 1)
    values = np.empty(int(each.sum()))
    from_table = np.repeat(single, each)
    values[from_table] = table["value"][kept]
    values[~from_table] = weight[~single]
    return each, values


def mc_particles(events: Events) -> Collection:
    """MC particles. The end point of a particle that did not decay is NaN, without momentum there."""
    table = events.tables["MCParticles"]
    ended = ~np.ma.getmaskarray(table["end_vertex"])
    momentum = vector(table["px"], table["py"], table["pz"], GEV)
    values = {
        "PDG": table["pid"],
        "generatorStatus": table["status"],
        "simulatorStatus": np.full(len(ended), FAST_SIMULATION),
        "charge": np.ma.filled(table["charge"].astype(np.float64), np.nan),
        "time": _vertex(events, "production_vertex", "t") / SPEED_OF_LIGHT,
        "mass": table["m"] * GEV,
        "vertex": {axis: _vertex(events, "production_vertex", axis) for axis in "xyz"},
        "endpoint": {axis: _vertex(events, "end_vertex", axis) for axis in "xyz"},
        "momentum": momentum,
        "momentumAtEndpoint": {axis: np.where(ended, p, np.nan) for axis, p in momentum.items()},
        "helicity": np.full(len(ended), UNSET_HELICITY),
    }
    mother = events.places("MCParticles", "mother", "MCParticles", "mcparticle_id")
    relations = {"parents": Relation("MCParticles", mother[mother >= 0], (mother >= 0).astype(np.int64))}
    rows = events.counts("MCParticles")
    return Collection(MC_PARTICLE, rows, values, relations={**relations, "daughters": _daughters(mother, rows)})


def _vertex(events: Events, column: str, value: str) -> Array:
    if "MCVertices" not in events.tables:
        return np.full(len(events.tables["MCParticles"]["event_id"]), np.nan)
    return events.looked_up("MCParticles", column, "MCVertices", "mcvertex_id", value)


def _daughters(mother: Array, rows: Array) -> Relation:
    """The relation from mothers to daughters, derived from that of daughters to mothers."""
    start = np.repeat(np.cumsum(rows) - rows, rows)
    daughters = np.flatnonzero(mother >= 0)
    above = (mother + start)[daughters]
    order = np.argsort(above, kind="stable")
    return Relation("MCParticles", (daughters - start[daughters])[order], np.bincount(above, minlength=len(mother)))
