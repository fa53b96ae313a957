"""Populations of toy tracks on which the default models are compared with LHCb's performance.

Unless stated otherwise: momentum flat in its logarithm, pseudorapidity flat from 2 to 4.9, azimuth
flat, both charges, and a prompt origin: x, y ~ N(0, 35 um), z ~ N(0, 50 mm). Momenta in MeV, lengths in
mm. Every population depends on its random generator alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Table = npt.NDArray[np.float32]
Range = tuple[float, float]

ETA: Range = (2.0, 4.9)
SPECIES = ("e", "mu", "h")
CLASSES = ("long", "upstream", "downstream")
GEV = 1000.0
K0S_MASS, PION_MASS = 497.611, 139.570  # MeV, Particle Data Group


@dataclass(frozen=True)
class Tracks:
    """Charged particles, one per element of every array, of one species."""

    species: str
    p: Array
    tx: Array
    ty: Array
    charge: Array
    origin: Array  # (n, 3): x, y, z

    def __len__(self) -> int:
        return len(self.p)

    @property
    def slope(self) -> Array:
        """Tangent of the angle to the beam."""
        return np.hypot(self.tx, self.ty)

    @property
    def eta(self) -> Array:
        """Pseudorapidity."""
        return np.arcsinh(1 / self.slope)

    @property
    def pt(self) -> Array:
        """Transverse momentum [MeV]."""
        return self.p / np.cosh(self.eta)

    def closest_to_beam(self) -> Array:
        """(n, 3): the point of each line that is closest to x = y = 0."""
        x, y, z = self.origin.T
        dz = -(x * self.tx + y * self.ty) / self.slope**2
        return np.column_stack([x + self.tx * dz, y + self.ty * dz, z + dz])

    def at(self, chosen: npt.NDArray[np.bool_]) -> Tracks:
        """The chosen ones."""
        return Tracks(
            self.species,
            self.p[chosen],
            self.tx[chosen],
            self.ty[chosen],
            self.charge[chosen],
            self.origin[chosen],
        )


def flags(value: str, names: tuple[str, ...], n: int) -> Array:
    """(n, len(names)) of 0 and 1: which of the names it is."""
    return np.tile([float(value == name) for name in names], (n, 1))


def tracks(rng: np.random.Generator, species: str, p: Array, eta: Array, origin: Array) -> Tracks:
    """Particles of given momenta [MeV] and pseudorapidities in random directions."""
    phi = rng.uniform(-np.pi, np.pi, len(p))
    slope = 1 / np.sinh(eta)
    charge = rng.choice([-1.0, 1.0], len(p))
    return Tracks(species, p, slope * np.cos(phi), slope * np.sin(phi), charge, origin)


def prompt_origin(rng: np.random.Generator, n: int) -> Array:
    """(n, 3) points where collisions happen."""
    return rng.normal(0, [0.035, 0.035, 50.0], (n, 3))


def spread(rng: np.random.Generator, value: float | Range, n: int, logarithmic: bool = False) -> Array:
    """A fixed value, or flat in a range (flat in the logarithm)."""
    if not isinstance(value, tuple):
        return np.full(n, value)
    if logarithmic:
        return np.exp(rng.uniform(np.log(value[0]), np.log(value[1]), n))
    return rng.uniform(*value, n)


def prompt(
    rng: np.random.Generator,
    n: int,
    species: str = "h",
    p: float | Range = (3 * GEV, 100 * GEV),
    eta: float | Range = ETA,
) -> Tracks:
    """Particles from collisions."""
    momenta = spread(rng, p, n, logarithmic=True)
    return tracks(rng, species, momenta, spread(rng, eta, n), prompt_origin(rng, n))


def prompt_at_pt(rng: np.random.Generator, n: int, species: str, pt: float) -> Tracks:
    """Of the standard population, 3-100 GeV, those with one transverse momentum [MeV]."""
    found = prompt(rng, n, species, p=pt)  # at fixed pT, log-flat in p is flat in eta
    momenta = pt * np.cosh(found.eta)
    inside = (momenta > 3 * GEV) & (momenta < 100 * GEV)
    all_momenta = Tracks(species, momenta, found.tx, found.ty, found.charge, found.origin)
    return all_momenta.at(inside)


def displaced(rng: np.random.Generator, n: int, species: str, p: float, eta: float, z: float) -> Tracks:
    """Particles that start at z [mm] on a line from the collision, 2 mm apart from it."""
    found = prompt(rng, n, species, p, eta)
    aside = rng.normal(0, 2.0, (2, n))
    origin = np.column_stack([found.tx * z + aside[0], found.ty * z + aside[1], np.full(n, z)])
    return Tracks(species, found.p, found.tx, found.ty, found.charge, origin)


def k0s_pions(rng: np.random.Generator, n: int) -> Tracks:
    """One pion of each K0S: 8-80 GeV, pseudorapidity 2.3-4.5, decaying at 300 < z < 2200 mm."""
    mother = prompt(rng, n, "K0S", (8 * GEV, 80 * GEV), (2.3, 4.5))
    along = np.column_stack([mother.tx, mother.ty, np.ones(n)])
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    pion_p = np.sqrt(K0S_MASS**2 / 4 - PION_MASS**2)
    direction = rng.normal(size=(n, 3))
    momentum = pion_p * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    parallel = np.sum(momentum * along, axis=1)
    energy = np.hypot(mother.p, K0S_MASS)
    boosted = (energy * parallel + mother.p * K0S_MASS / 2) / K0S_MASS
    momentum += along * (boosted - parallel)[:, None]
    flight = rng.uniform(300, 2200, n) - mother.origin[:, 2]
    origin = mother.origin + flight[:, None] * along / along[:, 2:]
    p = np.linalg.norm(momentum, axis=1)
    tx, ty = momentum[:, :2].T / momentum[:, 2]
    pions = Tracks("h", p, tx, ty, rng.choice([-1.0, 1.0], n), origin)
    return pions.at((momentum[:, 2] > 0) & (p > 2 * GEV) & (pions.eta > ETA[0]) & (pions.eta < ETA[1]))


def particle_input(t: Tracks) -> Table:
    """Inputs of acceptance and efficiency, in the order of LHCb's published models."""
    n, phi = len(t), np.arctan2(t.ty, t.tx)
    kinematics = np.column_stack([t.origin, np.log10(t.p), t.tx, t.ty, t.eta, phi])
    return np.column_stack([kinematics, flags(t.species, SPECIES, n), t.charge]).astype(np.float32)


def resolution_input(t: Tracks, track_class: str) -> Table:
    """Inputs of resolution: the true state closest to the beam."""
    n = len(t)
    state = np.column_stack([t.closest_to_beam(), t.tx, t.ty, np.log10(t.p)])
    return np.column_stack([state, flags(t.species, SPECIES, n), flags(track_class, CLASSES, n)]).astype(np.float32)


def covariance_input(true: Table, residuals: Table | Array) -> Table:
    """Inputs of covariance: the reconstructed state, from inputs and outputs of resolution."""
    state = true[:, :5] + residuals[:, :5]
    log10_p = np.log10(10 ** true[:, 5].astype(np.float64) + residuals[:, 5])
    parts = [state, log10_p, residuals[:, 6:], true[:, 6:]]
    return np.column_stack(parts).astype(np.float32)
