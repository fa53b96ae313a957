"""Plots of a decay as an analysis would show them, from the same candidates that ``sqlamarr tuple`` writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlamarr.candidates.build import Selection
from sqlamarr.candidates.ntuple import NTuple
from sqlamarr.candidates.variables import Columns
from sqlamarr.database.connection import Database
from sqlamarr.output.particles import particles_of
from sqlamarr.particles.codes import ELECTRON, KAON, MUON, PION, PROTON
from sqlamarr.particles.descriptors import Decay, Descriptor, name_of
from sqlamarr.report.drawing import COLOURS, Picture, histograms, picture, points
from sqlamarr.report.identification import EDGES
from sqlamarr.report.statistics import Array, Core, chi2_probability, core, efficiency, half_width
from sqlamarr.report.tracks import pull_picture

LOWEST = 0.01  # chi2 probabilities below this come from tails

# Widths of mass peaks in data [MeV], "LHCb detector performance", Int. J. Mod. Phys. A 30 (2015) 1530022; they depend
# on the momenta.
PUBLISHED = {443: 14.3, 100443: 16.5, 553: 42.8}  # J/psi(1S), psi(2S), Upsilon(1S)

# Conditions that identify a particle: quantity, cut
TAGS = {
    PROTON: [("PIDp", 5.0), ("ProbNNp", 0.5), ("PIDK", 5.0), ("ProbNNk", 0.5)],
    KAON: [("PIDK", 5.0), ("ProbNNk", 0.5), ("PIDp", 5.0), ("ProbNNp", 0.5)],
    PION: [("ProbNNpi", 0.5), ("PIDK", 5.0), ("ProbNNk", 0.5)],
    MUON: [("isMuon", 0.5), ("ProbNNmu", 0.5)],
    ELECTRON: [("PIDe", 2.0), ("ProbNNe", 0.5)],
}


@dataclass(frozen=True)
class DecaySection:
    """Pictures and numbers of one decay.

    :ivar numbers: rows of a table: what, value
    """

    title: str
    text: str
    numbers: list[tuple[str, ...]]
    pictures: list[Picture]


def decay_section(db: Database, text: str) -> DecaySection:
    """Truth-matched candidates of a decay, fitted as a whole with and without its primary vertex."""
    with particles_of(db):
        return _section(db, text)


def _section(db: Database, text: str) -> DecaySection:
    free = _candidates(db, text, Selection(truth=True, tree_fit=True))
    bound = _candidates(db, text, Selection(truth=True, tree_fit=True, point_back=True))
    ntuple = NTuple(db, text, Selection(truth=True))
    descriptor, labels = ntuple.descriptor, ntuple.labels
    numbers: list[tuple[str, ...]] = [("candidates", f"{len(free['event_id']):,}")]
    good = _fitted(free, labels) & _fitted(bound, labels)
    if not good.all():
        numbers.append(("left out because a fit did not converge", f"{np.sum(~good):,}"))
        free, bound = ({name: values[good] for name, values in c.items()} for c in (free, bound))
    n = len(free["event_id"])
    pictures: list[Picture] = []
    if n:
        nodes = list(zip(labels, descriptor.decay.walk()))
        for label, node in nodes:
            if node.daughters:
                pictures += _decaying(label, node, free, numbers)
        pictures += _tree_fits(labels[0], free, bound if _complete(labels[0], free) else None, numbers)
        for label, node in nodes:
            if not node.daughters and f"{label}_TRACK_Key" in free:
                pictures += _final(label, node, free)
    explained = (
        "Candidates whose particles are truth-matched; vertices and decay trees are fitted as in docs/tuples.md."
    )
    return DecaySection(_title(descriptor), explained, numbers, pictures)


def _candidates(db: Database, text: str, selection: Selection) -> Columns:
    pieces = [piece.columns for piece in NTuple(db, text, selection).pieces()]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _fitted(c: Columns, labels: list[str]) -> npt.NDArray[np.bool_]:
    """Candidates for which all fits converged."""
    masses = [c[f"{label}_{kind}"] for label in labels for kind in ("M", "DTF_M") if f"{label}_{kind}" in c]
    return np.asarray(np.isfinite(masses).all(axis=0))


def _title(descriptor: Descriptor) -> str:
    return str(descriptor).replace("->", "→")


def _decaying(label: str, node: Decay, c: Columns, numbers: list[tuple[str, ...]]) -> list[Picture]:
    """Mass, vertex and their pulls, relative to each candidate's true mass if nothing is missing."""
    name = name_of(node.pid)
    out = [_mass(label, name, c)]
    if _complete(label, c):
        residuals = c[f"{label}_M"] - _true_mass(label, c)
        numbers += _mass_numbers(name, residuals, c[f"{label}_MERR"])
        if node.pid in PUBLISHED:
            numbers.append((f"mass of {name}, width in LHCb's data of 2011 and 2012 [MeV]", f"{PUBLISHED[node.pid]}"))
        pulls = residuals / c[f"{label}_MERR"]
        out.append(pull_picture(f"Pull of the mass of {name}", pulls, "Relative to the true mass of each candidate."))
    if np.isfinite(c[f"{label}_ENDVERTEX_CHI2"]).any():
        chi2, ndf = c[f"{label}_ENDVERTEX_CHI2"], int(c[f"{label}_ENDVERTEX_NDOF"][0])
        out += _chi2(f"Vertex of {name}", chi2, ndf, numbers)
        for axis in "XYZ":
            r = c[f"{label}_ENDVERTEX_{axis}"] - c[f"{label}_TRUEENDVERTEX_{axis}"]
            pulls = r / c[f"{label}_ENDVERTEX_{axis}ERR"]
            numbers.append((f"vertex of {name}, pull of {axis.lower()}, core", _of(core(pulls))))
            out.append(pull_picture(f"Pull of the vertex of {name}, {axis.lower()}", pulls, ""))
    return out


