"""The calorimeter's models by themselves: made-up hits in, clusters out; and decays into photons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sqlamarr.models.events import CompiledEventModel, EventAnswers, EventBatch, EventLimits, EventSizes
from sqlamarr.native.library import native_folder

Array = npt.NDArray[np.float64]

ECAL_Z = 12490.0  # mm
PI0_MASS = 134.977  # MeV, Particle Data Group
SIZES = EventSizes(inputs=9, event_inputs=1, outputs=8, noise=16, event_noise=0)
LIMITS = EventLimits(rows=5000, links=50000)
PHOTON, MERGED, SPLIT, CHARGED = 1, 2, 3, 4  # types of clusters
GAMMA, ELECTRON, TRACK = 0, 1, 2  # kinds of particles
REGIONS = {  # places well inside: x from, to, y from, to [mm]; width of a cell
    "inner": (420, 900, -280, 280, 40.4),
    "middle": (1050, 1850, -500, 500, 60.6),
    "outer": (2100, 3600, -1000, 1000, 121.2),
}


class Clusters(NamedTuple):
    """Answers of the model of events, and the event that each row belongs to."""

    columns: dict[str, Array]
    event: npt.NDArray[np.int64]
    answers: EventAnswers

    def of_type(self, *types: int) -> npt.NDArray[np.bool_]:
        """Which rows are of these types."""
        return np.isin(self.columns["type"], types)


def library(name: str = "ecal") -> CompiledEventModel:
    """The shipped model of events."""
    return CompiledEventModel(native_folder() / "plugins" / "lhcb_run2_calo.so", name)


def clusters(x, y, energy, counts, *, kind=GAMMA, threshold=50.0, seed=1, noise=None, limits=LIMITS) -> Clusters:
    """Clusters of events of ``counts`` hits each, at x, y [mm] with these energies [MeV]."""
    rng = np.random.default_rng(seed)
    counts = np.asarray(counts)
    n, events = int(counts.sum()), len(counts)
    rows = np.zeros((n, SIZES.inputs), np.float32)
    rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 8] = x, y, energy, kind
    noise = rng.normal(size=(n, SIZES.noise)) if noise is None else np.full((n, SIZES.noise), noise)
    batch = EventBatch(
        np.arange(events) * 1_000_000,
        np.append(0, np.cumsum(counts)),
        rows,
        np.full((events, 1), threshold, np.float32),
        noise.astype(np.float32),
        np.empty((events, 0), np.float32),
    )
    model = library()
    answers = model(batch, SIZES, limits)
    columns = {name: answers.rows[:, i].astype(float) for i, name in enumerate(model.output_names)}
    return Clusters(columns, np.repeat(np.arange(events), np.diff(answers.offsets)), answers)


def places(region: str, n: int, seed: int = 0) -> tuple[Array, Array]:
    """Random places in a region [mm]."""
    x0, x1, y0, y1, _ = REGIONS[region]
    rng = np.random.default_rng(seed)
    return rng.uniform(x0, x1, n), rng.uniform(y0, y1, n)


def active(x: Array, y: Array) -> npt.NDArray[np.bool_]:
    """Whether places are in the active area."""
    return (abs(x) < 3878.4) & (abs(y) < 3151.2) & ((abs(x) > 323.2) | (abs(y) > 323.2))


def energy_resolution(energy: Array | float) -> Array:
    """sigma/E of LHCb's calorimeter in Run 2 (arXiv:2008.11556), energy in MeV."""
    gev = np.asarray(energy) / 1000
    return np.sqrt(0.096**2 / gev + 0.037**2 + 0.395**2 / gev**2)


