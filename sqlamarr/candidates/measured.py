"""Measurements of final-state particles, and their momenta as functions of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Tracks:
    """Charged particles: straight lines near the vertices.

    :ivar values: (n, 5): x, y [mm], tx, ty, q/p [1/MeV] at ``z``
    :ivar covariance: (n, 5, 5) of these
    :ivar z: (n,) [mm]
    :ivar mass: mass of the hypothesis [MeV]
    """

    values: Array
    covariance: Array
    z: Array
    mass: float

    SIZE = 5

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> Tracks:
        """Some of them."""
        return Tracks(self.values[rows], self.covariance[rows], self.z[rows], self.mass)

    def scaled(self) -> tuple[Array, Array]:
        """Values and covariance with q/p in units of the measured one."""
        return _scaled(self.values, self.covariance)

    def start(self) -> Array:
        """(n, 3) fit parameters tx, ty and (q/p) / (measured q/p), as measured."""
        return np.column_stack([self.values[:, 2:4], np.ones(len(self))])

    def model(self, q: Array, vertex: Array) -> tuple[Array, Array, Array]:
        """The measurement expected for parameters ``q`` and a ``vertex``, with derivatives by vertex and q."""
        dz = self.z - vertex[:, 2]
        h = np.column_stack([vertex[:, 0] + q[:, 0] * dz, vertex[:, 1] + q[:, 1] * dz, q[:, 0], q[:, 1], q[:, 2]])
        a, b = np.zeros((len(q), 5, 3)), np.zeros((len(q), 5, 3))
        a[:, 0, 0] = a[:, 1, 1] = 1
        a[:, 0, 2], a[:, 1, 2] = -q[:, 0], -q[:, 1]
        b[:, 0, 0] = b[:, 1, 1] = dz
        b[:, 2, 0] = b[:, 3, 1] = b[:, 4, 2] = 1
        return h, a, b

    def momentum(self, q: Array, vertex: Array) -> tuple[Array, Array, Array | None]:
        """(n, 4) momentum and energy [MeV], with derivatives (n, 4, 3) by q and (None: 0) by the vertex."""
        scale = q[:, 2]
        p = 1 / np.abs(self.values[:, 4] * scale)
        direction = np.column_stack([q[:, 0], q[:, 1], np.ones(len(q))])
        length = np.sqrt(np.sum(direction**2, axis=1))
        momentum = (p / length)[:, None] * direction
        energy = np.hypot(p, self.mass)
        d = np.zeros((len(q), 4, 3))
        for i in range(2):
            d[:, :3, i] = -momentum * (q[:, i] / length**2)[:, None]
            d[:, i, i] += p / length
        d[:, :3, 2] = -momentum / scale[:, None]
        d[:, 3, 2] = -(p**2) / (energy * scale)
        return np.column_stack([momentum, energy]), d, None


@dataclass(frozen=True)
class Photons:
    """Neutral clusters: a place and an energy in the calorimeter.

    :ivar values: (n, 3): x, y [mm] and energy [MeV] at ``z``
    :ivar covariance: (n, 3, 3) of these
    :ivar z: (n,) [mm]
    """

    values: Array
    covariance: Array
    z: Array
    mass: float = 0.0

    SIZE = 3

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> Photons:
        """Some of them."""
        return Photons(self.values[rows], self.covariance[rows], self.z[rows], self.mass)

    def scaled(self) -> tuple[Array, Array]:
        """Values and covariance with the energy in units of the measured one."""
        return _scaled(self.values, self.covariance)

    def start(self) -> Array:
        """(n, 3) fit parameters x, y and energy / measured energy, as measured."""
        return np.column_stack([self.values[:, :2], np.ones(len(self))])

    def model(self, q: Array, vertex: Array) -> tuple[Array, Array, Array]:
        """The expected measurement, which consists of the parameters themselves."""
        return q, np.zeros((len(q), 3, 3)), np.tile(np.eye(3), (len(q), 1, 1))

    def momentum(self, q: Array, vertex: Array) -> tuple[Array, Array, Array | None]:
        """(n, 4) momentum and energy [MeV] from the vertex, with derivatives (n, 4, 3) by q and by the vertex."""
        energy = self.values[:, 2] * q[:, 2]
        path = np.column_stack([q[:, :2], self.z]) - vertex
        length = np.sqrt(np.sum(path**2, axis=1))
        direction = path / length[:, None]
        across = np.eye(3) - direction[:, :, None] * direction[:, None, :]
        turn = (energy / length)[:, None, None] * across
        by_vertex = np.zeros((len(q), 4, 3))
        by_vertex[:, :3] = -turn
        by_q = np.zeros((len(q), 4, 3))
        by_q[:, :3, :2] = turn[:, :, :2]
        by_q[:, :3, 2] = self.values[:, 2:3] * direction
        by_q[:, 3, 2] = self.values[:, 2]
        return np.column_stack([energy[:, None] * direction, energy]), by_q, by_vertex


Measured = Tracks | Photons


def _scaled(values: Array, covariance: Array) -> tuple[Array, Array]:
    """Scale the last parameter by its measured value, which keeps the numbers of a fit similar in size."""
    unit = np.ones_like(values)
    unit[:, -1] = 1 / values[:, -1]
    return values * unit, covariance * unit[:, :, None] * unit[:, None, :]