def _complete(label: str, c: Columns) -> bool:
    """Whether the descriptor is complete. If a neutrino is missing, mass and direction differ from the true ones."""
    return bool(np.abs(np.median(c[f"{label}_M"] - _true_mass(label, c))) < 3 * np.median(c[f"{label}_MERR"]))


def _true_mass(label: str, c: Columns) -> Array:
    """The mass with which each candidate was generated, which varies for resonances [MeV]."""
    return np.sqrt(np.maximum(c[f"{label}_TRUEP_E"] ** 2 - _square(c, label), 0))


def _square(c: Columns, label: str) -> Array:
    return np.asarray(sum(c[f"{label}_TRUEP_{axis}"] ** 2 for axis in "XYZ"))


def _mass_numbers(name: str, residuals: Array, errors: Array) -> list[tuple[str, ...]]:
    found, expected = core(residuals, errors), np.median(errors)
    return [
        (f"mass of {name}, core mean minus true [MeV]", f"{found.mean:+.2f} ± {found.mean_error:.2f}"),
        (f"mass of {name}, core width over propagated error", f"{found.width:.3f} ± {found.width_error:.3f}"),
        (f"mass of {name}, median propagated error [MeV]", f"{expected:.2f}"),
        (f"mass of {name} minus true, half of the 16-84 % range, tails included [MeV]", f"{half_width(residuals):.2f}"),
    ]


def _of(found: Core) -> str:
    return f"{found.width:.3f} ± {found.width_error:.3f}"


def _mass(label: str, name: str, c: Columns) -> Picture:
    values = c[f"{label}_M"]
    low, high = np.percentile(values, [1, 99])
    edges = np.linspace(low - 0.1 * (high - low), high + 0.1 * (high - low), 61)
    caption = f"Invariant mass of the reconstructed products of {name}, after the vertex fit."
    return picture(f"Mass of {name}", caption, lambda axes: histograms(axes, edges, [(name, values)]),
                   x="m [MeV]", y=f"candidates per {edges[1] - edges[0]:.1f} MeV")  # fmt: skip


