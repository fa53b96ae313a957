"""Draw what a particle gun made: python examples/plot_gun.py lb.db gun.png (needs matplotlib).

lb.db comes from: sqlamarr run lhcb_run2 examples/gun_lambda_b.yaml -n 50000 -o lb.db
"""

import argparse

import matplotlib as mpl
import numpy as np

import sqlamarr
from sqlamarr.particles import descriptors

mpl.use("Agg")
import matplotlib.pyplot as plt

QUERY = """
    SELECT m.pt / 1000 AS pt, m.eta, (e.t - o.t) * m.m / m.pe AS ct
    FROM (SELECT *, sqrt(px * px + py * py) AS pt, pseudorapidity(px, py, pz) AS eta FROM MCParticles) m
    JOIN MCVertices o ON o.mcvertex_id = m.production_vertex
    JOIN MCVertices e ON e.mcvertex_id = m.end_vertex
    WHERE m.is_signal
"""
PAIRS = """
    SELECT pow(p.pe + k.pe, 2) - pow(p.px + k.px, 2) - pow(p.py + k.py, 2) - pow(p.pz + k.pz, 2) AS pk,
           pow(k.pe + i.pe, 2) - pow(k.px + i.px, 2) - pow(k.py + i.py, 2) - pow(k.pz + i.pz, 2) AS kpi
    FROM MCParticles p JOIN MCParticles k ON k.mother = p.mother AND abs(k.pid) = 321
    JOIN MCParticles i ON i.mother = p.mother AND abs(i.pid) = 211
    WHERE abs(p.pid) = 2212
"""


def main(path: str, picture: str) -> None:
    with sqlamarr.open(path) as db:
        signal, pairs = db.arrays(QUERY), db.arrays(PAIRS)
    figure, ((pt, eta), (time, dalitz)) = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
    pt.hist(signal["pt"], np.arange(0, 30.5, 0.5), histtype="step")
    pt.set(xlabel=r"$p_T(\Lambda_b^0)$ [GeV]", ylabel="decays / 0.5 GeV")
    eta.hist(signal["eta"], np.arange(2, 5.1, 0.1), histtype="step")
    eta.set(xlabel=r"$\eta(\Lambda_b^0)$", ylabel="decays / 0.1", ylim=(0, None))
    edges = np.linspace(0, 5, 51)
    time.hist(signal["ct"], edges, histtype="step", label="made")
    ctau = descriptors.ctau(5122)
    expected = len(signal["ct"]) * -np.diff(np.exp(-edges / ctau))
    time.stairs(expected, edges, ls=":", label=rf"$c\tau$ = {ctau:.3f} mm")
    time.set(xlabel="proper flight [mm]", ylabel="decays / 0.1 mm", yscale="log")
    time.legend()
    shown = dalitz.hist2d(pairs["pk"] / 1e6, pairs["kpi"] / 1e6, 60, cmin=1)
    figure.colorbar(shown[3], ax=dalitz, label="decays")
    dalitz.set(xlabel=r"$m^2(pK^-)$ [GeV$^2$]", ylabel=r"$m^2(K^-\pi^+)$ [GeV$^2$]")
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("path", metavar="lb.db", help="output file of a run")
    parser.add_argument("picture", metavar="gun.png", help="picture to write")
    main(**vars(parser.parse_args()))
