"""Lines and primary vertices: impact parameters, flight distances, and best primary vertices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sqlamarr.candidates.fit import Primary
from sqlamarr.candidates.measured import Array, Rows, Tracks


@dataclass(frozen=True)
class Lines:
    """Straight lines with uncertainty.

    :ivar point: (n, 3) a point on each [mm]
    :ivar slopes: (n, 2) dx/dz, dy/dz
    :ivar covariance: (n, 4, 4) covariance of x, y, dx/dz, dy/dz at the point's z
    """

    point: Array
    slopes: Array
    covariance: Array

    def at(self, z: Array) -> tuple[Array, Array]:
        """(n, 2) x and y there, and their (n, 2, 2) covariance."""
        dz = z - self.point[:, 2]
        c, d = self.covariance, dz[:, None, None]
        cross = c[:, :2, 2:]
        covariance = c[:, :2, :2] + d * (cross + np.swapaxes(cross, 1, 2)) + d**2 * c[:, 2:, 2:]
        return self.point[:, :2] + self.slopes * dz[:, None], covariance


def lines_of_tracks(tracks: Tracks) -> Lines:
    """The lines of tracks near the beam."""
    point = np.column_stack([tracks.values[:, :2], tracks.z])
    return Lines(point, tracks.values[:, 2:4], tracks.covariance[:, :4, :4])


def lines_of_decays(vertex: Array, momentum: Array, covariance: Array) -> Lines:
    """The lines of decayed particles: vertex (n, 3), momentum (n, 3 or 4), covariance (n, 7, 7)."""
    slopes = momentum[:, :2] / momentum[:, 2:3]
    j = np.zeros((len(vertex), 4, 6))
    for i in range(2):
        j[:, i, i] = 1
        j[:, i, 2] = -slopes[:, i]
        j[:, i + 2, i + 3] = 1 / momentum[:, 2]
        j[:, i + 2, 5] = -slopes[:, i] / momentum[:, 2]
    return Lines(vertex, slopes, j @ covariance[:, :6, :6] @ np.swapaxes(j, 1, 2))


def impact_parameter(lines: Lines, primary: Primary) -> tuple[Array, Array]:
    """Distance of lines from points [mm] and its chi2 with both uncertainties (two degrees of freedom)."""
    xy, covariance = lines.at(primary.position[:, 2])
    r = xy - primary.position[:, :2]
    # The vertex's z is uncertain: a shift along z moves the line by its slopes.
    j = np.zeros((len(r), 2, 3))
    j[:, 0, 0] = j[:, 1, 1] = 1
    j[:, :, 2] = -lines.slopes
    total = covariance + j @ primary.covariance @ np.swapaxes(j, 1, 2)
    along = np.sum(r * lines.slopes, axis=1) / (1 + np.sum(lines.slopes**2, axis=1))
    distance = np.sqrt(np.maximum(np.sum(r**2, axis=1) - along * np.sum(r * lines.slopes, axis=1), 0))
    return distance, quadratic(r, total)


def flight(vertex: Array, covariance: Array, primary: Primary) -> tuple[Array, Array]:
    """Distance of decay vertices from primary vertices [mm], and its chi2: (n, 3), (n, 3, 3) of the former."""
    r = vertex - primary.position
    return np.sqrt(np.sum(r**2, axis=1)), quadratic(r, covariance + primary.covariance)


def quadratic(r: Array, covariance: Array) -> Array:
    """r' C^-1 r; NaN where C is unknown."""
    out = np.full(len(r), np.nan)
    good = np.isfinite(covariance).all(axis=(1, 2)) & np.isfinite(r).all(axis=1)
    if good.any():
        solved = np.linalg.solve(covariance[good], r[good][:, :, None])[:, :, 0]
        out[good] = np.einsum("ni,ni->n", r[good], solved)
    return out


@dataclass(frozen=True)
class PrimaryVertices:
    """Reconstructed primary vertices, sorted by event.

    :ivar events: (m,) event ids
    :ivar vertices: (m,) rows of ``positions`` and ``sigmas``
    """

    events: np.ndarray[tuple[int], np.dtype[np.int64]]
    ids: np.ndarray[tuple[int], np.dtype[np.int64]]
    positions: Array
    sigmas: Array

    def at(self, rows: Rows) -> Primary:
        """Positions and covariances; rows below 0 have NaN."""
        if not len(self.ids):
            return Primary(np.full((len(rows), 3), np.nan), np.full((len(rows), 3, 3), np.nan))
        position = np.where(rows[:, None] < 0, np.nan, self.positions[rows])
        sigma = np.where(rows[:, None] < 0, np.nan, self.sigmas[rows])
        return Primary(position, sigma[:, :, None] ** 2 * np.eye(3))

    def first(self, events: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Array:
        """(n, 3) the first primary vertex of each event, the origin if it has none."""
        rows = np.searchsorted(self.events, events, "left")
        found = np.searchsorted(self.events, events, "right") > rows
        return np.where(found[:, None], np.nan_to_num(self.at(np.where(found, rows, -1)).position), 0.0)

    def best(self, events: np.ndarray[tuple[int], np.dtype[np.int64]], lines: Lines) -> Rows:
        """For each line, the row of its event's primary vertex with the smallest impact parameter chi2; -1 for none."""
        first = np.searchsorted(self.events, events, "left")
        number = np.searchsorted(self.events, events, "right") - first
        best = np.where(number > 0, first, -1)
        if not len(events) or number.max() < 2:
            return best
        least = np.full(len(events), np.inf)
        for k in range(int(number.max())):
            rows = np.flatnonzero(number > k)
            chosen = Lines(lines.point[rows], lines.slopes[rows], lines.covariance[rows])
            chi2 = impact_parameter(chosen, self.at(first[rows] + k))[1]
            better = chi2 < least[rows]
            best[rows[better]] = first[rows[better]] + k
            least[rows[better]] = chi2[better]
        return best