def _chi2(title: str, chi2: Array, ndf: int, numbers: list[tuple[str, ...]]) -> list[Picture]:
    """A chi2 and its probability, with the fraction in the tail."""
    chi2 = chi2[np.isfinite(chi2)]
    probability = chi2_probability(chi2, ndf)
    low = float(np.mean(probability < LOWEST))
    numbers.append((f"{title}: chi2 probability below {LOWEST} (1 % if there were no tails)", f"{100 * low:.1f} %"))
    level = (len(chi2) * (1 - low)) / (1 - LOWEST) / 20

    def draw(axes: Any) -> None:
        histograms(axes, np.linspace(0, 1, 21), [("", probability)])
        axes.axhline(level, color=COLOURS[1], lw=1.2, label="flat core")

    caption = f"{ndf} degree{'s' if ndf > 1 else ''} of freedom. {100 * low:.1f} % are below {LOWEST}."
    edges = np.linspace(0, 8 + 4 * ndf, 49)
    return [
        picture(f"{title}: χ²", caption, lambda axes: histograms(axes, edges, [("", chi2)]), x="χ²", y="candidates",
                log="y", legend=False),
        picture(f"{title}: probability", caption, draw, x="χ² probability", y="candidates per 0.05"),
    ]  # fmt: skip


def _tree_fits(label: str, free: Columns, bound: Columns | None, numbers: list[tuple[str, ...]]) -> list[Picture]:
    """Plots of the decay tree fits. If something is missing, the head does not point back: no ``bound`` fits."""
    out: list[Picture] = []
    for c, text in ((free, "without"), (bound, "with")):
        if c is None:
            continue
        ndf = int(c[f"{label}_DTF_NDOF"][0])
        if ndf > 0:
            out += _chi2(f"Decay tree fit {text} primary vertex", c[f"{label}_DTF_CHI2"], ndf, numbers)
    return out


def _final(label: str, node: Decay, c: Columns) -> list[Picture]:
    """Momentum, pseudorapidity, impact parameter and identification of a final-state particle."""
    name = node.name
    p = c[f"{label}_P"] / 1000
    truth = np.sqrt(_square(c, label)) / 1000
    impact = np.maximum(c[f"{label}_BPVIPCHI2"], 1e-2)
    edges = np.geomspace(1, 200, 31)
    out = [
        picture(f"{name}: momentum", "True and reconstructed values of the candidates.",
                lambda axes: histograms(axes, edges, [("true", truth), ("reconstructed", p)]),
                x="p [GeV]", y="candidates", log="x"),
        picture(f"{name}: pseudorapidity", "Reconstructed.",
                lambda axes: histograms(axes, np.linspace(1.5, 5.5, 33), [(name, c[f"{label}_ETA"])]),
                x="η", y="candidates"),
        picture(f"{name}: impact parameter χ²", "With respect to the best primary vertex.",
                lambda axes: histograms(axes, np.geomspace(1e-2, 1e6, 41), [(name, impact)]),
                x="IP χ²", y="candidates", log="xy"),
    ]  # fmt: skip
    tags = [(q, cut) for q, cut in TAGS.get(abs(node.pid), []) if f"{label}_{q}" in c]
    if tags:
        out.append(_tagged(name, label, tags, c))
    return out


def _tagged(name: str, label: str, tags: list[tuple[str, float]], c: Columns) -> Picture:
    p = c[f"{label}_P"] / 1000
    whole = np.histogram(p, EDGES)[0]

    def draw(axes: Any) -> None:
        for k, (quantity, cut) in enumerate(tags):
            passed = np.histogram(p[c[f"{label}_{quantity}"] > cut], EDGES)[0]
            value, low, high = efficiency(passed, whole)
            text = quantity if quantity == "isMuon" else f"{quantity} > {cut:g}"
            points(axes, EDGES, value, [low, high], text, k)
        axes.set_ylim(0, 1.05)

    caption = f"Fraction of true {name} that pass."
    return picture(f"{name}: identification", caption, draw, x="p [GeV]", y="fraction", log="x")
