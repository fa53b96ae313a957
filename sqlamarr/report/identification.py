"""Pictures of particle identification."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlamarr.particles.codes import KAON, MUON, PION, PROTON
from sqlamarr.report.drawing import Picture, picture, points
from sqlamarr.report.sample import SYMBOLS, Sample
from sqlamarr.report.statistics import efficiency

EDGES = np.geomspace(3, 100, 16)  # GeV

# Wanted species, quantity, cut, species that are mistaken for it
PANELS = [
    (KAON, "PIDK", 0.0, (PION, PROTON)),
    (KAON, "PIDK", 5.0, (PION, PROTON)),
    (PROTON, "PIDp", 5.0, (PION, KAON)),
    (MUON, "isMuon", 0.5, (PION, KAON, PROTON)),
    (KAON, "ProbNNk", 0.5, (PION, PROTON)),
    (PROTON, "ProbNNp", 0.5, (PION, KAON)),
]


def identification(sample: Sample) -> list[Picture]:
    """Efficiency and misidentification against momentum."""
    return [_panel(sample.identification, *panel) for panel in PANELS]


def _panel(t: dict[str, Any], wanted: int, quantity: str, cut: float, others: tuple[int, ...]) -> Picture:
    passes = np.ma.filled(t[quantity], -1) > cut

    def draw(axes: Any) -> None:
        for k, pid in enumerate((wanted, *others)):
            own = t["species"] == pid
            whole = np.histogram(t["p"][own] / 1000, EDGES)[0]
            value, low, high = efficiency(np.histogram(t["p"][own & passes] / 1000, EDGES)[0], whole)
            points(axes, EDGES, value, [low, high], SYMBOLS[pid], k)
        axes.set_ylim(0, 1.05)

    condition = "isMuon" if quantity == "isMuon" else f"{quantity} > {cut:g}"
    caption = f"Fraction of long tracks with {condition}: {SYMBOLS[wanted]}, and particles mistaken for it."
    return picture(f"{SYMBOLS[wanted]}: {condition}", caption, draw, x="p [GeV]", y="fraction", log="x")
