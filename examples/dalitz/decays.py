"""K0 -> pi+ pi- pi0 at 180 GeV/c, and a rough detector for it (PoS CompTools2021 034; CERN-THESIS-2024-108, 5.1.3).

The paper prints the resolution as delta_p/p = 1 GeV^-1 p. At the momenta of this decay that would be an error of sixty
times the momentum, which cannot be meant; 10^-3 GeV^-1 makes it several per cent, the rough spectrometer that the text
describes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MASS_K, MASS_PI, MASS_PI0 = 0.497611, 0.139570, 0.134977  # GeV/c2, Particle Data Group 2024
MOMENTUM_K = 180.0  # GeV/c
LEAST_MOMENTUM_PI0 = 70.0  # GeV/c
RESOLUTION = 1e-3  # delta_p/p per GeV/c


class Decays(NamedTuple):
    """Four-momenta (energy, px, py, pz) in GeV of pi+, pi- and pi0, each (decays, 4)."""

    plus: Floats
    minus: Floats
    neutral: Floats


def generate(n: int, rng: np.random.Generator) -> Decays:
    """Decays that fill the Dalitz plot evenly, boosted along z."""
    m12 = np.empty(0)
    while len(m12) < n:  # phase space: the density of m12 is the product of the two momenta
        m = rng.uniform(2 * MASS_PI, MASS_K - MASS_PI0, 4 * n)
        density = _momentum(m, MASS_PI, MASS_PI) * _momentum(MASS_K, m, MASS_PI0)
        m12 = np.concatenate([m12, m[rng.random(4 * n) * density.max() < density]])
    m12 = m12[:n]
    pair, neutral = _two_body(np.full(n, MASS_K), m12, np.full(n, MASS_PI0), rng)
    plus, minus = _two_body(m12, np.full(n, MASS_PI), np.full(n, MASS_PI), rng)
    plus, minus = _boosted(plus, pair), _boosted(minus, pair)
    kaon = np.tile([np.hypot(MOMENTUM_K, MASS_K), 0, 0, MOMENTUM_K], (n, 1))
    return Decays(*(_boosted(p, kaon) for p in (plus, minus, neutral)))


def detected(decays: Decays, rng: np.random.Generator) -> Decays:
    """The same as the spectrometer sees it: momenta with their errors, directions exact."""
    return Decays(*(_smeared(p, rng) for p in decays))


def accepted(decays: Decays) -> NDArray[np.bool_]:
    """Whether the calorimeter takes the pi0."""
    return momentum(decays.neutral) > LEAST_MOMENTUM_PI0


def momentum(p: Floats) -> Floats:
    """|p| in GeV/c."""
    return np.linalg.norm(p[:, 1:], axis=1)


def masses(decays: Decays) -> Floats:
    """The coordinates of the Dalitz plot: m(pi+ pi-) and m(pi+ pi0) in GeV/c2, (decays, 2)."""
    return np.stack([mass(decays.plus + decays.minus), mass(decays.plus + decays.neutral)], axis=1)


def mass(p: Floats) -> Floats:
    """Invariant mass in GeV/c2."""
    return np.sqrt(np.maximum(p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(axis=1), 0))


def _momentum(m: Floats | float, a: Floats | float, b: Floats | float) -> Floats:
    """Momentum of the products of a two-body decay at rest."""
    product = (np.square(m) - np.square(a + b)) * (np.square(m) - np.square(a - b))
    return np.sqrt(np.maximum(product, 0)) / (2 * np.asarray(m))


def _two_body(m: Floats, a: Floats, b: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """An isotropic decay at rest."""
    cos, phi = rng.uniform(-1, 1, len(m)), rng.uniform(-np.pi, np.pi, len(m))
    sin = np.sqrt(1 - cos**2)
    p = (_momentum(m, a, b) * np.stack([sin * np.cos(phi), sin * np.sin(phi), cos])).T
    return tuple(np.column_stack([np.sqrt(np.square(x) + (p**2).sum(axis=1)), s * p]) for x, s in ((a, 1), (b, -1)))


def _boosted(p: Floats, frame: Floats) -> Floats:
    """From the rest frame of ``frame`` into the one in which it has this four-momentum."""
    m = mass(frame)[:, None]
    along = (p[:, 1:] * frame[:, 1:]).sum(axis=1, keepdims=True)
    energy = (p[:, :1] * frame[:, :1] + along) / m
    factor = along / (m * (frame[:, :1] + m)) + p[:, :1] / m
    return np.hstack([energy, p[:, 1:] + factor * frame[:, 1:]])


def _smeared(p: Floats, rng: np.random.Generator) -> Floats:
    before = momentum(p)
    factor = np.maximum(1 + RESOLUTION * before * rng.normal(size=len(p)), 1e-3)
    after, m = p[:, 1:] * factor[:, None], mass(p)
    return np.column_stack([np.sqrt(m**2 + (after**2).sum(axis=1)), after])
