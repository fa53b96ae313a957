"""Distances between the shipped plugin and the network, in bins of momentum and pseudorapidity, and a picture."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from sample import Sample
from scipy.stats import ks_2samp

from sqlamarr.models.entry import find
from sqlamarr.native.random import Random, stream_key

MOMENTA = [1e3, 5e3, 10e3, 20e3, 50e3, 200e3]  # MeV
ETAS = [1.8, 2.5, 3.0, 3.5, 4.2, 5.0]
SHOWN = ("dx", "dtx", "dp", "chi2PerDoF", "ghostProb")


def compare(library: Path, sample: Sample, outputs: list[str], folder: Path) -> dict[str, float]:
    """Print the distances for long tracks; returns the largest per output.

    :param sample: rows that the training has not seen
    """
    model = find({"library": str(library)}, Path.cwd()).open("resolution")
    noise = Random(stream_key(7, "compare")).normal(np.arange(len(sample.features)), 128)
    made = model(sample.features, noise, len(outputs))
    long = sample.features[:, 9] == 1
    tx, ty = sample.features[:, 3], sample.features[:, 4]
    variables = {"p [MeV]": (10 ** sample.features[:, 5], MOMENTA), "eta": (np.arcsinh(1 / np.hypot(tx, ty)), ETAS)}
    worst = dict.fromkeys(outputs, 0.0)
    print(f"Kolmogorov-Smirnov distances, long tracks, {long.sum():,} rows")
    for name, (values, edges) in variables.items():
        print(f"  {name:>18} {'rows':>7} " + " ".join(f"{output:>10}" for output in outputs))
        for low, high in pairwise(edges):
            chosen = long & (values >= low) & (values < high)
            if chosen.sum() < 100:
                continue
            row = {o: _distance(sample.answers[chosen, i], made[chosen, i]) for i, o in enumerate(outputs)}
            worst = {o: max(worst[o], row[o]) for o in outputs}
            print(f"  {low:>8g} -{high:>8g} {chosen.sum():>7} " + " ".join(f"{row[o]:>10.3f}" for o in outputs))
    picture(sample, made, long, outputs, folder / "distributions.png")
    return worst


def _distance(real: np.ndarray, made: np.ndarray) -> float:
    return float(ks_2samp(real, made).statistic)


def picture(sample: Sample, made: np.ndarray, long: np.ndarray, outputs: list[str], path: Path) -> None:
    """Distributions of some outputs at low and at high momentum."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(SHOWN), figsize=(16, 6), layout="constrained")
    momentum = 10 ** sample.features[:, 5]
    for row, (low, high) in enumerate([(3e3, 1e4), (2e4, 1e5)]):
        chosen = long & (momentum >= low) & (momentum < high)
        for axis, name in zip(axes[row], SHOWN):
            i = outputs.index(name)
            edges = np.linspace(*np.percentile(sample.answers[chosen, i], [0.5, 99.5]), 50)
            for values, label, style in ((sample.answers, "plugin", "stepfilled"), (made, "GAN", "step")):
                axis.hist(values[chosen, i], edges, density=True, histtype=style, label=label, alpha=0.7)
            axis.set(xlabel=name, title=f"{low / 1e3:g} < p < {high / 1e3:g} GeV/c" if name == SHOWN[0] else None)
    axes[0, 0].legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
