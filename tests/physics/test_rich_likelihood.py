"""The RICH likelihood of the default identification once more: density by density, in logarithms and exact functions.

The model multiplies densities as fractions and takes approximate uniform numbers; the answers must not show it.
"""

from __future__ import annotations

from math import asin, erf, exp, log, sinh, sqrt

import numpy as np
import pytest
from populations import Array, Table
from test_pid_model import KINEMATICS, MODELS, noise, population

MASS = {"electron": 0.51099895e-3, "muon": 0.10565838, "kaon": 0.493677, "proton": 0.93827209, "pion": 0.13957039}
# refractive index, photo-electrons, resolutions of a photon and of the ring [mrad], background hits, window [mrad]
RADIATORS = ((1.0014, 25.0, 1.57, 0.34, 7.0, 62.0), (1.0005, 19.0, 0.68, 0.15, 6.0, 38.0))
MOST_SIGNAL, MOST_BACKGROUND = 36, 22
# Which normal decides what; the first of two, one for each radiator.
BLIND, IN_RICH2, QUALITY, SHIFT, YIELD, CROWD, HITS, SIGNAL, BACKGROUND = 0, 1, 2, 3, 5, 7, 9, 11, 83


def cdf(normal: float) -> float:
    return 0.5 * (1 + erf(normal / sqrt(2)))


def rise(x: float) -> float:
    return 1 / (1 + exp(-x))


def clip(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)


def tailed(normal: float) -> float:
    return normal * (1 + 0.04 * normal * normal)


def count(mean: float, normal: float, most: int) -> int:
    return int(clip(mean + sqrt(mean) * normal + (normal * normal - 1) / 6 + 0.5, 0, most + 0.5)) if mean > 0 else 0


def rings(radiator: int, p: float) -> dict[str, tuple[float, float]]:
    """By hypothesis: photo-electrons expected, and their angle [mrad]."""
    n, saturated = RADIATORS[radiator][:2]
    sin2 = {name: max(1 - (1 + (mass / p) ** 2) / n**2, 0.0) for name, mass in MASS.items()}
    return {name: (saturated * s / (1 - 1 / n**2), 1e3 * asin(sqrt(s))) for name, s in sin2.items()}


def hits(radiator: int, ring: tuple[float, float], crowding: float, left: float, z: Array) -> list[float]:
    """Angles of the photo-electrons that are seen [mrad]."""
    _, _, sigma, common, background, window = RADIATORS[radiator]
    shift = (1 + 0.12 * crowding) * (1 + 5 * (1 - left)) * common * tailed(z[SHIFT + radiator])
    n_signal = count(ring[0] * left, z[YIELD + radiator], MOST_SIGNAL)
    crowd = background * crowding * clip(1 + 0.45 * z[CROWD + radiator], 0.2, 3)
    n_background = count(crowd, z[HITS + radiator], MOST_BACKGROUND)
    signal = z[SIGNAL + MOST_SIGNAL * radiator :][:n_signal]
    others = z[BACKGROUND + MOST_BACKGROUND * radiator :][:n_background]
    return [abs(ring[1] + shift + sigma * tailed(a)) for a in signal] + [window * sqrt(cdf(a)) for a in others]


def log_likelihood(radiator: int, ring: tuple[float, float], crowding: float, angles: list[float]) -> float:
    _, _, sigma, _, background, window = RADIATORS[radiator]
    kernels = [0.385 / sigma / (1 + ((a - ring[1]) / sigma) ** 2 / 7) ** 4 for a in angles]
    densities = [0.03 + 2 * background * crowding / window**2 * a + ring[0] * k for a, k in zip(angles, kernels)]
    return sum(map(log, densities)) - ring[0]


def expected(row: Array, normals: Table, species: str) -> list[float]:
    """ln L of e, mu, K and p, without that of the pion."""
    p, eta, n_tracks, _, upstream = map(float, row)
    p, z, angle = p / 1e3, normals.astype(np.float64), 1e3 / sinh(eta)
    crowding = n_tracks / 200 * exp(0.65 * (clip(eta, 2, 5) - 3))
    edge = 0.04 * rise((17 - angle) / 2) + 0.5 * rise((angle - 330) / 15)
    if cdf(z[BLIND]) < clip(0.003 + 0.045 * exp(-(p - 3) / 3) + edge, 0, 0.6):
        return [0.0] * 4
    bad = clip(0.02 + 0.06 * crowding, 0, 0.4)
    left = min(cdf(z[QUALITY]) / bad, 1.0)
    in_rich2 = (1 - exp(-p * p / 70)) * rise(angle - 13) * rise((118 - angle) / 6)
    total = np.zeros(4)
    for radiator in range(2 if not upstream and cdf(z[IN_RICH2]) < in_rich2 else 1):
        ring = rings(radiator, p)
        angles = hits(radiator, ring[species], crowding, left, z)
        found = {name: log_likelihood(radiator, ring[name], crowding, angles) for name in ring}
        total += [found[name] - found["pion"] for name in ("electron", "muon", "kaon", "proton")]
    return [float(value) for value in total]


@KINEMATICS
@pytest.mark.parametrize("n_tracks", [20, 200, 900])
def test_likelihoods_are_those_of_the_formulas(species: str, n_tracks: float) -> None:
    inputs = population(5, p=(1500, 150_000), n_tracks=n_tracks, n=300)
    inputs[:, 4] = np.arange(300) % 3 == 0  # upstream
    normals = noise(np.random.default_rng(n_tracks), 300, "rich")
    found = MODELS["rich", species](inputs, normals)
    wanted = [expected(row, z, species) for row, z in zip(inputs, normals)]
    assert found == pytest.approx(np.array(wanted), rel=1e-5, abs=2e-4)