def two_body(mass: float, masses: tuple[float, float], p: Array, eta: Array, seed: int) -> tuple[Array, Array]:
    """Momenta (n, 3) of the products of isotropic decays in flight, in random directions around the beam [MeV]."""
    rng = np.random.default_rng(seed)
    n = len(p)
    phi, cosine, turn = rng.uniform(-np.pi, np.pi, n), rng.uniform(-1, 1, n), rng.uniform(-np.pi, np.pi, n)
    along = np.column_stack([np.cos(phi) / np.cosh(eta), np.sin(phi) / np.cosh(eta), np.tanh(eta)])
    side = np.cross(along, [0, 1.0, 0])
    side /= np.linalg.norm(side, axis=1)[:, None]
    up = np.cross(along, side)
    first, second = masses
    k = np.sqrt((mass**2 - (first + second) ** 2) * (mass**2 - (first - second) ** 2)) / (2 * mass)
    sine = np.sqrt(1 - cosine**2)
    across = k * sine[:, None] * (np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * up)
    energy = np.hypot(p, mass)
    parts = []
    for sign, m in ((1, first), (-1, second)):
        parallel = (energy * sign * k * cosine + p * np.hypot(k, m)) / mass
        parts.append(sign * across + parallel[:, None] * along)
    return parts[0], parts[1]


def at_face(momentum: Array) -> tuple[Array, Array]:
    """Where straight lines from the origin hit the face [mm]."""
    return ECAL_Z * momentum[:, 0] / momentum[:, 2], ECAL_Z * momentum[:, 1] / momentum[:, 2]


class Pions(NamedTuple):
    """Events of one pi0 each: the hits of the two photons one after the other, and the clusters."""

    x: Array
    y: Array
    energy: Array
    pt: Array
    seen: npt.NDArray[np.bool_]  # per pi0: both photons hit the active area
    clusters: Clusters

    def masses(self, kind: int) -> tuple[npt.NDArray[np.int64], Array]:
        """Which pi0 have two clusters of this type, and the mass of the two [MeV]."""
        rows = np.flatnonzero(self.clusters.of_type(kind))
        event = self.clusters.event[rows]
        pairs = np.flatnonzero(np.bincount(event, minlength=len(self.seen)) == 2)
        first = np.searchsorted(event, pairs)
        return pairs, pair_mass(self.clusters.columns, rows[first], rows[first + 1])

    def matched(self) -> npt.NDArray[np.int64]:
        """Per photon the type of a cluster within a Moliere radius and two sigmas of its energy; 0: none."""
        found = np.zeros(len(self.x), np.int64)
        c = self.clusters.columns
        for kind in (SPLIT, PHOTON):
            rows = np.flatnonzero(self.clusters.of_type(kind))
            for which in range(2):
                photon = 2 * self.clusters.event[rows] + which
                near = np.hypot(c["x"][rows] - self.x[photon], c["y"][rows] - self.y[photon]) < 35
                off = abs(c["energy"][rows] / self.energy[photon] - 1) < 2 * energy_resolution(self.energy[photon])
                found[photon[near & off]] = kind
        return found


def pair_mass(columns: dict[str, Array], first, second) -> Array:
    """Mass of two clusters as photons from the origin [MeV]."""
    rays = []
    for rows in (first, second):
        ray = np.column_stack([columns["x"][rows], columns["y"][rows], np.full(len(rows), ECAL_Z)])
        rays.append(ray / np.linalg.norm(ray, axis=1)[:, None])
    opening = np.sum((rays[0] - rays[1]) ** 2, axis=1)  # 2 (1 - cos)
    return np.sqrt(columns["energy"][first] * columns["energy"][second] * opening)


def pions(pt: Array, eta: Array, seed: int = 1) -> Pions:
    """One pi0 per event, of these transverse momenta [MeV] and pseudorapidities."""
    both = two_body(PI0_MASS, (0.0, 0.0), pt * np.cosh(eta), eta, seed)
    momentum = np.stack(both, axis=1).reshape(-1, 3)
    x, y = at_face(momentum)
    energy = np.linalg.norm(momentum, axis=1)
    made = clusters(x, y, energy, np.full(len(pt), 2), seed=seed)
    seen = active(x, y).reshape(-1, 2).all(axis=1)
    return Pions(x, y, energy, np.hypot(momentum[:, 0], momentum[:, 1]), seen, made)
