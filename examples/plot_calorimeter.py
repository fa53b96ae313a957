"""Draw what the calorimeter sees: python plot_calorimeter.py [PICTURE.png].

Needs matplotlib (pip install "sqlamarr-flashsim[plot]"). Events of 24 neutral pions each, with a falling spectrum of
transverse momenta and flat in pseudorapidity, go through the pipeline lhcb_run2.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle

import sqlamarr

SOFT = {"particle": "pi0", "pt": {"exponential": {"mean": 400}}, "eta": {"flat": [1.8, 5]}}
HARD = {"particle": "pi0", "pt": {"power": {"index": -3, "min": 800, "max": 20_000}}, "eta": {"flat": [1.8, 5]}}
EVENTS = {"gun": {"events": 8000, "origin": {"luminous_region": 2016}, "particles": [SOFT] * 20 + [HARD] * 4}}
# Photons of the truth that fly to the active area, straight from where they are made.
GENERATED = """
    WITH hit AS (
        SELECT m.px, m.py, v.x + (12490.0 - v.z) * m.px / m.pz AS x, v.y + (12490.0 - v.z) * m.py / m.pz AS y
        FROM MCParticles AS m JOIN MCVertices AS v ON v.mcvertex_id = m.production_vertex
        WHERE m.pid = 22 AND m.pz > 0
    )
    SELECT norm2(px, py, 0.0) AS pt FROM hit
    WHERE abs(x) < 3878.4 AND abs(y) < 3151.2 AND (abs(x) > 323.2 OR abs(y) > 323.2)"""
TYPES = {1: "photon", 2: "merged π⁰", 3: "photon of a merged π⁰", 4: "charged (electron, or a track points to it)"}


def simulate(out: Path) -> tuple[pd.DataFrame, np.ndarray, int]:
    """Clusters, transverse momenta [MeV] of the generated photons, and the number of events."""
    summary = sqlamarr.run("lhcb_run2", EVENTS, out, seed=1)
    with sqlamarr.open(out) as db:
        clusters = db.dataframe("SELECT type, x, y, energy, pt FROM Clusters")
        return clusters, db.arrays(GENERATED)["pt"], summary.events


def draw_face(axis: Axes, clusters: pd.DataFrame, half_x: float, half_y: float, cell: float) -> None:
    """Energy on the face, in squares as large as the smallest cells in the window."""
    edges = [np.arange(-half / cell, half / cell + 1) * cell for half in (half_x, half_y)]
    shown = clusters[clusters.type != 3]  # the photons of a merged pi0 are in it
    *_, image = axis.hist2d(
        shown.x, shown.y, bins=edges, weights=shown.energy / 1000, norm=LogNorm(), cmap="viridis", rasterized=True
    )
    for x, y in ((323.2, 323.2), (969.6, 727.2), (1939.2, 1212.0), (3878.4, 3151.2)):
        axis.add_patch(Rectangle((-x, -y), 2 * x, 2 * y, fill=False, color="C3", lw=0.8))
    axis.set(xlabel="x [mm]", ylabel="y [mm]", aspect="equal", xlim=(-half_x, half_x), ylim=(-half_y, half_y))
    axis.figure.colorbar(image, ax=axis, label="energy of clusters [GeV]", shrink=0.8)


def draw_spectrum(axis: Axes, clusters: pd.DataFrame, generated: np.ndarray, events: int) -> None:
    """Clusters per event against transverse momentum, beside the photons that hit the active area."""
    edges = np.geomspace(50, 20_000, 25)
    centres, width = np.sqrt(edges[1:] * edges[:-1]), np.diff(np.log10(edges))
    axis.stairs(
        np.histogram(generated, edges)[0] / events / width, edges, color="0.8", fill=True, label="generated photons"
    )
    for kind, label in TYPES.items():
        counts = np.histogram(clusters.pt[clusters.type == kind], edges)[0] / events / width
        axis.plot(centres[counts > 0], counts[counts > 0], "o-", ms=3, color=f"C{kind - 1}", label=label)
    axis.set(
        xscale="log", yscale="log", xlabel="transverse momentum [MeV]", ylabel="per event and decade", ylim=(1e-4, None)
    )
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)


def main() -> None:
    """Simulate and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("picture", nargs="?", type=Path, default=Path("calorimeter.png"), help="picture to write")
    picture = parser.parse_args().picture
    with tempfile.TemporaryDirectory() as folder:
        clusters, generated, events = simulate(Path(folder) / "out.db")
    figure, axes = plt.subplots(1, 3, figsize=(17, 4.6), layout="constrained", width_ratios=(1.25, 1.25, 1))
    draw_face(axes[0], clusters, 3878.4, 3151.2, 60.6)
    draw_face(axes[1], clusters, 1292.8, 1010.0, 40.4)
    draw_spectrum(axes[2], clusters, generated, events)
    figure.suptitle("Calorimeter of the pipeline lhcb_run2, events of neutral pions")
    figure.savefig(picture, dpi=100)
    print(f"{len(clusters)} clusters of {events} events: {picture}")


if __name__ == "__main__":
    main()
