"""Events of particle guns for tests, without a run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sqlamarr.native.columns import Columns
from sqlamarr.sources.inputs import open_inputs

#: A false alarm once in a million tests of a p-value.
ALARM = 1e-6


class Shot(NamedTuple):
    """The generator's tables of a gun."""

    particles: Columns
    vertices: Columns
    warnings: list[str]

    def rows(self, pid: int, *, both: bool = False, status: int | None = None) -> np.ndarray:
        """Rows of a species (both: with its antiparticle), in order."""
        ids = np.abs(self.particles["pid"]) if both else self.particles["pid"]
        keep = ids == pid
        return np.nonzero(keep if status is None else keep & (self.particles["status"] == status))[0]

    def momentum(self, rows: np.ndarray) -> np.ndarray:
        """px, py, pz, E [MeV], shape (rows, 4)."""
        return np.stack([self.particles[name][rows] for name in ("px", "py", "pz", "pe")], axis=1)

    def place(self, rows: np.ndarray, which: str = "production_vertex") -> np.ndarray:
        """x, y, z, t of a vertex of particles [mm], shape (rows, 4)."""
        found = np.searchsorted(self.vertices["genvertex_id"], np.ma.getdata(self.particles[which])[rows])
        return np.stack([self.vertices[name][found] for name in "xyzt"], axis=1)


def shoot(events: int = 1000, seed: int = 1, path: str | None = None, **gun) -> Shot:
    """The events of ``gun: {...}``, or of a YAML file."""
    source = open_inputs([path or {"gun": gun}], seed=seed, max_events=events)
    (chunk,) = source.chunks(events)
    tables = chunk.parse().tables
    return Shot(tables["GenParticles"], tables["GenVertices"], source.warnings)


def mass(momentum: np.ndarray) -> np.ndarray:
    """Invariant mass [MeV] of momenta, shape (n, 4)."""
    return np.sqrt(np.maximum(momentum[:, 3] ** 2 - (momentum[:, :3] ** 2).sum(axis=1), 0))


def at_rest(momentum: np.ndarray, mother: np.ndarray) -> np.ndarray:
    """Momenta seen where their mothers rest, shape (n, 4)."""
    m = mass(mother)[:, None]
    along = (momentum[:, :3] * mother[:, :3]).sum(axis=1)[:, None]
    energy = (momentum[:, 3:] * mother[:, 3:] - along) / m
    return np.hstack([momentum[:, :3] - mother[:, :3] * (momentum[:, 3:] + energy) / (mother[:, 3:] + m), energy])
