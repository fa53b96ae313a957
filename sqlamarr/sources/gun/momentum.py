"""The momentum of a gun's particle: a size and an angle, or a joint spectrum of both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from sqlamarr.checking.yaml_schema import suggest, validate
from sqlamarr.errors import InputError
from sqlamarr.particles import descriptors
from sqlamarr.sources.gun import distributions
from sqlamarr.sources.gun.decay_plan import WIDTHS_OF_FIRST
from sqlamarr.sources.gun.distributions import INFINITY, Quantity
from sqlamarr.sources.gun.place import Place
from sqlamarr.sources.gun.plan import Plan, Species

#: Name -> (its number in the native code, lowest, highest).
SIZES = {name: (kind, 0.0, INFINITY) for kind, name in enumerate(("p", "pt", "energy", "kinetic_energy"))}
ANGLES = {"theta": (0, 0.0, math.pi), "eta": (1, -20.0, 20.0), "y": (2, -20.0, 20.0), "cos_theta": (3, -1.0, 1.0)}

#: By size, values [MeV] that are unlikely in LHCb and were probably meant in GeV.
SOFT = {"p": 300.0, "pt": 100.0, "energy": 300.0, "kinetic_energy": 300.0}

_LAW = distributions.SCHEMA
PROPERTIES: Mapping[str, Any] = {
    "p": {**_LAW, "description": "Momentum [MeV]."},
    "pt": {**_LAW, "description": "Transverse momentum [MeV]."},
    "energy": {**_LAW, "description": "Energy [MeV]."},
    "kinetic_energy": {**_LAW, "description": "Kinetic energy [MeV]."},
    "theta": {**_LAW, "description": "Polar angle [rad]."},
    "cos_theta": {**_LAW, "description": "Cosine of the polar angle."},
    "eta": {**_LAW, "description": "Pseudorapidity."},
    "y": {**_LAW, "description": "Rapidity; only together with pt."},
    "phi": {**_LAW, "description": "Azimuth [rad]; default: flat over the full circle."},
    "spectrum": {
        "type": ["string", "object"],
        "description": "Momentum and angle together: a shipped spectrum, or a two-dimensional histogram.",
    },
}

_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_SHIPPED: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "shipped": {"type": "string", "description": "Name of a shipped spectrum: b_13TeV or c_13TeV."},
        "pt": {**_PAIR, "description": "Range of transverse momentum [MeV]."},
        "eta": {**_PAIR, "description": "Range of pseudorapidity."},
    },
    "required": ["shipped"],
    "additionalProperties": False,
}
_JOINT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "axes": {
            "type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2,
            "description": "What the axes are, e.g. [pt, eta]: a momentum or energy, then an angle.",
        },
        "file": {"type": "string", "description": "ROOT file with a TH2."},
        "name": {"type": "string", "description": "Name of the histogram in the file."},
        "edges": {
            "type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "array", "items": {"type": "number"}},
            "description": "Without a file: edges of the bins of both axes, ascending.",
        },
        "contents": {
            "type": "array", "items": {"type": "array", "items": {"type": "number"}},
            "description": "Without a file: a list of contents per bin of the first axis.",
        },
        "scale": {**_PAIR, "description": "Factors that convert the axes to MeV and rad; [1000, 1] for GeV."},
    },
    "required": ["axes"],
    "additionalProperties": False,
}  # fmt: skip


class Momentum(NamedTuple):
    """The part of ``sqlamarr_gun_head`` that specifies how momenta are drawn."""

    size: int
    size_kind: int
    angle: int
    angle_kind: int
    phi: int
    joint: int = -1
    joint_n: tuple[int, int] = (0, 0)


def momentum(plan: Plan, place: Place, entry: Mapping[str, Any]) -> Momentum:
    """Add what a particle's entry says about its momentum to the plan.

    :raises InputError: the entry says too much or too little, or a value is impossible
    """
    phi = _add(plan, place, "phi", (-2 * math.pi, 2 * math.pi), entry.get("phi", {"flat": [-math.pi, math.pi]}))
    if "spectrum" in entry:
        if others := [name for name in (*SIZES, *ANGLES) if name in entry]:
            raise place.error(
                f"a spectrum sets both momentum and angle, so {', '.join(others)} cannot be given as well."
            )
        return _spectrum(plan, place.of("spectrum"), entry["spectrum"], phi)
    size, angle = _one_of(place, entry, SIZES), _one_of(place, entry, ANGLES)
    _check_pair(place, size, angle)
    return Momentum(
        _add(plan, place, size, SIZES[size][1:], entry[size]), SIZES[size][0],
        _add(plan, place, angle, ANGLES[angle][1:], entry[angle]), ANGLES[angle][0],
        phi,
    )  # fmt: skip


def notes_on(plan: Plan, place: Place, found: Momentum) -> Iterator[str]:
    """What the user should know about a momentum: one this small was probably meant in GeV."""
    name = list(SIZES)[found.size_kind]
    if found.size >= 0:
        kind, _, _, *parameters = plan.distributions[found.size]
        most = distributions.largest_density(kind, *parameters)
    else:
        most = plan.numbers[found.joint + found.joint_n[0]]
    if 0 < most <= SOFT[name]:
        yield (
            f"{place.path}: {place.name}: {name} is at most {most:g} MeV. If that was meant in GeV: momenta and "
            "energies are in MeV, so 10 GeV is 10000."
        )


def check_energy(plan: Plan, place: Place, found: Momentum, species: Iterable[Species]) -> None:
    """Check before any event is drawn that no particle has less energy than its mass.

    :param species: the species that are shot with this momentum
    :raises InputError: energies below the mass are possible
    """
    if found.size_kind != SIZES["energy"][0]:
        return
    energy = _least(plan, found)
    for one in species:
        varies = one.width > 0 and one.n_channels > 0
        mass = one.mass + (WIDTHS_OF_FIRST * one.width if varies else 0)
        if energy < mass:
            raise place.error(
                f"expected energies above the mass of {descriptors.name_of(one.pid)}, "
                f"{'up to ' if varies else ''}{mass:.2f} MeV, found energies from {energy:g} MeV. Raise the lower "
                "limit of 'energy', or give 'kinetic_energy'."
            )


def _least(plan: Plan, found: Momentum) -> float:
    """The lowest size of a momentum."""
    if found.size >= 0:
        kind, _, _, low, _, c, d = plan.distributions[found.size]
        return distributions.least(kind, low, c, d)
    n, m = found.joint_n
    contents = np.reshape(plan.numbers[found.joint + n + m + 2 :][: n * m], (n, m))
    return plan.numbers[found.joint + int(np.nonzero(contents.any(axis=1))[0][0])]


def _add(plan: Plan, place: Place, name: str, limits: tuple[float, float], value: Any) -> int:
    return plan.add_law(distributions.law(value, Quantity(place.of(name), *limits)))


def _one_of(place: Place, entry: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    found = [name for name in names if name in entry]
    if len(found) != 1:
        raise place.error(f"expected one of {', '.join(names)}, found {' and '.join(found) or 'none'}.")
    return found[0]


def _check_pair(place: Place, size: str, angle: str) -> None:
    if angle == "y" and size != "pt":
        raise place.of("y").error(f"a rapidity must be combined with pt, found {size}.")


def _spectrum(plan: Plan, place: Place, value: Any, phi: int) -> Momentum:
    if isinstance(value, str):
        value = {"shipped": value}
    validate(value, _SHIPPED if "shipped" in value else _JOINT, place.path, place.name, InputError)
    return (_add_shipped if "shipped" in value else _add_joint)(plan, place, value, phi)


@lru_cache(maxsize=1)
def shipped() -> dict[str, dict[str, dict[str, list[float]]]]:
    """Histograms (edges, contents) of pt [MeV] and eta by the name of the spectrum."""
    import yaml

    content: dict[str, Any] = yaml.safe_load((files("sqlamarr.sources.gun") / "spectra.yaml").read_text())
    return content


def _add_shipped(plan: Plan, place: Place, value: Mapping[str, Any], phi: int) -> Momentum:
    name = value["shipped"]
    if name not in shipped():
        known = shipped()
        raise place.error(f"unknown shipped spectrum {name!r}; known spectra: {', '.join(known)}{suggest(name, known)}")
    laws = []
    for axis in ("pt", "eta"):
        quantity = Quantity(place.of(axis), -INFINITY, INFINITY)
        found = shipped()[name][axis]
        low, high = value.get(axis, (-INFINITY, INFINITY))
        laws.append(distributions.histogram(np.array(found["edges"]), np.array(found["contents"]), quantity, low, high))
    size, angle = map(plan.add_law, laws)
    return Momentum(size, SIZES["pt"][0], angle, ANGLES["eta"][0], phi)


def _add_joint(plan: Plan, place: Place, value: Mapping[str, Any], phi: int) -> Momentum:
    size, angle = value["axes"]
    for name, known in ((size, SIZES), (angle, ANGLES)):
        if name not in known:
            raise place.of("axes").error(f"expected one of {', '.join(known)}, found {name!r}{suggest(name, known)}")
    _check_pair(place, size, angle)
    (x, y), contents = _read(place, value)
    x, y = x * value.get("scale", (1, 1))[0], y * value.get("scale", (1, 1))[1]
    for edges, (_, low, high), name in ((x, SIZES[size], size), (y, ANGLES[angle], angle)):
        if not (np.diff(edges) > 0).all() or not low <= edges[0] < edges[-1] <= high:
            raise place.error(f"the edges of {name} must ascend within {low:g} to {high:g}, found {edges.tolist()}.")
    if not np.isfinite(contents).all():
        raise place.error("the contents of a spectrum must be finite numbers.")
    if (contents < 0).any() or not (contents > 0).any():
        raise place.error("the contents of a spectrum must not be negative, nor all 0.")
    at = len(plan.numbers)
    plan.numbers += [*x.tolist(), *y.tolist(), *contents.ravel().tolist()]
    return Momentum(-1, SIZES[size][0], -1, ANGLES[angle][0], phi, at, (len(x) - 1, len(y) - 1))


def _read(place: Place, value: Mapping[str, Any]) -> tuple[tuple[Any, Any], Any]:
    if "file" in value:
        edges, contents = distributions.read_root(place, value["file"], value.get("name"), 2)
        return (edges[0], edges[1]), contents
    if "edges" not in value or "contents" not in value:
        raise place.error("expected 'file' and 'name', or 'edges' and 'contents'.")
    x, y = (np.array(axis, float) for axis in value["edges"])
    rows = value["contents"]
    if len(rows) != len(x) - 1 or any(len(row) != len(y) - 1 for row in rows):
        raise place.error(f"expected {len(x) - 1} lists of {len(y) - 1} contents.")
    return (x, y), np.array(rows, float)


__all__ = ["ANGLES", "PROPERTIES", "SIZES", "Momentum", "check_energy", "momentum", "notes_on", "shipped"]
