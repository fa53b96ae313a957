"""Figures 5.2 to 5.4 of CERN-THESIS-2024-108, with the output of the pipeline beside the detailed simulation."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from decays import Decays, Floats, masses, momentum

import sqlamarr

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TRUE, SEEN = "tab:blue", "tab:orange"
NAMES = (r"$m(\pi^+\pi^-)$ [GeV/$c^2$]", r"$m(\pi^+\pi^0)$ [GeV/$c^2$]")


def draw(decays: Decays, accepted: np.ndarray, detected: Decays, out: Path, folder: Path) -> None:
    """All three.

    :param out: output file of the pipeline
    """
    true, found = masses(decays), masses(detected)
    with sqlamarr.open(out) as db:
        fast = db.arrays("SELECT * FROM Reconstructed")
        generated = db.arrays("SELECT * FROM Decays")
    _effects(decays, true, found, accepted, folder / "effects.png")
    _efficiency(true, accepted, fast, generated, folder / "efficiency.png")
    _resolution(true[accepted], found[accepted], fast, folder / "resolution.png")


def _effects(decays: Decays, true: Floats, found: Floats, accepted: np.ndarray, path: Path) -> None:
    """5.2: what the detector does."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
    pi0 = momentum(decays.neutral)
    columns = [(axes[0, 0], true[:, 0], found[:, 0], NAMES[0]), (axes[0, 1], true[:, 1], found[:, 1], NAMES[1])]
    columns.append((axes[1, 0], pi0, pi0, r"$p(\pi^0)$ [GeV/$c$]"))
    for axis, before, after, label in columns:
        edges = np.linspace(before.min(), before.max() * 1.05, 60)
        axis.hist(before, edges, color=TRUE, alpha=0.6, label="generated")
        axis.hist(after[accepted], edges, color=SEEN, alpha=0.6, label="reconstructed and selected")
        axis.set(xlabel=label, ylabel="decays")
    axes[0, 0].legend()
    axes[1, 1].scatter(*true[:8000].T, s=1, color=TRUE)
    axes[1, 1].scatter(*found[:8000][accepted[:8000]].T, s=1, color=SEEN)
    axes[1, 1].set(xlabel=NAMES[0], ylabel=NAMES[1], xlim=(0.25, 0.42), ylim=(0.25, 0.42))
    _save(figure, path)


def _efficiency(true: Floats, accepted: np.ndarray, fast: dict, generated: dict, path: Path) -> None:
    """5.3: the efficiency over the Dalitz plot, and along both axes."""
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    kept = np.isin(generated["event_id"], fast["event_id"])
    simulated = np.stack([generated["m_plus_minus"], generated["m_plus_neutral"]], axis=1)
    for i, axis in enumerate(axes[:2]):
        edges = np.linspace(true[:, i].min(), true[:, i].max(), 30)
        centres = (edges[1:] + edges[:-1]) / 2
        for values, chosen, color, style, label in (
            (true, accepted, TRUE, "-", "detailed simulation"), (simulated, kept, SEEN, "o", "pipeline (GBDT)"),
        ):  # fmt: skip
            ratio = np.histogram(values[chosen, i], edges)[0] / np.maximum(np.histogram(values[:, i], edges)[0], 1)
            axis.plot(centres, ratio, style, color=color, label=label)
        axis.set(xlabel=NAMES[i], ylabel="efficiency", ylim=(0, 1))
    axes[0].legend()
    bins = [np.linspace(0.27, 0.37, 40)] * 2
    total, passed = (np.histogram2d(*s.T, bins)[0] for s in (simulated, simulated[kept]))
    with np.errstate(invalid="ignore"):
        image = axes[2].pcolormesh(*bins, (passed / np.where(total > 0, total, np.nan)).T, vmin=0, vmax=1)
    axes[2].set(xlabel=NAMES[0], ylabel=NAMES[1], title="pipeline")
    figure.colorbar(image, ax=axes[2], label="efficiency")
    _save(figure, path)


def _resolution(true: Floats, found: Floats, fast: dict, path: Path) -> None:
    """5.4: errors of m(pi+ pi-) in four bins, and the normal distributions that the network says."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained", sharex=True)
    with_sigma = fast["m_plus_minus"], fast["sigma_plus_minus"]
    edges = np.quantile(true[:, 0], [0, 0.25, 0.5, 0.75, 1])
    x = np.linspace(-0.02, 0.02, 201)
    for axis, low, high in zip(axes.flat, edges, edges[1:]):
        chosen = (true[:, 0] >= low) & (true[:, 0] < high)
        errors = (found - true)[chosen, 0]
        here = (with_sigma[0] >= low) & (with_sigma[0] < high)
        sigma = with_sigma[1][here][:2000, None]
        prediction = (np.exp(-0.5 * (x / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))).mean(axis=0)
        axis.hist(errors * 1e3, x[::4] * 1e3, density=True, color=TRUE, alpha=0.6, label="detailed simulation")
        axis.plot(x * 1e3, prediction / 1e3, color=SEEN, label="network")
        axis.set(title=f"{low:.3f} < {NAMES[0].split(' [')[0]} < {high:.3f} GeV/$c^2$", xlabel="error [MeV/$c^2$]")
        widths = f"error {1e3 * errors.std():.2f} MeV, network {1e3 * np.sqrt((sigma**2).mean()):.2f} MeV"
        print(f"  m(pi+ pi-) {low:.3f} to {high:.3f} GeV: {widths}")
    axes[0, 0].legend()
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(path)
