"""``gun:``: particles shot with given spectra, from a given place, decaying by phase space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sqlamarr import descriptors
from sqlamarr.errors import DescriptorError, InputError
from sqlamarr.random import stream_key
from sqlamarr.sources import distributions
from sqlamarr.sources.described import Description, Generator
from sqlamarr.sources.distributions import INFINITY, Law, Quantity
from sqlamarr.sources.gun_plan import GunRecipe, Head, Plan, Species

STABLE, MADE_STABLE = 1, 999  # HepMC statuses as LHCb uses them: from the generator; from a decay

#: Momentum by one of SIZES and one of ANGLES; name -> (its number in the native code, lowest, highest).
SIZES = {name: (kind, 0.0, INFINITY) for kind, name in enumerate(("p", "pt", "energy", "kinetic_energy"))}
ANGLES = {"theta": (0, 0.0, math.pi), "eta": (1, -20.0, 20.0), "y": (2, -20.0, 20.0), "cos_theta": (3, -1.0, 1.0)}

_LAW = distributions.SCHEMA
PARTICLE: Mapping[str, Any] = {
    "particle": {
        "type": ["string", "integer", "array", "object"],
        "description": "Name or PDG id; or several, of which each event has one: a list, or names with their shares.",
    },
    "p": {**_LAW, "description": "Momentum [MeV]."},
    "pt": {**_LAW, "description": "Transverse momentum [MeV]."},
    "energy": {**_LAW, "description": "Energy [MeV]."},
    "kinetic_energy": {**_LAW, "description": "Kinetic energy [MeV]."},
    "theta": {**_LAW, "description": "Polar angle [rad]."},
    "cos_theta": {**_LAW, "description": "Cosine of the polar angle."},
    "eta": {**_LAW, "description": "Pseudorapidity."},
    "y": {**_LAW, "description": "Rapidity; with pt."},
    "phi": {**_LAW, "description": "Azimuth [rad]; default: flat all around."},
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "events": {"type": "integer", "minimum": 1, "description": "How many; default: as many as the run asks for."},
        "origin": {
            "type": ["array", "object"],
            "description": "Where collisions are: [x, y, z] in mm, or distributions of x, y, z [mm], t [mm/c]; "
            "default: the origin.",
        },
        "particles": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object", "properties": PARTICLE, "required": ["particle"], "additionalProperties": False,
            },
            "description": "Several particles of each event, each with these keys.",
        },
        **PARTICLE,
    },
    "additionalProperties": False,
}  # fmt: skip


def prepare(description: Description, seed: int) -> Generator:
    """A particle gun from its description.

    :raises InputError: the description is wrong
    """
    plan = Plan()
    for place, entry in _entries(description):
        _add_head(plan, description, place, entry)
    plan.origin = _origin(plan, description)
    recipe = GunRecipe(plan, stream_key(seed, "source:gun"))
    return Generator("particle gun", recipe, description.content.get("events"))


def _entries(description: Description) -> list[tuple[str, Mapping[str, Any]]]:
    """The particles of an event, and where in the description each stands (with a full stop after it)."""
    content = description.content
    single = {key: value for key, value in content.items() if key in PARTICLE}
    if "particles" not in content:
        if "particle" not in content:
            raise InputError(f"{description.path}: gun: missing particle (or particles, a list).")
        return [("", single)]
    if single:
        raise InputError(f"{description.path}: gun: {', '.join(single)} must stand in the entries of 'particles'.")
    return [(f"particles.{i}.", entry) for i, entry in enumerate(content["particles"])]


def _add_head(plan: Plan, description: Description, place: str, entry: Mapping[str, Any]) -> None:
    def add(name: str, low: float, high: float, value: Any) -> int:
        return plan.add_law(distributions.law(value, Quantity(place + name, low, high, description)))

    size, angle = (_one_of(description, place, entry, names) for names in (SIZES, ANGLES))
    if angle == "y" and size != "pt":
        raise InputError(f"{description.path}: gun.{place}y: a rapidity goes with pt, found {size}.")
    choices = len(plan.choices)
    shares = _shares(description, place, entry["particle"])
    for name, share in shares.items():
        plan.choices.append((share, _add_species(plan, description, place, name)))
    plan.heads.append(
        Head(
            choices, len(shares),
            add(size, *SIZES[size][1:], entry[size]), SIZES[size][0],
            add(angle, *ANGLES[angle][1:], entry[angle]), ANGLES[angle][0],
            add("phi", -2 * math.pi, 2 * math.pi, entry.get("phi", {"flat": [-math.pi, math.pi]})),
            -1, (0, 0), (-1, -1, -1),
        )
    )  # fmt: skip


def _one_of(description: Description, place: str, entry: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    found = [name for name in names if name in entry]
    if len(found) != 1:
        raise InputError(
            f"{description.path}: gun.{place}particle: expected one of {', '.join(names)}, "
            f"found {' and '.join(found) or 'none'}."
        )
    return found[0]


def _shares(description: Description, place: str, value: Any) -> dict[str, float]:
    """Names and shares that add up to 1."""
    if isinstance(value, (str, int)):
        return {str(value): 1.0}
    shares = value if isinstance(value, dict) else dict.fromkeys(map(str, value), 1.0)
    numbers = [share for share in shares.values() if isinstance(share, (int, float)) and share >= 0]
    if len(numbers) != len(shares) or not math.fsum(numbers) > 0:
        raise InputError(
            f"{description.path}: gun.{place}particle: expected names with shares, not negative and not all 0, "
            f"found {value!r}."
        )
    return {str(name): float(share) / math.fsum(numbers) for name, share in shares.items()}


def _add_species(plan: Plan, description: Description, place: str, name: str) -> int:
    try:
        pid = int(name) if name.lstrip("-").isdigit() else descriptors.pid_of(name)
        mass = 0.0 if abs(pid) in (12, 14, 16) else descriptors.mass(pid)
    except DescriptorError as error:
        raise InputError(f"{description.path}: gun.{place}particle: {error}") from error
    plan.species.append(Species(pid, mass, 0.0, 0.0, 0, 0, MADE_STABLE, STABLE))
    return len(plan.species) - 1


def _origin(plan: Plan, description: Description) -> tuple[int, ...]:
    value = description.content.get("origin", [0, 0, 0])
    if isinstance(value, list):
        if len(value) != 3:
            raise InputError(f"{description.path}: gun.origin: expected [x, y, z] in mm, found {value!r}.")
        value = dict(zip("xyz", value))
    if unknown := set(value) - set("xyzt"):
        raise InputError(f"{description.path}: gun.origin: expected x, y, z and t, found {', '.join(sorted(unknown))}.")
    quantities = (Quantity(f"origin.{axis}", -INFINITY, INFINITY, description) for axis in "xyzt")
    laws: list[Law] = [distributions.law(value.get(axis, 0), q) for axis, q in zip("xyzt", quantities)]
    return tuple(plan.add_law(law) for law in laws)


__all__ = ["ANGLES", "PARTICLE", "SCHEMA", "SIZES", "prepare"]
