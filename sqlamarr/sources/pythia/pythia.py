"""``pythia:``, collisions of Pythia 8, generated in the process that simulates them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlamarr.errors import DescriptorError, InputError
from sqlamarr.events.chunk import ParsedChunk
from sqlamarr.events.event import EventRef, Rejected
from sqlamarr.native.random import stream_key
from sqlamarr.particles import conservation
from sqlamarr.particles.codes import PROTON
from sqlamarr.particles.descriptors import Decay, parse, pid_of
from sqlamarr.sources.kind import DescribedSource, Generator
from sqlamarr.sources.pythia.engine import INSTANCES, CrossSection, checked, cross_section
from sqlamarr.sources.pythia.record import Collision, tables
from sqlamarr.sources.pythia.signal import NoEventError, Sampler, Signal, decay_lines

_PARTICLE = {"type": ["string", "integer"]}
_SIGNAL = {
    "type": "object",
    "description": "Keep only collisions with this particle, and mark it as signal.",
    "properties": {
        "particle": {**_PARTICLE, "description": "Name or PDG id of a hadron; needed unless 'decay' is given."},
        "charge_conjugate": {"type": "boolean", "description": "Accept its antiparticle as well; default true."},
        "decay": {
            "type": "string",
            "description": "Its decay, e.g. 'B0 -> (K*(892)0 -> K+ pi-) mu+ mu-', by phase space; default: Pythia's.",
        },
        "eta": {
            "type": "array",
            "items": {"type": "number"},
            "minItems": 2,
            "maxItems": 2,
            "description": "Range of the signal's pseudorapidity.",
        },
        "hadronizations": {
            "type": "integer",
            "minimum": 1,
            "description": "How often to hadronize a collision in search of the signal; default 1.",
        },
    },
    "additionalProperties": False,
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["config"],
    "properties": {
        "config": {
            "oneOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, {"type": "string"}],
            "description": "Pythia's settings, as a list of lines or the name of a file of such lines.",
        },
        "beams": {
            "type": "object",
            "properties": {
                "particles": {"type": "array", "items": _PARTICLE, "minItems": 2, "maxItems": 2},
                "energy": {"type": "number", "exclusiveMinimum": 0, "description": "Centre-of-mass energy [GeV]."},
            },
            "additionalProperties": False,
            "description": "Default: two protons at 13000 GeV.",
        },
        "signal": _SIGNAL,
        "redecay": {
            "type": "integer",
            "minimum": 1,
            "description": "ReDecay: how many events share a collision, apart from the decay of its signal.",
        },
        "max_tries": {
            "type": "integer",
            "minimum": 1,
            "description": "Reject an event after this many collisions without a signal; default 100000.",
        },
        "events": {
            "type": "integer",
            "minimum": 1,
            "description": "Number of events; default: as many as the run asks for.",
        },
    },
    "additionalProperties": False,
}


_LOWEST_ENERGY = 20.0  # GeV: less than that of LHC protons at injection energy on a fixed target, 29 GeV
_FIRST_HADRON = 100  # PDG codes of hadrons are higher


@dataclass(frozen=True)
class PythiaRecipe:
    """Makes events with Pythia, which each process initialises once.

    :ivar lines: Pythia's settings
    :ivar signal: what an event must contain; None for no requirement
    :ivar key: key of the random numbers, see :func:`sqlamarr.native.random.stream_key`
    :ivar sigma: cross-section of the processes
    :ivar name: name of the description for messages
    """

    lines: tuple[str, ...]
    signal: Signal | None
    key: int
    sigma: CrossSection
    name: str

    def make(self, events: Sequence[EventRef]) -> ParsedChunk:
        """Generate these events; each depends only on (key, event_id)."""
        done, rejected = [], []
        with INSTANCES.lock:
            sampler = INSTANCES.get((self.lines, self.signal), lambda: Sampler(self.lines, self.signal, self.name))
            for event in events:
                try:
                    record, header = sampler.event(self.key, event.event_id)
                except NoEventError as error:
                    rejected.append(Rejected(event.event_id, 0, str(error)))
                    continue
                weights = header.pop("weights")
                header |= {
                    "event_number": event.number,
                    "cross_section": self.sigma.value,
                    "cross_section_error": self.sigma.error,
                }
                done.append(Collision(event.event_id, event.datasource_id, header, record, weights))
        return ParsedChunk(tables(done), rejected)


def prepare(description: DescribedSource, seed: int) -> Generator:
    """Start Pythia and determine the cross-section.

    :raises InputError: Pythia does not understand a setting, or a name or a range is invalid
    """
    content, name = description.content, description.path
    config, warnings = checked(_config(content["config"], description), name)
    lines = (*_beams(content.get("beams", {}), name), *config)
    signal = _signal(content, name)
    # Mistakes are found before any event.
    sampler = INSTANCES.get((lines, signal), lambda: Sampler(lines, signal, name))
    key = stream_key(seed, "source:pythia")
    recipe = PythiaRecipe(lines, signal, key, cross_section(lines, key, name), name)
    files = (description.file(content["config"]),) if isinstance(content["config"], str) else ()
    names = sampler.weight_names()
    warnings = (*warnings, *_notes(content, name))
    return Generator(f"Pythia {sampler.version()}", recipe, content.get("events"), files, warnings, names)


def _config(config: Any, description: DescribedSource) -> tuple[str, ...]:
    lines = description.file(config).read_text().splitlines() if isinstance(config, str) else config
    return tuple(line.strip() for line in lines if line.strip() and line.strip()[:1].isalnum())


def _beams(beams: Mapping[str, Any], name: str) -> tuple[str, ...]:
    first, second = (_pid(particle, name) for particle in beams.get("particles", (PROTON, PROTON)))
    return (f"Beams:idA = {first}", f"Beams:idB = {second}", f"Beams:eCM = {float(beams.get('energy', 13000.0))!r}")


def _signal(content: Mapping[str, Any], name: str) -> Signal | None:
    if "signal" not in content:
        if "redecay" in content:
            raise InputError(f"{name}: pythia.redecay needs pythia.signal, which it decays repeatedly.")
        return None
    given = content["signal"]
    decay = _decay(given["decay"], f"{name}: pythia.signal.decay") if "decay" in given else None
    if decay is None and "particle" not in given:
        raise InputError(f"{name}: pythia.signal: give 'particle' or 'decay'.")
    pid = _pid(given["particle"], name) if "particle" in given else decay.pid if decay else 0
    if decay and abs(decay.pid) != abs(pid):
        raise InputError(
            f"{name}: pythia.signal: 'particle' is {given['particle']}, but 'decay' is the decay of another particle."
        )
    low, high = given.get("eta", (None, None))
    if low is not None and not low < high:
        raise InputError(
            f"{name}: pythia.signal.eta: expected a range with the lower limit first, found {[low, high]}."
        )
    return Signal(
        pid,
        given.get("charge_conjugate", True),
        decay_lines(decay, name) if decay else (),
        None if low is None else (float(low), float(high)),
        given.get("hadronizations", 1),
        content.get("redecay"),
        content.get("max_tries", 100_000),
    )


def _decay(text: str, where: str) -> Decay:
    try:
        decay = parse(text).decay
        conservation.check_chain(decay, where)
    except DescriptorError as error:
        raise InputError(f"{where}: {error}") from error
    return decay


def _notes(content: Mapping[str, Any], name: str) -> Iterator[str]:
    """What the user should know about the description."""
    beams = content.get("beams", {})
    energy, hadrons = beams.get("energy", 13000.0), [_pid(p, name) for p in beams.get("particles", (PROTON, PROTON))]
    if energy < _LOWEST_ENERGY and all(abs(pid) > _FIRST_HADRON for pid in hadrons):
        yield (
            f"{name}: pythia.beams.energy: hadrons collide at a centre-of-mass energy of {energy:g} GeV. If that was "
            "meant in TeV: 13 TeV is 13000."
        )
    if text := content.get("signal", {}).get("decay"):
        yield from conservation.notes_on_chain(parse(text).decay, f"{name}: pythia.signal.decay")


def _pid(particle: str | int, name: str) -> int:
    if isinstance(particle, int):
        return particle
    try:
        return pid_of(particle)
    except DescriptorError as error:
        raise InputError(f"{name}: {error}") from error


__all__ = ["SCHEMA", "PythiaRecipe", "prepare"]
