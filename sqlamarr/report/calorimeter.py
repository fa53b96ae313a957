"""Pictures of the electromagnetic calorimeter."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlamarr.report.drawing import Picture, histograms, picture
from sqlamarr.report.sample import Sample


def calorimeter(sample: Sample) -> list[Picture]:
    """Where clusters are, and their energies."""
    c = sample.db.arrays("SELECT x, y, energy FROM Clusters WHERE cluster_id < ?", (sample.last,))
    if not len(c["x"]):
        return []

    def draw(axes: Any) -> None:
        edges = np.linspace(-4000, 4000, 101), np.linspace(-3300, 3300, 83)
        found, *_ = np.histogram2d(c["x"], c["y"], bins=edges, weights=c["energy"] / 1000)
        found = np.where(found > 0, found, np.nan)
        from matplotlib.colors import LogNorm
        from matplotlib.ticker import MaxNLocator

        image = axes.pcolormesh(*edges, found.T, norm=LogNorm(), cmap="viridis", rasterized=True)
        axes.figure.colorbar(image, ax=axes, label="energy [GeV]")
        axes.set_aspect("equal")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(False)

    energy = np.geomspace(0.1, 200, 41)
    return [
        picture("Energy in the ECAL", "Sum of the clusters' energies.", draw, x="x [mm]", y="y [mm]"),
        picture("Energies of clusters", "All clusters.",
                lambda axes: histograms(axes, energy, [("clusters", c["energy"] / 1000)]),
                x="E [GeV]", y="clusters", log="xy"),
    ]  # fmt: skip
