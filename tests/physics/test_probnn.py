"""The probabilities of the default identification once more: rivals in logarithms, as they were tuned."""

from __future__ import annotations

from math import exp, log, sinh, sqrt

import numpy as np
import pytest
from populations import Array, Table
from test_pid_model import COMBINED, KINEMATICS, MODELS, noise, population

SPECIES = ("electron", "muon", "kaon", "proton", "pion")
# What is added to the logarithm of the odds of each rival where the first is asked for, and the classifiers' sharpness.
RIVALS = {
    "electron": (0.8, {}),
    "muon": (1.1, {"kaon": 0.8, "proton": 0.3}),
    "kaon": (1.6, {"electron": -3, "proton": -0.6}),
    "proton": (1.1, {"electron": -3, "muon": -0.6, "kaon": 1, "pion": -0.6}),
    "pion": (1.0, {"electron": -9.5, "kaon": 0.2, "proton": -2.8}),
}
OUTPUTS = {"ProbNNe": "electron", "ProbNNpi": "pion", "ProbNNk": "kaon", "ProbNNp": "proton", "ProbNNmu": "muon"}
# Means of what RICH and MUON do not measure: calorimeter, penetration, kaons and protons, protons.
EVIDENCE = {
    "electron": (3.4, 0, 0, 0),
    "muon": (-0.5, 0.7, 0, 0),
    "kaon": (0, 0, 1.8, 0),
    "proton": (0, 0, 1.8, 1.6),
    "pion": (0, 0, 0, 0),
}
PRIOR = {"electron": -1.55, "muon": -2.0, "kaon": -1.2, "proton": -1.8, "pion": 0.0}
TRUST = {"electron": 0.35, "muon": 0.25, "kaon": 0.35, "proton": 0.35, "pion": 0.35}


def rise(x: float) -> float:
    return 1 / (1 + exp(-x))


def believed(ratio: float, scale: float, most: float) -> float:
    x = scale * ratio
    return x / sqrt(1 + (x / most) ** 2)


def scores(row: Array, normals: Table, species: str) -> dict[str, float]:
    """Logarithms of the odds of the hypotheses."""
    _, eta, n_tracks, _, is_muon, *likelihoods = map(float, row)
    rich = dict(zip(SPECIES, (*likelihoods[:4], 0.0)))
    muon = likelihoods[4] - likelihoods[5] if is_muon else 0.0
    crowding = n_tracks / 200 * exp(0.65 * (min(max(eta, 2), 5) - 3))
    covered, clear = rise((1e3 / sinh(eta) - 20) / 2), 1.27 / (1 + 0.2 * crowding)
    means = {name: np.array(EVIDENCE[name]) * (covered, covered, clear, clear) for name in SPECIES}
    seen = means[species] + normals[:4].astype(np.float64)
    seen[1] += (rise(muon) if is_muon else 0.0) * (means["muon"][1] - means[species][1])
    found = {}
    for name in SPECIES:
        found[name] = 2.0 if name == "muon" and is_muon else PRIOR[name]
        found[name] += believed(rich[name] - max(rich.values()), TRUST[name], 10 * TRUST[name])
        found[name] += float(np.sum(means[name] * (seen - 0.5 * means[name])))
    found["muon"] += believed(muon, 0.25, 1.2) + 1.4 * float(normals[4]) if is_muon else -8
    return found


def probability(score: dict[str, float], name: str) -> float:
    sharpness, added = RIVALS[name]
    others = sum(exp(score[rival] + added.get(rival, 0.0)) for rival in SPECIES if rival != name)
    return rise(sharpness * (score[name] - log(others)))


@KINEMATICS
@pytest.mark.parametrize("is_muon", [0, 1])
def test_probabilities_are_those_of_the_formulas(species: str, is_muon: int) -> None:
    rng = np.random.default_rng(6)
    inputs = np.zeros((300, 11), np.float32)
    inputs[:, :4] = population(6, n=300)[:, :4]
    inputs[:, 4] = is_muon
    inputs[:, 5:9] = rng.normal(0, 30, (300, 4))
    inputs[:, 9:] = -rng.exponential(2, (300, 2))
    normals = noise(rng, 300, "global")
    found = dict(zip(COMBINED, MODELS["global", species](inputs, normals).T, strict=True))
    for output, hypothesis in OUTPUTS.items():
        wanted = [probability(scores(row, z, species), hypothesis) for row, z in zip(inputs, normals)]
        assert found[output] == pytest.approx(np.array(wanted), rel=1e-4, abs=1e-9), output
