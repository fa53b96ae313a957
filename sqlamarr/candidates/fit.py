"""Fit a whole decay tree: least squares with exact constraints, for many candidates at a time.

Parameters are the decay vertices, three numbers per final-state particle (direction and momentum) and, on request,
the primary vertex. There are two kinds of exact constraints: a particle that flies moves along its momentum from its
production vertex, and masses can be fixed. In each iteration, the model is linearised, and the normal equations are
solved together with the constraints by Lagrange multipliers:

    | H'WH  C' | | da |   | H'Wr |
    |  C    0  | | l  | = | -c   |

(R. Fruehwirth, Nucl. Instrum. Meth. A 262 (1987) 444, for the measurement of vertices; W. D. Hulsbergen, Nucl.
Instrum. Meth. A 552 (2005) 566, for whole trees; the method of multipliers is that of the textbooks.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sqlamarr.candidates.measured import Array, Measured, Rows, Tracks
from sqlamarr.candidates.topology import NO_VERTEX, Topology

MAX_ITERATIONS = 12
CONVERGED = 1e-4  # change of chi2, and of the constraints in the units of the fit (mm, MeV)
LOOSE = 10.0  # mm: assumed uncertainty of a vertex in which no lines meet
BLOCK = 4096  # candidates whose matrices are in memory at the same time


@dataclass(frozen=True)
class Fitted:
    """Results of ``n`` fits.

    :ivar chi2: (n,)
    :ivar ndf: degrees of freedom
    :ivar converged: (n,) of bool
    :ivar vertices: (n, composites, 3): where each decays [mm]
    :ivar momenta: (n, composites, 4): px, py, pz, E [MeV]
    :ivar covariance: (n, composites, 7, 7) covariance of vertex and momentum
    :ivar primary: (n, 3) fitted primary vertex [mm], if it was part of the fit
    """

    chi2: Array
    ndf: int
    converged: np.ndarray[tuple[int], np.dtype[np.bool_]]
    vertices: Array
    momenta: Array
    covariance: Array
    primary: Array | None = None


@dataclass(frozen=True)
class Primary:
    """Primary vertices: (n, 3) positions [mm] and (n, 3, 3) covariances."""

    position: Array
    covariance: Array


def fit(
    topology: Topology,
    measured: Sequence[Measured],
    *,
    primary: Primary | None = None,
    masses: Mapping[int, float] | None = None,
    start: Array | None = None,
) -> Fitted:
    """Fit candidates of one decay.

    :param topology: its vertices
    :param measured: one entry per final-state particle, all of length n
    :param primary: primary vertices that the head must point back to; they enter as measurements
    :param masses: mass [MeV] by position of the composite in the topology
    :param start: (n, 3) starting point for a vertex in which no lines meet; default: the origin
    :returns: chi2, vertices and momenta with covariance; a failed fit has NaN and is not marked as converged
    """
    with np.errstate(all="ignore"):  # diverging fits overflow and are marked as not converged
        return _fit(topology, measured, primary, masses or {}, start)


def _fit(
    topology: Topology,
    measured: Sequence[Measured],
    primary: Primary | None,
    masses: Mapping[int, float],
    start: Array | None,
) -> Fitted:
    n = len(measured[0])
    parts = []
    for begin in range(0, max(n, 1), BLOCK):
        rows = np.arange(begin, min(begin + BLOCK, n))
        part = primary and Primary(primary.position[rows], primary.covariance[rows])
        begin_at = np.zeros((len(rows), 3)) if start is None else start[rows]
        parts.append(_Block(topology, [m.take(rows) for m in measured], part, dict(masses), begin_at).run())
    return Fitted(
        np.concatenate([p.chi2 for p in parts]),
        parts[0].ndf,
        np.concatenate([p.converged for p in parts]),
        np.concatenate([p.vertices for p in parts]),
        np.concatenate([p.momenta for p in parts]),
        np.concatenate([p.covariance for p in parts]),
        np.concatenate([p.primary for p in parts if p.primary is not None]) if primary else None,
    )


class _Block:
    """A block of candidates during the iterations."""

    def __init__(
        self,
        topology: Topology,
        measured: Sequence[Measured],
        primary: Primary | None,
        masses: dict[int, float],
        start: Array,
    ) -> None:
        self.topology, self.measured, self.primary, self.masses = topology, measured, primary, masses
        self.n = len(measured[0])
        self.first_leaf = 3 * topology.vertices
        self.first_primary = self.first_leaf + 3 * len(measured)
        self.size = self.first_primary + (3 if primary else 0)
        self.flights = [
            (k, c.origin)
            for k, c in enumerate(topology.composites)
            if c.origin != NO_VERTEX or (k == 0 and primary is not None)
        ]
        self.constraints = 2 * len(self.flights) + len(masses)
        data = [m.scaled() for m in measured]
        self.values = [values for values, _ in data]
        self.weights = [np.linalg.inv(covariance) for _, covariance in data]
        if primary is not None:
            self.primary_weight = np.linalg.inv(primary.covariance)
        self.guess = _meeting_points(topology, measured, start)

    @property
    def ndf(self) -> int:
        n_measured = sum(m.SIZE for m in self.measured) + (3 if self.primary else 0)
        return n_measured - self.size + self.constraints + (0 if self.topology.lines else 3)

    def run(self) -> Fitted:
        a = np.zeros((self.n, self.size))
        a[:, : self.first_leaf] = self.guess.reshape(self.n, self.first_leaf)
        for k, m in enumerate(self.measured):
            a[:, self._leaf(k)] = m.start()
        if self.primary is not None:
            a[:, self.first_primary :] = self.primary.position
        chi2 = np.full(self.n, np.inf)
        converged = np.zeros(self.n, bool)
        todo = np.arange(self.n)
        for _ in range(MAX_ITERATIONS):
            part = self if len(todo) == self.n else self._part(todo)
            step, predicted = part._step(a[todo])
            a[todo] += step
            finished = np.abs(predicted - chi2[todo]) < CONVERGED
            chi2[todo] = predicted
            converged[todo] = finished
            todo = todo[~finished & np.isfinite(predicted)]
            if not len(todo):
                break
        return self._finish(a, converged)

    def _leaf(self, k: int) -> slice:
        return slice(self.first_leaf + 3 * k, self.first_leaf + 3 * k + 3)

    def _vertex(self, k: int) -> slice:
        return slice(3 * k, 3 * k + 3)

    def _part(self, rows: Rows) -> _Block:
        """The block without the candidates that have finished."""
        part = object.__new__(_Block)
        part.__dict__.update(self.__dict__)
        part.n = len(rows)
        part.measured = [m.take(rows) for m in self.measured]
        part.values = [v[rows] for v in self.values]
        part.weights = [w[rows] for w in self.weights]
        part.guess = self.guess[rows]
        if self.primary is not None:
            part.primary = Primary(self.primary.position[rows], self.primary.covariance[rows])
            part.primary_weight = self.primary_weight[rows]
        return part

    def _step(self, a: Array) -> tuple[Array, Array]:
        """A step to the minimum of the linearised problem, and the chi2 there."""
        kkt, right, chi2 = self._normal_equations(a)
        c, jacobian = self._constraint(a)
        kkt[:, self.size :, : self.size] = jacobian
        kkt[:, : self.size, self.size :] = np.swapaxes(jacobian, 1, 2)
        right[:, self.size :] = -c
        step = _solve(kkt, right)[:, : self.size]
        hessian = kkt[:, : self.size, : self.size]
        decrease = np.einsum("ni,ni->n", step, 2 * right[:, : self.size] - np.einsum("nij,nj->ni", hessian, step))
        return step, chi2 - decrease

    def _normal_equations(self, a: Array) -> tuple[Array, Array, Array]:
        full = self.size + self.constraints
        matrix, right, chi2 = np.zeros((self.n, full, full)), np.zeros((self.n, full)), np.zeros(self.n)
        for k, (m, values, w) in enumerate(zip(self.measured, self.values, self.weights)):
            q, v = self._leaf(k), self._vertex(self.topology.leaf_vertex[k])
            h, by_v, by_q = m.model(a[:, q], a[:, v])
            r = values - h
            wr = _times(w, r)
            chi2 += np.einsum("ni,ni->n", r, wr)
            bt_w, at_w = np.swapaxes(by_q, 1, 2) @ w, np.swapaxes(by_v, 1, 2) @ w
            matrix[:, q, q] += bt_w @ by_q
            matrix[:, v, v] += at_w @ by_v
            cross = at_w @ by_q
            matrix[:, v, q] += cross
            matrix[:, q, v] += np.swapaxes(cross, 1, 2)
            right[:, q] += _times(np.swapaxes(by_q, 1, 2), wr)
            right[:, v] += _times(np.swapaxes(by_v, 1, 2), wr)
        self._add_vertex_measurements(a, matrix, right, chi2)
        return matrix, right, chi2

    def _add_vertex_measurements(self, a: Array, matrix: Array, right: Array, chi2: Array) -> None:
        """Of the primary vertex, and of a vertex in which no lines meet."""
        if self.primary is not None:
            at = slice(self.first_primary, self.size)
            _add_point(matrix, right, chi2, at, self.primary.position - a[:, at], self.primary_weight)
        if not self.topology.lines:
            at = self._vertex(0)
            weight = np.tile(np.eye(3) / LOOSE**2, (self.n, 1, 1))
            _add_point(matrix, right, chi2, at, self.guess[:, 0] - a[:, at], weight)

    def _momenta(self, a: Array) -> tuple[Array, Array]:
        """(n, composites, 4) momenta and their derivatives (n, composites, 4, parameters)."""
        composites = self.topology.composites
        p = np.zeros((self.n, len(composites), 4))
        d = np.zeros((self.n, len(composites), 4, self.size))
        for k, m in enumerate(self.measured):
            q, v = self._leaf(k), self._vertex(self.topology.leaf_vertex[k])
            momentum, by_q, by_v = m.momentum(a[:, q], a[:, v])
            for i in (i for i, c in enumerate(composites) if k in c.leaves):
                p[:, i] += momentum
                d[:, i, :, q] += by_q
                if by_v is not None:
                    d[:, i, :, v] += by_v
        return p, d

    def _constraint(self, a: Array) -> tuple[Array, Array]:
        """Values of the constraints, which must become zero, and their derivatives."""
        c, d = np.zeros((self.n, self.constraints)), np.zeros((self.n, self.constraints, self.size))
        if not self.constraints:
            return c, d
        p, by = self._momenta(a)
        for row, (k, origin) in enumerate(self.flights):
            end = self._vertex(self.topology.composites[k].vertex)
            begin = slice(self.first_primary, self.size) if origin == NO_VERTEX else self._vertex(origin)
            flight = a[:, end] - a[:, begin]
            for i in range(2):
                at = 2 * row + i
                slope = p[:, k, i] / p[:, k, 2]
                by_slope = (by[:, k, i] - slope[:, None] * by[:, k, 2]) / p[:, k, 2:3]
                c[:, at] = flight[:, i] - slope * flight[:, 2]
                d[:, at] = -flight[:, 2:] * by_slope
                d[:, at, end.start + i] += 1
                d[:, at, begin.start + i] -= 1
                d[:, at, end.start + 2] -= slope
                d[:, at, begin.start + 2] += slope
        for row, (k, mass) in enumerate(self.masses.items(), 2 * len(self.flights)):
            c[:, row] = (_dot(p[:, k], p[:, k]) - mass**2) / (2 * mass)
            lowered = p[:, k] * np.array([-1, -1, -1, 1]) / mass
            d[:, row] = np.einsum("ni,nij->nj", lowered, by[:, k])
        return c, d

    def _finish(self, a: Array, converged: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Fitted:
        matrix, _, chi2 = self._normal_equations(a)
        _, jacobian = self._constraint(a)
        matrix[:, self.size :, : self.size] = jacobian
        matrix[:, : self.size, self.size :] = np.swapaxes(jacobian, 1, 2)
        covariance = _inverse(matrix)[:, : self.size, : self.size]
        p, by = self._momenta(a)
        composites = self.topology.composites
        vertices, full = np.zeros((self.n, len(composites), 3)), np.zeros((self.n, len(composites), 7, 7))
        for k, composite in enumerate(composites):
            at = self._vertex(composite.vertex)
            vertices[:, k] = a[:, at]
            j = np.zeros((self.n, 7, self.size))
            j[:, range(3), range(at.start, at.stop)] = 1
            j[:, 3:] = by[:, k]
            full[:, k] = j @ covariance @ np.swapaxes(j, 1, 2)
        fitted_primary = a[:, self.first_primary :] if self.primary is not None else None
        for values in (chi2, vertices, p, full):
            values[~converged] = np.nan
        return Fitted(chi2, self.ndf, converged, vertices, p, full, fitted_primary)


def _add_point(matrix: Array, right: Array, chi2: Array, at: slice, r: Array, weight: Array) -> None:
    """Add a direct measurement of three parameters."""
    wr = _times(weight, r)
    chi2 += np.einsum("ni,ni->n", r, wr)
    matrix[:, at, at] += weight
    right[:, at] += wr


def _meeting_points(topology: Topology, measured: Sequence[Measured], start: Array) -> Array:
    """(n, vertices, 3): starting points, where the lines below each vertex are closest together."""
    out = np.tile(start[:, None], (1, topology.vertices, 1))
    for composite in reversed(topology.composites):  # the head last: a daughter may share its vertex
        lines = [m for m in (measured[k] for k in composite.leaves) if isinstance(m, Tracks)]
        if len(lines) > 1:
            out[:, composite.vertex] = closest_point(lines)
        elif lines:
            out[:, composite.vertex] = np.column_stack([lines[0].values[:, :2], lines[0].z])
    return out


def closest_point(lines: Sequence[Tracks]) -> Array:
    """(n, 3): the point with the least sum of squared distances, across the beam, from two or more tracks [mm]."""
    slopes = np.stack([m.values[:, 2:4] for m in lines], axis=1)
    at_zero = np.stack([m.values[:, :2] - m.values[:, 2:4] * m.z[:, None] for m in lines], axis=1)
    ds, dx = slopes - slopes.mean(axis=1, keepdims=True), at_zero - at_zero.mean(axis=1, keepdims=True)
    z = -np.sum(ds * dx, axis=(1, 2)) / np.maximum(np.sum(ds**2, axis=(1, 2)), 1e-12)
    xy = at_zero.mean(axis=1) + slopes.mean(axis=1) * z[:, None]
    return np.column_stack([xy, z])


def _dot(p: Array, q: Array) -> Array:
    """Product of four-vectors (px, py, pz, E)."""
    product: Array = p[:, 3] * q[:, 3] - np.sum(p[:, :3] * q[:, :3], axis=1)
    return product


def _times(matrix: Array, vector: Array) -> Array:
    product: Array = (matrix @ vector[:, :, None])[:, :, 0]
    return product


def _solve(matrix: Array, right: Array) -> Array:
    try:
        solution: Array = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:  # one of them is singular, which must not affect the others
        solution = _times(_inverse(matrix), right)
    return solution


def _inverse(matrix: Array) -> Array:
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        out = np.full_like(matrix, np.nan)
        for k, m in enumerate(matrix):
            try:
                out[k] = np.linalg.inv(m)
            except np.linalg.LinAlgError:
                continue
        return out
