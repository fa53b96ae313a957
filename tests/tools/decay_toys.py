"""Decays at known vertices, and tracks smeared with exactly the covariance that they report."""

from __future__ import annotations

import numpy as np

from sqlamarr.candidates.measured import Photons, Tracks
from sqlamarr.candidates.topology import topology_of
from sqlamarr.particles.descriptors import mass, parse


def two_body(rng, mother, m1, m2):
    """Momenta (n, 4) of two particles from a mother (n, 4) that decays isotropically."""
    m = np.sqrt(mother[:, 3] ** 2 - np.sum(mother[:, :3] ** 2, axis=1))
    p = np.sqrt((m**2 - (m1 + m2) ** 2) * (m**2 - (m1 - m2) ** 2)) / (2 * m)
    direction = rng.normal(size=(len(m), 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    out = []
    for sign, own in ((1, m1), (-1, m2)):
        rest = np.column_stack([sign * p[:, None] * direction, np.hypot(p, own)])
        out.append(boosted(rest, mother, m))
    return out


def boosted(rest, mother, m):
    """Momenta in a mother's rest frame seen from where she flies."""
    along = np.sum(rest[:, :3] * mother[:, :3], axis=1) / m
    energy = (rest[:, 3] * mother[:, 3] + np.sum(rest[:, :3] * mother[:, :3], axis=1)) / m
    factor = (rest[:, 3] + along * m / (mother[:, 3] + m)) / m
    return np.column_stack([rest[:, :3] + factor[:, None] * mother[:, :3], energy])


def heads(rng, n, m):
    """Momenta (n, 4) of heavy hadrons in the detector: 20-200 GeV, pseudorapidity 2.5-4."""
    p = np.exp(rng.uniform(np.log(20e3), np.log(200e3), n))
    eta, phi = rng.uniform(2.5, 4, n), rng.uniform(-np.pi, np.pi, n)
    pt = p / np.cosh(eta)
    return np.column_stack([pt * np.cos(phi), pt * np.sin(phi), p * np.tanh(eta), np.hypot(p, m)])


def fly(rng, origin, momentum, m, ctau):
    """Decay vertices of particles from (n, 3) places."""
    return origin + momentum[:, :3] / m * rng.exponential(ctau, len(origin))[:, None]


def in_detector(momentum):
    """Whether particles fly forward, where tracks are straight lines in z."""
    return np.hypot(momentum[:, 0], momentum[:, 1]) < 0.35 * momentum[:, 2]


def track_covariance(rng, momentum):
    """(n, 5, 5): sizes and correlations as in a vertex detector, all different."""
    n = len(momentum)
    p = np.linalg.norm(momentum[:, :3], axis=1) / 1000
    slope = (5e-5 + 2.9e-3 / p) * np.exp(rng.normal(0, 0.2, n))
    arm, offset = 8.0 / np.hypot(momentum[:, 0], momentum[:, 1]) * momentum[:, 2], 0.012
    cov = np.zeros((n, 5, 5))
    for i in range(2):
        cov[:, i, i] = (arm * slope) ** 2 + offset**2
        cov[:, i + 2, i + 2] = slope**2
        cov[:, i, i + 2] = cov[:, i + 2, i] = -arm * slope**2
    relative = 0.005
    cov[:, 4, 4] = (relative / (1000 * p)) ** 2
    cov[:, 2, 4] = cov[:, 4, 2] = 0.1 * slope * np.sqrt(cov[:, 4, 4])
    cov[:, 0, 4] = cov[:, 4, 0] = -arm * cov[:, 2, 4]
    return cov


def smeared(rng, vertex, momentum, charge, m, exact=False):
    """Tracks of particles from (n, 3) vertices, given near the beam and smeared with their covariance."""
    tx, ty = momentum[:, 0] / momentum[:, 2], momentum[:, 1] / momentum[:, 2]
    dz = -(vertex[:, 0] * tx + vertex[:, 1] * ty) / (tx**2 + ty**2)
    p = np.linalg.norm(momentum[:, :3], axis=1)
    true = np.column_stack([vertex[:, 0] + tx * dz, vertex[:, 1] + ty * dz, tx, ty, charge / p])
    cov = track_covariance(rng, momentum)
    noise = np.zeros_like(true) if exact else _normal(rng, cov)
    return Tracks(true + noise, cov, vertex[:, 2] + dz, m)


def photon(rng, vertex, momentum, z=12_600.0):
    """Clusters of photons, with 9 % sqrt(E) and a few mm."""
    path = (z - vertex[:, 2:]) / momentum[:, 2:3] * momentum[:, :3]
    place = vertex + path
    n, energy = len(place), momentum[:, 3]
    cov = np.zeros((n, 3, 3))
    cov[:, 0, 0] = cov[:, 1, 1] = 4.0
    cov[:, 2, 2] = (0.09 * np.sqrt(energy * 1000)) ** 2 + (0.01 * energy) ** 2
    true = np.column_stack([place[:, :2], energy])
    return Photons(true + _normal(rng, cov), cov, np.full(n, z))


def _normal(rng, covariance):
    """Errors with these covariances."""
    root = np.linalg.cholesky(covariance)
    return (root @ rng.normal(size=(*covariance.shape[:2], 1)))[:, :, 0]


def lambda_b(rng, n, exact=False):
    """Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-, without neutrino: topology, tracks and truth."""
    decay, particles, truth = lambda_b_decays(rng, n)
    tracks = [smeared(rng, place, p, charge, m, exact) for place, p, charge, m in particles]
    return topology_of(decay), tracks, truth


def lambda_b_decays(rng, n):
    """Up to n such decays whose tracks all fly forward: descriptor, final state, truth."""
    decay = parse("Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-").decay
    m = {name: mass(pid) for name, pid in zip(("Lb", "Lc", "p", "K", "pi", "mu"), (5122, 4122, 2212, 321, 211, 13))}
    origin = rng.normal(0, [0.03, 0.03, 50], (n, 3))
    lb = heads(rng, n, m["Lb"])
    vertex = fly(rng, origin, lb, m["Lb"], 0.439)
    lc, mu = two_body(rng, lb, m["Lc"], m["mu"])
    end = fly(rng, vertex, lc, m["Lc"], 0.0608)
    p, pair = two_body(rng, lc, m["p"], 700.0 * np.ones(n))
    k, pi = two_body(rng, pair, m["K"], m["pi"])
    seen = np.all([in_detector(momentum) for momentum in (p, k, pi, mu)], axis=0)
    origin, lb, vertex, lc, mu, end, p, k, pi = (a[seen] for a in (origin, lb, vertex, lc, mu, end, p, k, pi))
    final = ((end, p, 1, m["p"]), (end, k, -1, m["K"]), (end, pi, 1, m["pi"]), (vertex, mu, -1, m["mu"]))
    truth = {"origin": origin, "Lb": lb, "Lc": lc, "Lb_end": vertex, "Lc_end": end}
    return decay, final, truth
