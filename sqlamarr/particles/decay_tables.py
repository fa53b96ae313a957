"""Tables of decays: the shipped one, those in descriptions, and EvtGen's ``.dec`` files."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlamarr.errors import DescriptorError, InputError, missing_package
from sqlamarr.particles import descriptors, new_particles

#: A particle: its PDG id, or the name that a .dec file gives to a particle with its own decays (``Alias``).
Key = int | str
#: Branching fractions may add up to 1 with this deviation before there is a warning.
TOLERANCE = 0.01
NOTES = 5  # printed about the decays of a chain; further ones are only counted


@dataclass(frozen=True)
class Channel:
    """One decay mode.

    :ivar fraction: fraction of all decays of the particle, or a number proportional to it
    """

    fraction: float
    daughters: tuple[Key, ...]


@dataclass
class DecayTable:
    """Channels by particle; antiparticles decay to the antiparticles, unless they have channels of their own.

    :ivar aliases: PDG ids of keys that are names
    :ivar antiparticles: keys of the antiparticles of such keys
    :ivar notes: sentences for the user if the particle decays
    :ivar lost: sentences about particles none of whose decays can be generated
    :ivar models: EvtGen's models for the decays of a particle, other than phase space
    """

    channels: dict[Key, tuple[Channel, ...]] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    antiparticles: dict[Key, Key] = field(default_factory=dict)
    notes: dict[Key, list[str]] = field(default_factory=dict)
    lost: dict[Key, str] = field(default_factory=dict)
    models: dict[Key, set[str]] = field(default_factory=dict)

    def pid(self, key: Key) -> int:
        """The PDG id of a key."""
        return self.aliases[key] if isinstance(key, str) else key

    def key(self, name: str) -> Key:
        """The key of a particle by its name.

        :raises DescriptorError: no particle has this name
        """
        return name if name in self.aliases else descriptors.pid_of(name, self.aliases)

    def conjugate(self, key: Key) -> Key:
        """The key of the antiparticle.

        :raises DescriptorError: it is an alias without ``ChargeConj``
        """
        if isinstance(key, int):
            return descriptors.conjugate(key)
        if key not in self.antiparticles:
            raise DescriptorError(f"{key} has no antiparticle: the decay file has no line 'ChargeConj {key} ...'.")
        return self.antiparticles[key]

    def of(self, key: Key) -> tuple[Channel, ...]:
        """The decays of a particle; empty if the table has none."""
        told = self._told(key)
        if told == key:
            return self.channels.get(key, ())
        return tuple(
            Channel(channel.fraction, tuple(descriptors.conjugate(self.pid(d)) for d in channel.daughters))
            for channel in self.channels.get(told, ())
        )

    def notes_on(self, keys: Iterable[Key]) -> Iterator[str]:
        """What the user should know about the decays of these particles."""
        told = dict.fromkeys(map(self._told, keys))
        sentences = [sentence for key in told for sentence in self.notes.get(key, ())]
        yield from sentences[:NOTES]
        if len(sentences) > NOTES:
            yield f"... and {len(sentences) - NOTES} more such notes on the decays of the chain."
        if models := sorted(set().union(*(self.models.get(key, ()) for key in told))):
            names = ", ".join(models[:NOTES]) + (f" and {len(models) - NOTES} more" if len(models) > NOTES else "")
            yield f"decays use phase space only; EvtGen's models {names} are not used."

    def why_none(self, key: Key) -> str | None:
        """A sentence about a particle if none of its decays in the decay file can be generated."""
        return self.lost.get(self._told(key))

    def _told(self, key: Key) -> Key:
        """The particle whose channels are in the table: the particle itself, or its antiparticle."""
        return key if key in self.channels or isinstance(key, str) else descriptors.conjugate(key)

    def update(self, other: DecayTable) -> None:
        """Add another table, whose decays replace those of the same particle and of its antiparticle."""
        for key in other.channels:
            for old in (key, descriptors.conjugate(key)) if isinstance(key, int) else (key,):
                self.channels.pop(old, None)
                self.notes.pop(old, None)
                self.lost.pop(old, None)
                self.models.pop(old, None)
        self.channels |= other.channels
        self.aliases |= other.aliases
        self.antiparticles |= other.antiparticles
        self.notes |= other.notes
        self.lost |= other.lost
        self.models |= other.models


@lru_cache(maxsize=1)
def shipped() -> DecayTable:
    """The shipped table of light hadrons and excited heavy ones. Do not change it, see :meth:`DecayTable.update`."""
    import yaml

    content = yaml.safe_load((files("sqlamarr.particles") / "decays.yaml").read_text())
    table = from_mapping(content, "the shipped decays")
    table.notes.clear()  # rare modes are left out on purpose
    return table


def from_mapping(content: Mapping[str, Mapping[str, float]], where: str) -> DecayTable:
    """``{particle: {"daughter daughter": fraction}}`` as a table.

    :param where: the place that messages name
    :raises InputError: a name is unknown, or a fraction is invalid
    """
    table = DecayTable()
    for mother, modes in content.items():
        try:
            key = table.key(str(mother))
            channels = tuple(
                Channel(_fraction(fraction, f"{where}: {mother} -> {mode}"), tuple(map(table.key, str(mode).split())))
                for mode, fraction in modes.items()
            )
        except DescriptorError as error:
            raise InputError(f"{where}: {mother}: {error}{new_particles.definition_hint(error)}") from error
        _add(table, key, channels, where)
    return table


def _fraction(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise InputError(f"{where}: expected a branching fraction that is not negative, found {value!r}.")
    return float(value)


def _add(table: DecayTable, key: Key, channels: tuple[Channel, ...], where: str, lost: float = 0) -> None:
    """Add channels scaled to 1. A sum other than 1 is noted unless known losses explain it."""
    total = math.fsum(channel.fraction for channel in channels)
    name = key if isinstance(key, str) else descriptors.name_of(key)
    if channels and not total > 0:
        raise InputError(
            f"{where}: all branching fractions of {name} are 0. To keep it from decaying, list it in 'stable'."
        )
    if channels and abs(total + lost - 1) > TOLERANCE:
        table.notes.setdefault(key, []).append(
            f"{where}: the branching fractions of {name} add up to {total:.4g} and are scaled to 1."
        )
    table.channels[key] = tuple(Channel(c.fraction / total, c.daughters) for c in channels if c.fraction > 0)


def from_dec(path: Path) -> DecayTable:
    """The decays of an EvtGen ``.dec`` file; every decay model becomes phase space.

    :raises InputError: the file cannot be read, or decaylanguage is not installed
    """
    parser = _parse_dec(path)
    mothers = parser.list_decay_mother_names()
    if not mothers:
        raise InputError(f"{path} has no decays: expected blocks 'Decay NAME ... Enddecay', found none.")
    table = DecayTable()
    for name, meant in parser.dict_aliases().items():
        with suppress(
            DescriptorError
        ):  # LHCb's own file has aliases of particles without a PDG code, which are skipped
            table.aliases[name] = descriptors.pid_of(meant)
    for one, other in parser.dict_charge_conjugates().items():
        with suppress(DescriptorError):
            table.antiparticles |= {table.key(one): table.key(other), table.key(other): table.key(one)}
    for mother in mothers:
        with suppress(DescriptorError):
            _add_from_dec(table, table.key(mother), list(_modes(parser, mother)), path)
    return table


def _add_from_dec(table: DecayTable, key: Key, modes: list[dict[str, Any]], path: Path) -> None:
    """Add the channels of a particle, without those that phase space cannot generate, and notes about them."""
    channels: list[Channel] = []
    reasons: dict[str, float] = {}
    for mode in modes:
        fraction = _fraction(mode["bf"], f"{path}: {key}")
        try:
            channels.append(Channel(fraction, _daughters(table, mode)))
        except DescriptorError as error:
            reasons[str(error)] = reasons.get(str(error), 0) + fraction
    lost = math.fsum(reasons.values())
    table.models[key] = {mode["model"] for mode in modes} - {"PHSP", ""}
    if lost:
        name = key if isinstance(key, str) else descriptors.name_of(key)
        reason = max(reasons, key=reasons.__getitem__)
        if any(channel.fraction > 0 for channel in channels):
            sentence = (
                f"{path}: {lost:.2g} of the decays of {name} are left out, and the rest is scaled to 1; "
                f"main reason: {reason}"
            )
        else:
            sentence = table.lost[key] = f"{path}: none of the decays of {name} can be generated: {reason}"
        table.notes[key] = [sentence]
    _add(table, key, tuple(c for c in channels if c.fraction > 0 or not lost), str(path), lost)


def _daughters(table: DecayTable, mode: dict[str, Any]) -> tuple[Key, ...]:
    """The daughters in a mode of a ``.dec`` file.

    :raises DescriptorError: one is unknown, or is a parton that must become hadrons first
    """
    made = "partons must become hadrons, which takes a generator."
    try:
        daughters = tuple(map(table.key, mode["fs"]))
    except DescriptorError as error:  # modes of PYTHIA and JETSET have names for any flavour
        raise DescriptorError(made) if mode["model"] in ("PYTHIA", "JETSET") else error from error
    if any(descriptors.is_parton(table.pid(daughter)) for daughter in daughters):
        raise DescriptorError(made)
    return daughters


def _modes(parser: Any, mother: str) -> Iterator[dict[str, Any]]:
    daughters = {name for mode in parser.list_decay_modes(mother) for name in mode}
    yield from parser.build_decay_chains(mother, stable_particles=daughters)[mother]


def _parse_dec(path: Path) -> Any:
    try:
        from decaylanguage import DecFileParser
        from lark.exceptions import LarkError
    except ImportError as error:
        raise missing_package(f"The decay file {path}", "decaylanguage", "decays") from error
    parser = DecFileParser(str(path))
    try:
        with warnings.catch_warnings():  # LHCb's own file has aliases that look odd
            warnings.filterwarnings("ignore", "Found 'Alias'")
            parser.parse()
    except (LarkError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"{path} cannot be read as an EvtGen decay file: {first}") from error
    return parser


__all__ = ["Channel", "DecayTable", "Key", "from_dec", "from_mapping", "shipped"]
