"""Validate with Lambda_b0 -> Lambda_c+ mu- nu: python validate_lambda_b.py [FOLDER] [EVENTS].

Shoots the decay with the particle gun of gun_lambda_b.yaml, simulates it, writes the n-tuple lb.root, the page
lb.html and the picture validation.png into FOLDER (default: here), and prints the numbers of the page. The
picture has the panels in which Lamarr was validated (CERN-THESIS-2024-108, figures 5.5 to 5.14): momentum and
pseudorapidity of the proton, m(pKpi), m(Lambda_c mu), impact parameter chi2 of the proton, chi2 of the Lambda_c
vertex, chi2 of the fit of the Lambda_c decay without and with its primary vertex, identification of the proton.
Needs pip install "sqlamarr-flashsim[plot]".
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import sqlamarr
from sqlamarr.candidates.build import Selection
from sqlamarr.candidates.ntuple import find_candidates
from sqlamarr.candidates.write import write_tuple
from sqlamarr.report.decays import decay_section
from sqlamarr.report.drawing import fractions, histograms
from sqlamarr.report.page import write_report

LB = "[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-]CC"
LC = "[Lambda_c+ -> p+ K- pi+]CC"
P_EDGES = np.linspace(0, 100, 21)  # GeV


def draw(lb: dict, free: dict, bound: dict, picture: Path) -> None:
    """The twelve panels."""
    p = lb["pplus_P"] / 1000
    panels = [
        ("proton p [GeV]", P_EDGES, p),
        ("proton η", np.linspace(1.5, 5.5, 33), lb["pplus_ETA"]),
        ("m(pKπ) [MeV]", np.linspace(2240, 2335, 39), lb["Lc_M"]),
        ("m(Λc μ) [MeV]", np.linspace(2400, 5700, 34), lb["Lb_M"]),
        ("ln IP χ² of the proton", np.linspace(-5, 12, 35), np.log(lb["pplus_BPVIPCHI2"])),
        ("χ² of the Λc vertex", np.linspace(0, 25, 26), lb["Lc_ENDVERTEX_CHI2"]),
        ("χ² of the Λc decay, free", np.linspace(0, 25, 26), free["Lc_DTF_CHI2"]),
        ("χ² of the Λc decay, from the primary vertex", np.linspace(0, 50, 26), bound["Lc_DTF_CHI2"]),
    ]
    figure, axes = plt.subplots(3, 4, figsize=(16, 10), layout="constrained")
    for axis, (label, edges, values) in zip(axes.flat, panels):
        histograms(axis, edges, [("", values)])
        axis.set(xlabel=label, ylabel="candidates")
    tags = [("PIDp", 5.0), ("ProbNNp", 0.5), ("PIDK", 5.0), ("ProbNNk", 0.5)]
    for axis, (quantity, cut) in zip(axes.flat[len(panels) :], tags):
        fractions(axis, P_EDGES, p, [("protons", p[lb[f"pplus_{quantity}"] > cut])])
        axis.set(xlabel="proton p [GeV]", ylabel=f"fraction with {quantity} > {cut:g}", ylim=(0, 1.05))
    figure.suptitle("Λb → Λc μ ν, Λc → p K π from the particle gun, pipeline lhcb_run2")
    figure.savefig(picture, dpi=80)


def main() -> None:
    """Shoot, simulate, fit, draw, print."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    gun, out = Path(__file__).parent / "gun_lambda_b.yaml", folder / "lb.db"
    sqlamarr.run("lhcb_run2", gun, out, seed=1, events=events, overwrite=True)
    print(write_tuple(out, LB, folder / "lb.root", Selection(truth=True), overwrite=True).text())
    print(write_report(out, folder / "lb.html", decays=[LB, LC], overwrite=True).text())
    lb = find_candidates(out, LB, Selection(truth=True))
    free = find_candidates(out, LC, Selection(truth=True, tree_fit=True))
    bound = find_candidates(out, LC, Selection(truth=True, tree_fit=True, point_back=True))
    draw(lb, free, bound, folder / "validation.png")
    with sqlamarr.open(out) as db:
        for name, value in decay_section(db, LB).numbers:
            print(f"  {name:<75} {value}")


if __name__ == "__main__":
    main()
