"""The variables of candidates: their names, as DaVinci's users know them, units and meanings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlamarr.candidates.fit import Fitted
from sqlamarr.candidates.geometry import Lines, PrimaryVertices, flight, impact_parameter, lines_of_decays
from sqlamarr.candidates.measured import Array, Rows
from sqlamarr.candidates.tables import Truth
from sqlamarr.particles.constants import SPEED_OF_LIGHT
from sqlamarr.particles.descriptors import Decay

Columns = dict[str, npt.NDArray[Any]]

# Name (behind the particle's and an underscore): unit, meaning
OF_ALL = {
    "ID": ("", "PDG code of the hypothesis"),
    "M": ("MeV", "mass; of final-state particles that of the hypothesis"),
    "P": ("MeV", "momentum"),
    "PT": ("MeV", "transverse momentum"),
    "PX": ("MeV", "momentum along x"),
    "PY": ("MeV", "momentum along y"),
    "PZ": ("MeV", "momentum along z"),
    "PE": ("MeV", "energy"),
    "ETA": ("", "pseudorapidity"),
    "PHI": ("rad", "azimuth"),
    "BPVIP": ("mm", "impact parameter to the best primary vertex, that of the smallest BPVIPCHI2"),
    "BPVIPCHI2": ("", "its chi2, with the uncertainties of both"),
    "TRUEID": ("", "PDG code of the true particle; of decays that of the nearest common ancestor; 0 if there is none"),
    "MC_MOTHER_ID": ("", "PDG code of its mother, 0 if there is none"),
    "MC_GD_MOTHER_ID": ("", "PDG code of the mother's mother, 0 if there is none"),
    "TRUEP_X": ("MeV", "true momentum along x"),
    "TRUEP_Y": ("MeV", "true momentum along y"),
    "TRUEP_Z": ("MeV", "true momentum along z"),
    "TRUEP_E": ("MeV", "true energy"),
    "TRUEORIGINVERTEX_X": ("mm", "where it was made"),
    "TRUEORIGINVERTEX_Y": ("mm", "where it was made"),
    "TRUEORIGINVERTEX_Z": ("mm", "where it was made"),
}
OF_TRACKS = {
    "TRACK_Key": ("", "track_id in the database"),
    "TRACK_Type": ("", "3 long, 4 upstream, 5 downstream"),
    "TRACK_CHI2NDOF": ("", "chi2 per degree of freedom of the track fit"),
    "TRACK_NDOF": ("", "degrees of freedom of the track fit"),
    "TRACK_GhostProb": ("", "probability that the track is a random combination of hits"),
}
OF_PHOTONS = {
    "CALO_Key": ("", "cluster_id in the database"),
    "CALO_Type": ("", "1 a cluster of its own, 3 one of the two photons of a merged pi0"),
    "PhotonID": ("", "0 to 1: like one photon"),
    "IsNotE": ("", "0 to 1: unlike an electron"),
    "IsNotH": ("", "0 to 1: unlike a hadron"),
}
OF_DECAYS = {
    "MERR": ("MeV", "uncertainty of the mass"),
    "ENDVERTEX_X": ("mm", "decay vertex"),
    "ENDVERTEX_Y": ("mm", "decay vertex"),
    "ENDVERTEX_Z": ("mm", "decay vertex"),
    "ENDVERTEX_XERR": ("mm", "uncertainty of the decay vertex"),
    "ENDVERTEX_YERR": ("mm", "uncertainty of the decay vertex"),
    "ENDVERTEX_ZERR": ("mm", "uncertainty of the decay vertex"),
    "ENDVERTEX_CHI2": ("", "of the vertex fit, without that of the vertices of daughters that fly"),
    "ENDVERTEX_NDOF": ("", "degrees of freedom of it"),
    "BPVX": ("mm", "best primary vertex"),
    "BPVY": ("mm", "best primary vertex"),
    "BPVZ": ("mm", "best primary vertex"),
    "BPVFD": ("mm", "distance of the decay vertex from the best primary vertex"),
    "BPVFDCHI2": ("", "its chi2, with the uncertainties of both"),
    "BPVDIRA": ("", "cosine of the angle between momentum and flight direction"),
    "BPVCORRM": ("MeV", "corrected mass, sqrt(m^2 + pT'^2) + pT', pT' across the flight direction"),
    "BPVLTIME": ("ns", "proper decay time, m L.p / (p^2 c)"),
    "TRUEENDVERTEX_X": ("mm", "true decay vertex"),
    "TRUEENDVERTEX_Y": ("mm", "true decay vertex"),
    "TRUEENDVERTEX_Z": ("mm", "true decay vertex"),
}
OF_TREE_FIT = {
    "M": ("MeV", "mass"),
    "MERR": ("MeV", "uncertainty of the mass"),
    "PX": ("MeV", "momentum along x"),
    "PY": ("MeV", "momentum along y"),
    "PZ": ("MeV", "momentum along z"),
    "PE": ("MeV", "energy"),
    "P": ("MeV", "momentum"),
    "PT": ("MeV", "transverse momentum"),
}
OF_TREE_FIT_HEAD = {
    "CHI2": ("", "of the fit of the whole decay"),
    "NDOF": ("", "degrees of freedom of it"),
    "STATUS": ("", "0: converged"),
}
OF_EVENTS = {
    "event_id": ("", "event in the database"),
    "nPVs": ("", "reconstructed primary vertices"),
    "nTracks": ("", "occupancy of the event"),
    "weight": ("", "generator's weight"),
    "nCandidate": ("", "number of the candidate in its event, from 0"),
    "totCandidates": ("", "candidates of the event"),
}

_SHORT = {
    "Lambda_b0": "Lb", "Lambda_b~0": "Lb", "Lambda_c+": "Lc", "Lambda_c~-": "Lc", "J/psi(1S)": "Jpsi", "J/psi": "Jpsi",
    "psi(2S)": "psi2S", "phi(1020)": "phi",
}  # fmt: skip


def labels_of(decay: Decay) -> list[str]:
    """What the particles of a decay are called in the names of columns, in the order of ``decay.walk()``.

    A label given in the descriptor; else ``Lb``, ``Lc``, ``Jpsi``, or the name with what cannot be in a name
    written out: ``muminus``, ``Kst892_0``. The second of a name gets ``_1``, the third ``_2``.
    """
    labels: list[str] = []
    for node in decay.walk():
        label = node.label or _SHORT.get(node.name) or _plain(node.name)
        known, number = label, 0
        while label in labels:
            number += 1
            label = f"{known}_{number}"
        labels.append(label)
    return labels


def _plain(name: str) -> str:
    for sign, word in (("~", "bar"), ("+", "plus"), ("-", "minus"), ("*", "st"), ("'", "prime")):
        name = name.replace(sign, word)
    return re.sub(r"\W+", "_", name.replace("(", "").replace(")", "_" if name[-1:] == "0" else "")).strip("_")


def kinematics(p: Array) -> Columns:
    """Variables of four-momenta (n, 4)."""
    pt = np.hypot(p[:, 0], p[:, 1])
    return {
        "P": np.sqrt(pt**2 + p[:, 2] ** 2),
        "PT": pt,
        "PX": p[:, 0],
        "PY": p[:, 1],
        "PZ": p[:, 2],
        "PE": p[:, 3],
        "ETA": np.arcsinh(p[:, 2] / np.maximum(pt, 1e-9)),
        "PHI": np.arctan2(p[:, 1], p[:, 0]),
    }


def mass_of(p: Array) -> Array:
    """Invariant mass of (n, 4) momenta."""
    square = p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1)
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def mass_error(p: Array, covariance: Array) -> Array:
    """Uncertainty of the mass from the (n, 4, 4) covariance of momentum and energy."""
    j = p * np.array([-1, -1, -1, 1]) / np.maximum(mass_of(p), 1e-9)[:, None]
    return np.asarray(np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", j, covariance, j), 0)))


def truth_columns(truth: Truth, rows: Rows) -> Columns:
    """The true particle, its vertices and ancestors."""
    mother = truth.up(rows)
    ids = {"TRUEID": rows, "MC_MOTHER_ID": mother, "MC_GD_MOTHER_ID": truth.up(mother)}
    out: Columns = {name: truth.values("pid", r, 0).astype(np.int64) for name, r in ids.items()}
    for axis in "XYZE":
        out[f"TRUEP_{axis}"] = truth.values(f"p{axis.lower()}", rows, np.nan).astype(float)
    for axis in "XYZ":
        out[f"TRUEORIGINVERTEX_{axis}"] = truth.values(f"o{axis.lower()}", rows, np.nan).astype(float)
    return out


def vertex_columns(fitted: Fitted, chi2: Array, ndf: int, known: bool) -> Columns:
    """Mass and decay vertex of the first composite of a fit; NaN for a vertex that is not ``known``."""
    p, covariance = fitted.momenta[:, 0], fitted.covariance[:, 0]
    out: Columns = {"M": mass_of(p), **kinematics(p), "MERR": mass_error(p, covariance[:, 3:, 3:])}
    sigma = np.sqrt(np.maximum(np.einsum("nii->ni", covariance[:, :3, :3]), 0))
    for k, axis in enumerate("XYZ"):
        out[f"ENDVERTEX_{axis}"] = fitted.vertices[:, 0, k] if known else np.full(len(p), np.nan)
        out[f"ENDVERTEX_{axis}ERR"] = sigma[:, k] if known else np.full(len(p), np.nan)
    out["ENDVERTEX_CHI2"] = chi2 if known else np.full(len(p), np.nan)
    out["ENDVERTEX_NDOF"] = np.full(len(p), ndf if known else 0)
    return out


def primary_columns(lines: Lines, events: npt.NDArray[Any], primaries: PrimaryVertices) -> tuple[Columns, Rows]:
    """Impact parameter with respect to the best primary vertex, and which primary vertex that is."""
    best = primaries.best(events, lines)
    distance, chi2 = impact_parameter(lines, primaries.at(best))
    return {"BPVIP": distance, "BPVIPCHI2": chi2}, best


def end_columns(truth: Truth, rows: Rows) -> Columns:
    """Where the true particle decayed."""
    return {f"TRUEENDVERTEX_{a}": truth.values(f"e{a.lower()}", rows, np.nan).astype(float) for a in "XYZ"}


def flight_columns(
    fitted: Fitted, events: npt.NDArray[Any], primaries: PrimaryVertices, known: bool
) -> tuple[Columns, Rows]:
    """Variables from a decay vertex and the best primary vertex, and which primary vertex that is."""
    vertex, p, covariance = fitted.vertices[:, 0], fitted.momenta[:, 0], fitted.covariance[:, 0]
    if not known:
        vertex = np.full_like(vertex, np.nan)
    out, best = primary_columns(lines_of_decays(vertex, p, covariance), events, primaries)
    primary = primaries.at(best)
    for k, axis in enumerate("XYZ"):
        out[f"BPV{axis}"] = primary.position[:, k]
    out["BPVFD"], out["BPVFDCHI2"] = flight(vertex, covariance[:, :3, :3], primary)
    path = vertex - primary.position
    along = np.sum(path * p[:, :3], axis=1)
    p2, length2 = np.sum(p[:, :3] ** 2, axis=1), np.sum(path**2, axis=1)
    across = np.sqrt(np.maximum(p2 - along**2 / length2, 0))
    out["BPVDIRA"] = along / np.sqrt(p2 * length2)
    out["BPVCORRM"] = np.sqrt(mass_of(p) ** 2 + across**2) + across
    out["BPVLTIME"] = mass_of(p) * along / (p2 * SPEED_OF_LIGHT)
    return out, best


def tree_fit_columns(fitted: Fitted, k: int) -> Columns:
    """Variables of one composite in a fit of the whole decay."""
    p = fitted.momenta[:, k]
    found = {"M": mass_of(p), **kinematics(p), "MERR": mass_error(p, fitted.covariance[:, k, 3:, 3:])}
    return {name: found[name] for name in OF_TREE_FIT}


def describe(name: str, labels: list[str]) -> tuple[str, str]:
    """Unit and meaning of a column of the n-tuple."""
    if name in OF_EVENTS:
        return OF_EVENTS[name]
    label = max((label for label in labels if name.startswith(label + "_")), key=len)
    variable = name[len(label) + 1 :]
    if variable.startswith("DTF_"):
        unit, text = {**OF_TREE_FIT, **OF_TREE_FIT_HEAD}[variable[4:]]
        return unit, f"{text}, decay tree fit"
    found: Mapping[str, tuple[str, str]] = {**OF_ALL, **OF_TRACKS, **OF_PHOTONS, **OF_DECAYS}
    return found.get(variable, ("", variable))
