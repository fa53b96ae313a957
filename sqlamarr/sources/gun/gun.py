"""``gun:``: particles shot with given spectra from a given place, and decaying by phase space."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from sqlamarr.checking.yaml_schema import suggest
from sqlamarr.errors import DescriptorError, InputError
from sqlamarr.native.random import stream_key
from sqlamarr.particles import decay_tables as decays
from sqlamarr.particles import descriptors, new_particles
from sqlamarr.particles.codes import LHCB_DECAYED_FIRST, LHCB_SIGNAL
from sqlamarr.sources.gun import distributions
from sqlamarr.sources.gun import momentum as gun_momentum
from sqlamarr.sources.gun.decay_plan import DecayPlan, sentence_about
from sqlamarr.sources.gun.distributions import INFINITY, Law, Quantity
from sqlamarr.sources.gun.place import Place
from sqlamarr.sources.gun.plan import GunRecipe, Head, Plan
from sqlamarr.sources.kind import DescribedSource, Generator

#: Events have few particles, so with smaller batches the fixed cost of a batch would matter.
BATCH = 8000
#: Widths of the luminous region in x, y, z [mm] by the year of data taking (RapidSim, config/beam.dat).
LUMINOUS_REGION = dict.fromkeys((2015, 2016, 2017, 2018), (0.035, 0.035, 60.0))

_SEVERAL = {"type": ["string", "array", "object"]}
_PLACE = {"type": ["array", "object"]}
PARTICLE: Mapping[str, Any] = {
    "particle": {
        "type": ["string", "integer", "array", "object"],
        "description": "Name or PDG id. Or several, one per event: a list, or names with their shares.",
    },
    "decay": {
        **_SEVERAL,
        "description": "Instead of 'particle', a decay descriptor: its first particle is shot and decays that way. Or "
        "several, one of which is used in each event: a list, or descriptors with their shares.",
    },
    "charge_conjugate": {
        "type": "boolean",
        "description": "In half of the events, shoot the antiparticle with the conjugate decay, as [...]CC does.",
    },
    "signal": {
        "type": "boolean",
        "description": f"Mark the particle as signal (status {LHCB_SIGNAL}) if it decays; default true.",
    },
    **gun_momentum.PROPERTIES,
    "displaced": {
        **_PLACE,
        "description": "Produce it at a vertex of its own, at [x, y, z] in mm from the collision; or distributions.",
    },
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "events": {
            "type": "integer",
            "minimum": 1,
            "description": "Number of events; default: as many as the run asks for.",
        },
        "origin": {
            **_PLACE,
            "description": "Where collisions are: [x, y, z] in mm; distributions of x, y, z [mm] and t [mm/c]; or "
            "{luminous_region: 2016}. Default: all at the origin.",
        },
        "particles": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "properties": PARTICLE, "additionalProperties": False},
            "description": "Several particles in each event, each with the keys of a particle.",
        },
        new_particles.KEY: new_particles.SCHEMA,
        "decays": {
            "type": "object",
            "additionalProperties": {"type": "object", "additionalProperties": {"type": "number"}},
            "description": "Branching fractions of particles whose decay is not spelled out: "
            '{D0: {"K- pi+": 0.7, "K- pi+ pi0": 0.3}}.',
        },
        "decay_file": {
            "type": "string",
            "description": "Branching fractions from an EvtGen .dec file (extra: decays).",
        },
        "shipped_decays": {
            "type": "boolean",
            "description": "Let light hadrons and excited heavy ones decay by the shipped table; default true.",
        },
        "stable": {
            "type": "array",
            "items": {"type": ["string", "integer"]},
            "description": "Particles that no table lets decay.",
        },
        **PARTICLE,
    },
    "additionalProperties": False,
}


def prepare(description: DescribedSource, seed: int) -> Generator:
    """Prepare a particle gun from its description.

    :raises InputError: the description is wrong
    """
    own = new_particles.read(description.content.get(new_particles.KEY, {}), f"{description.path}: gun.new_particles")
    with descriptors.with_particles(own):
        return _prepare(description, seed)


def _prepare(description: DescribedSource, seed: int) -> Generator:
    content, place = description.content, Place(description, "gun")
    try:
        table = _decay_table(description)
        stable = frozenset(table.pid(_key(table, name)) for name in content.get("stable", ()))
        plan = Plan()
        decay_plan = DecayPlan(plan, table, stable, description.path)
        for where, entry in _entries(place):
            _add_head(decay_plan, where, entry)
    except DescriptorError as error:
        raise InputError(f"{description.path}: {error}{new_particles.definition_hint(error)}") from error
    plan.origin = _place(plan, place.of("origin"), content.get("origin", [0, 0, 0]), "xyzt")
    return Generator(
        "particle gun",
        GunRecipe(plan, stream_key(seed, "source:gun")),
        content.get("events"),
        tuple(_files(description)),
        tuple(_warnings(description, decay_plan)),
        batch=BATCH,
    )


def _warnings(description: DescribedSource, decay_plan: DecayPlan) -> Iterator[str]:
    yield from decay_plan.notes
    yield from decay_plan.table.notes_on(decay_plan.by_table)
    if decay_plan.undecayed:
        yield f"{description.path}: {sentence_about(decay_plan.undecayed)}"


def _decay_table(description: DescribedSource) -> decays.DecayTable:
    content, table = description.content, decays.DecayTable()
    if content.get("shipped_decays", True):
        table.update(decays.shipped())
    if "decay_file" in content:
        table.update(decays.from_dec(description.file(content["decay_file"])))
    table.update(decays.from_mapping(content.get("decays", {}), f"{description.path}: gun.decays"))
    return table


def _files(description: DescribedSource) -> Iterator[Any]:
    """Every file that the description names."""

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, Mapping):
            yield from (value[key] for key in ("file", "decay_file") if isinstance(value.get(key), str))
        for below in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
            yield from walk(below)

    yield from (description.file(name) for name in dict.fromkeys(walk(description.content)))


def _entries(place: Place) -> list[tuple[Place, Mapping[str, Any]]]:
    """The particles of an event, each with its place in the description."""
    content = place.description.content
    single = {key: value for key, value in content.items() if key in PARTICLE}
    if "particles" not in content:
        return [(place, single)]
    if single:
        raise place.error(f"{', '.join(single)} must be in the entries of 'particles'.")
    return [(place.of("particles").of(i), entry) for i, entry in enumerate(content["particles"])]


def _add_head(decay_plan: DecayPlan, place: Place, entry: Mapping[str, Any]) -> None:
    plan = decay_plan.plan
    if ("particle" in entry) == ("decay" in entry):
        raise place.error("expected either 'particle' or 'decay', found " + ("both." if "decay" in entry else "none."))
    choices = list((_decays if "decay" in entry else _particles)(decay_plan, place, entry))
    at = len(plan.choices)
    plan.choices += choices
    displaced = entry.get("displaced")
    where = (-1, -1, -1) if displaced is None else _place(plan, place.of("displaced"), displaced, "xyz")
    momentum = gun_momentum.momentum(plan, place, entry)
    gun_momentum.check_energy(plan, place, momentum, [plan.species[one] for share, one in choices if share])
    decay_plan.notes.update(dict.fromkeys(gun_momentum.notes_on(plan, place, momentum)))
    plan.heads.append(Head(at, len(choices), *momentum, where))


def _particles(decay_plan: DecayPlan, place: Place, entry: Mapping[str, Any]) -> Iterator[tuple[float, int]]:
    """Share and species of every particle that may be shot."""
    table = decay_plan.table
    for name, share in _shares(place.of("particle"), entry["particle"]).items():
        key = _key(table, name)
        keys = [key, table.conjugate(key)] if entry.get("charge_conjugate") else [key]
        for one in keys:
            yield share / len(keys), decay_plan.first(one, entry.get("signal", True))


def _decays(decay_plan: DecayPlan, place: Place, entry: Mapping[str, Any]) -> Iterator[tuple[float, int]]:
    status = LHCB_SIGNAL if entry.get("signal", True) else LHCB_DECAYED_FIRST
    for text, share in _shares(place.of("decay"), entry["decay"]).items():
        descriptor = descriptors.parse(text)
        chains = [descriptor.decay]
        if descriptor.with_conjugate or entry.get("charge_conjugate"):
            chains.append(descriptor.decay.conjugated())
        for chain in chains:
            yield share / len(chains), decay_plan.chain(chain, status)


def _key(table: decays.DecayTable, name: str | int) -> decays.Key:
    text = str(name)
    return int(text) if text.lstrip("+-").isdigit() else table.key(text)


def _shares(place: Place, value: Any) -> dict[str, float]:
    """Names and shares that add up to 1."""
    if isinstance(value, (str, int)):
        return {str(value): 1.0}
    if isinstance(value, float):  # a whole one: 13.0
        return {f"{value:.0f}": 1.0}
    shares = value if isinstance(value, Mapping) else dict.fromkeys(map(str, value), 1.0)
    numbers = [share for share in shares.values() if isinstance(share, (int, float)) and 0 <= share < math.inf]
    if len(numbers) != len(shares) or not math.fsum(numbers) > 0:
        raise place.error(f"expected names, or names with shares that are not negative and not all 0, found {value!r}.")
    return {str(name): float(share) / math.fsum(numbers) for name, share in shares.items()}


def _place(plan: Plan, place: Place, value: Any, axes: str) -> Any:
    """The distributions of the coordinates; missing ones are 0."""
    if isinstance(value, list):
        if len(value) != 3:
            raise place.error(f"expected [x, y, z] in mm, found {value!r}.")
        value = dict(zip("xyz", value))
    if "luminous_region" in value and "t" in axes:
        value = _luminous_region(place, value)
    if unknown := sorted(set(map(str, value)) - set(axes)):
        known = [*axes, *(["luminous_region"] if "t" in axes else [])]
        raise place.error(f"unknown key {unknown[0]!r}; known keys: {', '.join(known)}{suggest(unknown[0], known)}")
    laws: list[Law] = [
        distributions.law(value.get(axis, 0), Quantity(place.of(axis), -INFINITY, INFINITY)) for axis in axes
    ]
    return tuple(plan.add_law(law) for law in laws)


def _luminous_region(place: Place, value: Mapping[str, Any]) -> dict[str, Any]:
    period = value["luminous_region"]
    if len(value) > 1:
        raise place.error("luminous_region cannot be combined with other keys.")
    if period not in LUMINOUS_REGION:
        raise place.error(f"expected luminous_region: one of {', '.join(map(str, LUMINOUS_REGION))}, found {period!r}.")
    sigmas = LUMINOUS_REGION[period]
    return {axis: {"gaussian": {"mean": 0.0, "sigma": sigma}} for axis, sigma in zip("xyz", sigmas)}


__all__ = ["LUMINOUS_REGION", "PARTICLE", "SCHEMA", "prepare"]
