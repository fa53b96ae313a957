"""Make ``spectra.yaml``: python tools/make_spectra.py > sqlamarr/sources/gun/spectra.yaml (needs scipy).

The fractions below are those of the FONLL spectra for LHC collisions at 13 TeV that RapidSim ships
(rootfiles/fonll/LHCb13.root; Cowan et al., arXiv:1612.07489), in bins of 1 GeV and of half a unit of
pseudorapidity (both hemispheres have the same). Beyond the last bin of pT the fraction above x falls as
(last / x)^k, k from the 99 % quantile (b) and from the last two bins (c). Bins are made finer with the monotone cubic
interpolation (PCHIP) of the cumulative distribution, which keeps the content of the original ones.
"""

from itertools import pairwise

import numpy as np
from scipy.interpolate import PchipInterpolator

B_PT = [
    0.0498, 0.1252, 0.1532, 0.1467, 0.1236, 0.0969, 0.0732, 0.0544, 0.0404, 0.0301,
    0.0226, 0.0171, 0.0131, 0.0102, 0.0079, 0.0063, 0.0050, 0.0040, 0.0032, 0.0026,
]  # fmt: skip
B_ETA = [0.043, 0.050, 0.051, 0.058, 0.053, 0.054, 0.045, 0.042, 0.032, 0.027, 0.018, 0.013, 0.007, 0.005]
C_PT = [0.2151, 0.3596, 0.2140, 0.1019, 0.0489, 0.0249, 0.0135, 0.0078, 0.0047, 0.0029]
C_ETA = [0.039, 0.044, 0.044, 0.049, 0.046, 0.048, 0.042, 0.042, 0.034, 0.032, 0.025, 0.021, 0.014, 0.011]
SPECTRA = {"b_13TeV": (B_PT, 3.28, B_ETA), "c_13TeV": (C_PT, 3.41, C_ETA)}
TAIL = [1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5]  # edges, in units of where the tail begins


def finer(edges: np.ndarray, cumulative: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Every bin in so many."""
    points = np.concatenate([np.linspace(a, b, steps, endpoint=False) for a, b in pairwise(edges)])
    points = np.append(points, edges[-1])
    return points, np.diff(PchipInterpolator(edges, cumulative)(points))


def transverse(fractions: list[float], index: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges in MeV, contents."""
    last, above = len(fractions), 1 - sum(fractions)
    edges = np.arange(last + 1.0)
    fine, contents = finer(edges, np.append(0, np.cumsum(fractions)), 5)
    tail = last * np.array(TAIL)
    beyond = above * (last / np.append(last, tail)) ** index
    beyond[-1] = 0
    return 1000 * np.append(fine, tail), np.append(contents, -np.diff(beyond))


def row(values: np.ndarray, form: str) -> str:
    """A list on one line."""
    return "[" + ", ".join(format(value, form) for value in values) + "]"


def main() -> None:
    """Write the file."""
    print("# Transverse momentum [MeV] and pseudorapidity of hadrons with a heavy quark; see tools/make_spectra.py.")
    for name, (pt, index, eta) in SPECTRA.items():
        print(f"{name}:")
        eta_edges = 0.5 * np.arange(len(eta) + 1)
        for quantity, (edges, contents) in {
            "pt": transverse(pt, index),
            "eta": finer(eta_edges, np.append(0, np.cumsum(eta)), 5),
        }.items():
            form = ".6g"
            print(f"  {quantity}:\n    edges: {row(edges, form)}\n    contents: {row(contents, '.4g')}")


if __name__ == "__main__":
    main()
