"""Draw efficiency and misidentification against momentum: python plot_identification.py [PICTURE.png].

Needs matplotlib (pip install "sqlamarr-flashsim[plot]"). Particles of each species fly from one point, flat in
log p (3 to 100 GeV) and in eta (2 to 4.9); they go through the pipeline lhcb_run2 like any events.
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
import pyhepmc

import sqlamarr

MASSES = {13: 105.66, 211: 139.57, 321: 493.68, 2212: 938.27}  # MeV, by PDG code
NAMES = {13: "μ", 211: "π", 321: "K", 2212: "p"}
EVENTS, PER_EVENT = 300, 100  # of each species

# Signal, background, the quantity to cut on as SQL, and where to cut.
PANELS = [
    (321, 211, "RichDLLK", (0, 5)),
    (2212, 211, "RichDLLp", (0, 5)),
    (2212, 321, "RichDLLp - RichDLLK", (0, 5)),
    (13, 211, "isMuon", (0.5,)),
]


def write_gun(path: Path) -> None:
    """A HepMC file with particles of all species."""
    rng = np.random.default_rng(1)
    with pyhepmc.open(str(path), "w") as file:
        for number in range(EVENTS * len(MASSES)):
            pid = list(MASSES)[number % len(MASSES)]
            event = pyhepmc.GenEvent(pyhepmc.Units.MEV, pyhepmc.Units.MM)
            event.event_number = number
            vertex = pyhepmc.GenVertex((0.0, 0.0, 1e-6, 0.0))
            for _ in range(PER_EVENT):
                p, eta, phi = 10 ** rng.uniform(3.477, 5), rng.uniform(2, 4.9), rng.uniform(-np.pi, np.pi)
                pt, pz = p / np.cosh(eta), p * np.tanh(eta)
                momentum = (pt * np.cos(phi), pt * np.sin(phi), pz, np.hypot(p, MASSES[pid]))
                vertex.add_particle_out(pyhepmc.GenParticle(momentum, int(pid * rng.choice([-1, 1])), 1))
            event.add_vertex(vertex)
            file.write(event)


def rates(tracks: pd.DataFrame, pid: int, quantity: str, cut: float, edges: np.ndarray) -> np.ndarray:
    """Fraction of the long tracks of a species that pass the cut, in bins of momentum."""
    chosen = tracks[tracks.true_pid.abs() == pid]
    total, _ = np.histogram(chosen.p, edges)
    passed, _ = np.histogram(chosen.p[chosen[quantity] > cut], edges)
    return passed / np.maximum(total, 1)


def draw(tracks: pd.DataFrame, picture: Path) -> None:
    """Four panels: two species each."""
    edges = np.geomspace(3000, 100_000, 19)
    centres = np.sqrt(edges[1:] * edges[:-1]) / 1000
    figure, axes = plt.subplots(2, 2, figsize=(11, 8), sharex=True, layout="constrained")
    for axis, (signal, background, quantity, cuts) in zip(axes.flat, PANELS):
        legend = "center left" if (signal, background) == (2212, 321) else "center"
        for cut, marker in zip(cuts, "os"):
            label = quantity if quantity == "isMuon" else f"{quantity} > {cut}"
            efficiency = rates(tracks, signal, quantity, cut, edges)
            misidentification = rates(tracks, background, quantity, cut, edges)
            axis.plot(centres, efficiency, f"C3{marker}-", mfc="none", label=f"{NAMES[signal]}, {label}")
            axis.plot(centres, misidentification, f"C0{marker}-", label=f"{NAMES[background]}, {label}")
        axis.set(xscale="log", ylim=(0, 1.05), ylabel="fraction of long tracks")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, loc=legend)
    for axis in axes[1]:
        axis.set_xlabel("momentum [GeV]")
    figure.suptitle("Efficiency and misidentification, pipeline lhcb_run2")
    figure.savefig(picture, dpi=110)


def main() -> None:
    """Simulate and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("picture", nargs="?", type=Path, default=Path("identification.png"), help="picture to write")
    picture = parser.parse_args().picture
    with tempfile.TemporaryDirectory() as folder:
        write_gun(Path(folder) / "gun.hepmc")
        sqlamarr.run("lhcb_run2", [Path(folder) / "gun.hepmc"], Path(folder) / "out.db", seed=1)
        columns = 'p, true_pid, isMuon, RichDLLK, RichDLLp, RichDLLp - RichDLLK AS "RichDLLp - RichDLLK"'
        with sqlamarr.open(Path(folder) / "out.db") as db:
            tracks = db.dataframe(f"SELECT {columns} FROM Particles WHERE type = 3")
    draw(tracks, picture)
    print(f"{len(tracks)} long tracks: {picture}")


if __name__ == "__main__":
    main()
