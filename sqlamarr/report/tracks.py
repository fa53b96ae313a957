"""Plots of tracks: spectra, resolutions, efficiencies, pulls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from sqlamarr.particles.codes import ELECTRON, LONG_TRACK, TRACK_CLASSES
from sqlamarr.report.drawing import Picture, fractions, histograms, picture, points, unit_gaussian
from sqlamarr.report.sample import SYMBOLS, Sample
from sqlamarr.report.statistics import Array, core, widths

P_EDGES = np.geomspace(1, 200, 24)  # GeV
PT_EDGES = np.geomspace(0.05, 20, 24)  # GeV
INVERSE_PT = np.linspace(0, 3, 13)  # 1/GeV
ETA_EDGES = np.linspace(1.5, 5.5, 33)
Z_EDGES = np.concatenate([np.linspace(-300, 900, 13), np.linspace(1100, 2700, 9)])  # mm
ACCEPTANCE = (2.0, 5.0)  # pseudorapidity of particles in acceptance

SPECTRA: list[tuple[str, str, str, Array, float]] = [
    ("p", "momentum", "p [GeV]", P_EDGES, 1000),
    ("pt", "transverse momentum", "pT [GeV]", PT_EDGES, 1000),
    ("eta", "pseudorapidity", "η", ETA_EDGES, 1),
    ("phi", "azimuth", "φ [rad]", np.linspace(-np.pi, np.pi, 31), 1),
]


def spectra(sample: Sample) -> list[Picture]:
    """Spectra of the quantities that describe a particle: generated, found and reconstructed."""
    particles, tracks = sample.particles, sample.tracks
    found, long = particles["type"] == LONG_TRACK, tracks["type"] == LONG_TRACK
    out = []
    for name, title, label, edges, unit in SPECTRA:
        samples = [
            ("generated", particles[name] / unit),
            ("those found as long tracks", particles[name][found] / unit),
            ("reconstructed long tracks", tracks[name][long] / unit),
        ]
        logarithmic = "xy" if unit != 1 else ""
        out.append(
            picture(
                f"Spectrum: {title}",
                "Charged e, μ, π, K and p: true values of all and of those found, and reconstructed values.",
                partial(histograms, edges=edges, samples=samples),
                x=label,
                y="particles per bin",
                log=logarithmic,
            )
        )
    return out


def efficiencies(sample: Sample) -> list[Picture]:
    """Fractions of generated particles that become tracks of each class."""
    q = sample.particles
    inside = (q["eta"] > ACCEPTANCE[0]) & (q["eta"] < ACCEPTANCE[1])
    hadron = inside & (q["species"] != ELECTRON)
    prompt = hadron & (np.abs(q["origin_z"]) < 200)

    def by_class(values: Array, edges: Array, chosen: Array) -> Callable[[Any], object]:
        parts = [(name, values[chosen & (q["type"] == kind)]) for kind, name in TRACK_CLASSES.items()]
        return lambda axes: fractions(axes, edges, values[chosen], parts)

    out = []
    for values, edges, chosen, what, label, log, of in (
        (q["p"] / 1000, P_EDGES, prompt, "momentum", "p [GeV]", "x", "with 2 < η < 5, made at |z| < 200 mm"),
        (q["eta"], ETA_EDGES, (q["species"] != ELECTRON) & (np.abs(q["origin_z"]) < 200), "pseudorapidity", "η", "",
         "made at |z| < 200 mm"),
        (q["origin_z"], Z_EDGES, hadron, "place of origin", "z of the origin [mm]", "", "with 2 < η < 5"),
    ):  # fmt: skip
        caption = (
            f"Fraction of μ, π, K and p {of} found as long, upstream or downstream tracks; "
            "binomial errors (68 % Wilson intervals)."
        )
        draw = by_class(values, edges, chosen)
        out.append(picture(f"Efficiency against {what}", caption, draw, x=label, y="fraction found", log=log))
    out.append(_by_species(sample, prompt | (inside & (q["species"] == ELECTRON) & (np.abs(q["origin_z"]) < 200))))
    return out


def _by_species(sample: Sample, chosen: Array) -> Picture:
    q = sample.particles

    def draw(axes: Any) -> None:
        for k, (pid, name) in enumerate(SYMBOLS.items()):
            own = chosen & (q["species"] == pid)
            if own.any():
                whole = np.histogram(q["p"][own] / 1000, P_EDGES)[0]
                found = np.histogram(q["p"][own & (q["type"] == LONG_TRACK)] / 1000, P_EDGES)[0]
                good = np.where(whole >= 10, found / np.maximum(whole, 1), np.nan)
                points(axes, P_EDGES, good, None, name, k)
        axes.set_ylim(0, 1.02)

    caption = "Fraction found as long tracks, by species; made at |z| < 200 mm, 2 < η < 5."
    return picture("Long tracks by species", caption, draw, x="p [GeV]", y="fraction found", log="x")


def resolutions(sample: Sample) -> list[Picture]:
    """Half of the 16-84 % range of reconstructed minus true, against momentum and transverse momentum."""
    r = sample.residuals()
    p, pt = r["true_p"] / 1000, r["true_pt"] / 1000

    def against(
        where: Array, edges: Array, *curves: tuple[str, Array, float], logarithmic: bool = False
    ) -> Callable[[Any], None]:
        def draw(axes: Any) -> None:
            for k, (label, values, unit) in enumerate(curves):
                value, error = widths(where, values * unit, edges)
                points(axes, edges, value, error, label, k)
            axes.set_xlim(edges[0], edges[-1])
            if not logarithmic:
                axes.set_ylim(bottom=0)

        return draw

    relative = -r["qop"] * r["p"]  # (p - true p) / true p
    text = "Half of the 16-84 % range, for long tracks without electrons."
    impact = (("x", r["ip_x"], 1000), ("y", r["ip_y"], 1000))
    slopes = (("tx", r["tx"], 1000), ("ty", r["ty"], 1000))
    return [
        picture("Momentum resolution", f"{text} LHCb 2012: 0.5 % at 5 GeV, 0.86 % at 100 GeV.",
                against(p, P_EDGES, ("long", relative, 100)), x="p [GeV]", y="σ(p)/p [%]", log="x"),
        picture("Momentum resolution against pT", text,
                against(pt, PT_EDGES, ("long", relative, 100)), x="pT [GeV]", y="σ(p)/p [%]", log="x"),
        picture("Impact parameter", f"{text} LHCb 2012: 11.6 + 23.4/pT μm.",
                against(1 / pt, INVERSE_PT, *impact), x="1/pT [1/GeV]", y="σ(IP) [μm]"),
        picture("Slopes", text,
                against(p, P_EDGES, *slopes, logarithmic=True), x="p [GeV]", y="σ(slope) [mrad]", log="xy"),
    ]  # fmt: skip


def pulls(sample: Sample) -> list[Picture]:
    """Residuals divided by reported errors, at the z of the reconstructed state."""
    r = sample.residuals()
    names = {"x": "x", "y": "y", "tx": "tx", "ty": "ty", "qop": "q/p"}
    out = []
    for name, symbol in names.items():
        out.append(pull_picture(f"Pull of {symbol}", r[f"pull_{name}"], "Long tracks without electrons."))
    if len(sample.primaries["dx"]):
        v = sample.primaries
        for axis in "xyz":
            values = v[f"d{axis}"] / v[f"sigma_{axis}"]
            out.append(pull_picture(f"Pull of the primary vertex, {axis}", values, "Reconstructed primary vertices."))
    return out


def pull_picture(title: str, values: Array, text: str) -> Picture:
    """A distribution of pulls with the width of its core and the standard deviation of all entries."""
    values = np.asarray(values)[np.isfinite(values)]
    found = core(values)
    if np.isnan(found.width):
        caption = f"{text} Too few entries for a width."
    else:
        outside = np.mean(np.abs(values) > 5)
        caption = (
            f"{text} Core: width {found.width:.3f} ± {found.width_error:.3f} ({100 * found.fraction:.0f} % of the "
            f"entries); standard deviation of all {np.std(values):.2f}; {100 * outside:.2g} % beyond 5."
        )
    return picture(title, caption, lambda axes: unit_gaussian(axes, values), x="pull", y="entries per 0.2", log="y")
