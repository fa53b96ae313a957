"""User-defined particles, e.g. for searches, with names, masses and lifetimes that are not in any table."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlamarr.errors import DataError, DescriptorError, InputError, UnknownParticleError
from sqlamarr.native.library import check, ffi, lib
from sqlamarr.particles import descriptors
from sqlamarr.particles.constants import HBAR_C, SPEED_OF_LIGHT
from sqlamarr.particles.descriptors import OwnParticle

KEY = "new_particles"
LARGEST_CODE = 999_999_999

_POSITIVE = {"type": "number", "exclusiveMinimum": 0}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "pid": {
                "type": "integer",
                "minimum": 1,
                "maximum": LARGEST_CODE,
                "description": "An unused PDG code; the numbering scheme determines its charge.",
            },
            "mass": {**_POSITIVE, "description": "Mass [MeV]."},
            "ctau": {**_POSITIVE, "description": "Mean proper decay length [mm]."},
            "lifetime": {**_POSITIVE, "description": "Instead of ctau, the mean lifetime [ns]."},
            "width": {**_POSITIVE, "description": "Instead of both, the width [MeV]."},
            "charge": {"type": "integer", "description": "Charge [e]; checked against the PDG code."},
            "antiparticle": {
                "type": "string",
                "description": "Name of the antiparticle, code -pid; default: the particle is its own antiparticle.",
            },
        },
        "required": ["pid", "mass"],
        "additionalProperties": False,
    },
    "description": "Particles that are in no table: {N1: {pid: 9900014, mass: 2000, ctau: 50}}.",
}


def read(content: Mapping[str, Mapping[str, Any]], where: str) -> dict[int, OwnParticle]:
    """Read particles by PDG code from the validated content of the key.

    :param where: beginning of messages
    :raises InputError: a name or a code is already in use, or properties contradict each other
    """
    found: dict[int, OwnParticle] = {}
    for name, entry in content.items():
        for particle in _pair(str(name), entry, f"{where}.{name}"):
            _check_free(particle, found, f"{where}.{name}")
            found[particle.pdgid] = particle
    return found


def definition_hint(error: DescriptorError) -> str:
    """A hint for messages of a gun about unknown particles: they can be defined."""
    if not isinstance(error, UnknownParticleError):
        return ""
    return f" Particles that are in no table, or have no mass there, can be defined in '{KEY}' (docs/gun.md)."


def _pair(name: str, entry: Mapping[str, Any], where: str) -> Iterator[OwnParticle]:
    """A particle, and its antiparticle if that is a different one."""
    pid, anti = entry["pid"], entry.get("antiparticle", name)
    if descriptors.is_known(pid):
        raise InputError(
            f"{where}: the PDG code {pid} already belongs to {descriptors.name_of(pid)}. Choose another code."
        )
    charge = _charge(pid, where)
    if entry.get("charge", charge) != charge:
        raise InputError(
            f"{where}: expected charge {charge:+d}, as the PDG code {pid} requires, found {entry['charge']:+d}. "
            "Choose another code."
        )
    if charge and anti == name:
        raise InputError(f"{where}: a charged particle cannot be its own antiparticle: give 'antiparticle: NAME'.")
    given = [key for key in ("ctau", "lifetime", "width") if key in entry]
    if len(given) > 1:
        raise InputError(f"{where}: expected at most one of ctau, lifetime and width, found {', '.join(given)}.")
    width, ctau = float(entry.get("width", 0.0)), _ctau(entry)
    if not math.isfinite(sum((entry["mass"], ctau or 0.0, width))):
        raise InputError(f"{where}: mass, ctau, lifetime and width must be finite.")
    yield OwnParticle(name, pid, entry["mass"], width, ctau, charge, pid if anti == name else -pid)
    if anti != name:
        yield OwnParticle(anti, -pid, entry["mass"], width, ctau, -charge, pid)


def _ctau(entry: Mapping[str, Any]) -> float | None:
    """Mean proper decay length [mm]; None if it is not given."""
    if "width" in entry:
        return HBAR_C / float(entry["width"])
    if "lifetime" in entry:
        return float(entry["lifetime"]) * SPEED_OF_LIGHT
    return float(entry["ctau"]) if "ctau" in entry else None


def _charge(pid: int, where: str) -> int:
    """Charge by the numbering scheme, which the truth selection and the tracks use."""
    out = ffi.new("int *")
    try:
        check(lib.sqlamarr_pdg_three_charge(pid, out))
    except DataError as error:
        raise InputError(
            f"{where}: {error} Codes of new particles are, e.g., 9900014 (neutral) or 1000015 (charge -1)."
        ) from error
    three = int(out[0])
    if three % 3:
        raise InputError(f"{where}: the PDG code {pid} implies a charge of {three}/3, which no track can have.")
    return three // 3


def _check_free(particle: OwnParticle, others: Mapping[int, OwnParticle], where: str) -> None:
    name, pid = particle.name, particle.pdgid
    if not re.fullmatch(r"[A-Za-z][^\s()\[\]^$>]*", name):
        raise InputError(
            f"{where}: expected a name that begins with a letter and has no spaces or brackets, found {name!r}."
        )
    if pid in others or name in (other.name for other in others.values()):
        raise InputError(f"{where}: the name {name!r} or the PDG code {pid} is given to two particles.")
    if descriptors.is_known(name):
        raise InputError(f"{where}: a particle {name!r} exists already. Choose another name.")


__all__ = ["KEY", "SCHEMA", "read"]
