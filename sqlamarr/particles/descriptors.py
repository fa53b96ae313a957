"""Decay descriptors, lines of text in LHCb's notation for decays, and the particles in them.

An example is ``[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-]CC``: a particle, an arrow and the decay products. A
daughter that decays itself is in parentheses. ``[...]CC`` (or ``cc``) includes the charge-conjugate decay. ``${Lb}``
before a particle gives it a label, ``^`` marks it. Names are those of LHCb, EvtGen or the Particle Data Group.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from sqlamarr.errors import DescriptorError, UnknownParticleError, missing_package
from sqlamarr.particles.codes import PROTON

ARROWS = ("->", "-->", "=>", "==>", "→")  # LHCb's arrows differ in the photons and resonances that they allow
TOKEN = re.compile(
    r"\s*(?:(?P<arrow>=?=>|-?->|→)(?=[\s(\[^$]|$)|(?P<label>\$\{[A-Za-z_]\w*\})|(?P<mark>[()\[\]^])"
    r"|(?P<name>[A-Za-z](?:[^\s()\[\]^$>]|\([^\s()]*\))*))"
)
ALIASES = {
    "p": PROTON,
    "p-": -PROTON,
    "pbar": -PROTON,
    "pbar-": -PROTON,
    "J/psi": 443,
    "KS": 310,
    "K_S0": 310,
    "KL": 130,
}


@dataclass(frozen=True)
class Decay:
    """A particle and what it decays to (nothing: a final-state particle).

    :ivar name: as it was written
    :ivar pid: PDG code
    :ivar label: the label from ``${label}``; empty without one
    :ivar marked: whether it was preceded by ``^``
    """

    name: str
    pid: int
    daughters: tuple[Decay, ...] = ()
    label: str = ""
    marked: bool = False

    def conjugated(self) -> Decay:
        """The charge-conjugate decay, with the same labels."""
        pid = conjugate(self.pid)
        name = self.name if pid == self.pid else name_of(pid)
        return replace(self, name=name, pid=pid, daughters=tuple(d.conjugated() for d in self.daughters))

    def species(self) -> tuple[Any, ...]:
        """The particles of the decay, regardless of the order of the daughters."""
        return self.pid, *sorted((daughter.species() for daughter in self.daughters), key=repr)

    def shape(self) -> tuple[Any, ...]:
        """What can be measured: like :meth:`species`, but decaying particles count as equal to their antiparticles."""
        if not self.daughters:
            return (self.pid,)
        return min(self.pid, conjugate(self.pid)), *sorted((d.shape() for d in self.daughters), key=repr)

    def unbalanced(self) -> Decay | None:
        """The first particle of the decay whose charge differs from that of its daughters, if there is one."""
        for node in self.walk():
            if node.daughters and charge_change(node.pid, [daughter.pid for daughter in node.daughters]):
                return node
        return None

    def walk(self) -> Iterator[Decay]:
        """Yield the particle and all its descendants, mothers first."""
        yield self
        for daughter in self.daughters:
            yield from daughter.walk()

    def __str__(self) -> str:
        if not self.daughters:
            return self.name
        inner = " ".join(f"({d})" if d.daughters else str(d) for d in self.daughters)
        return f"{self.name} -> {inner}"


@dataclass(frozen=True)
class Descriptor:
    """A decay, and whether its charge conjugate is included."""

    decay: Decay
    with_conjugate: bool = False

    def __str__(self) -> str:
        return f"[{self.decay}]CC" if self.with_conjugate else str(self.decay)


def parse(text: str) -> Descriptor:
    """Parse a descriptor.

    >>> str(parse("[B+ -> (J/psi(1S) -> mu+ mu-) K+]cc"))
    '[B+ -> (J/psi(1S) -> mu+ mu-) K+]CC'

    :raises DescriptorError: the text is not a descriptor, or a name is unknown; the message gives the position, or
    similar names
    """
    return _Parser(text).descriptor()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    def descriptor(self) -> Descriptor:
        before = self._decorations()
        conjugate_too = self._peek() == "["
        self.at = self.at + 1 if conjugate_too else 0
        decay = self._decay()
        if conjugate_too:
            decay = replace(decay, label=before[0] or decay.label, marked=before[1] or decay.marked)
        if conjugate_too:
            self._expect("]")
            if self._peek().lower() == "cc":
                self.at += 1
            elif self._peek() or decay.species() != decay.conjugated().species():
                raise self._wrong(
                    f"CC after the closing bracket, '[{decay}]CC', for the decay and its conjugate, or no brackets, "
                    f"'{decay}', for the decay alone"
                )
            else:
                conjugate_too = False  # it is its own conjugate, so only the decay itself can be meant
        if self._peek():
            raise self._wrong("the end")
        return Descriptor(decay, conjugate_too)

    def _decay(self) -> Decay:
        head = self._particle()
        if self._peek() not in ARROWS:
            raise self._wrong("an arrow -> with a space on either side")
        self.at += 1
        daughters = []
        while self._peek() not in ("", ")", "]"):
            daughters.append(self._daughter())
        if not daughters:
            raise self._wrong(f"what {head.name} decays to")
        return replace(head, daughters=tuple(daughters))

    def _daughter(self) -> Decay:
        start = self.at
        before = self._decorations()
        if self._peek() != "(":
            self.at = start
            return self._particle()
        self.at += 1
        decay = self._decay()
        self._expect(")")
        return replace(decay, label=before[0] or decay.label, marked=before[1] or decay.marked)

    def _particle(self) -> Decay:
        label, marked = self._decorations()
        name = self._peek()
        if not name[:1].isalpha():
            raise self._wrong("the name of a particle")
        pid = pid_of(name)
        self.at += 1
        return Decay(name, pid, (), label, marked)

    def _decorations(self) -> tuple[str, bool]:
        label, marked = "", False
        while self._peek() == "^" or self._peek().startswith("${"):
            if self._peek() == "^":
                marked = True
            else:
                label = self._peek()[2:-1]
            self.at += 1
        return label, marked

    def _peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _expect(self, token: str) -> None:
        if self._peek() != token:
            raise self._wrong(f"'{token}'")
        self.at += 1

    def _wrong(self, expected: str) -> DescriptorError:
        where = self.tokens[self.at][1] if self.at < len(self.tokens) else len(self.text)
        return _error(self.text, where, expected)


def _tokens(text: str) -> list[tuple[str, int]]:
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None:
            raise _error(text, at, "a particle, an arrow, a parenthesis or a bracket")
        found.append((match[0].strip(), match.end() - len(match[0].lstrip())))
        at = match.end()
    return found


def _error(text: str, at: int, expected: str) -> DescriptorError:
    rest = text[at:].strip()
    at += len(text[at:]) - len(text[at:].lstrip())
    found = f"found {rest!r}" if rest else "found the end"
    return DescriptorError(
        f"The decay descriptor {text!r} cannot be understood: expected {expected}, {found} (character {at}). "
        "An example: '[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-]CC'."
    )


# -- particles ------------------------------------------------------------------------------------


def _package() -> Any:
    try:
        import particle
        import particle.lhcb
    except ImportError as error:
        raise missing_package("Looking up names of particles", "particle", "particle") from error
    return particle


@lru_cache(maxsize=1)
def _names() -> dict[str, int]:
    """PDG codes by all known names. If two conventions clash, LHCb's takes precedence."""
    names = {str(p.name): int(p.pdgid) for p in _package().Particle.all()}
    evtgen = {name: pid for pid, name in _translated(lambda p: p.evtgen_name).items()}
    return names | evtgen | {name: pid for pid, name in _lhcb_names().items()} | ALIASES


@lru_cache(maxsize=1)
def _lhcb_names() -> dict[int, str]:
    return _translated(_package().lhcb.to_lhcb_name)


def _translated(name: Callable[[Any], str]) -> dict[int, str]:
    """Names in a convention for the particles that have one."""
    package = _package()
    from particle.exceptions import MatchingIDNotFound

    names = {}
    for found in package.Particle.all():
        with suppress(MatchingIDNotFound):
            names[int(found.pdgid)] = name(found)
    return names


def pid_of(name: str, others: Iterable[str] = ()) -> int:
    """PDG code of a particle by its name.

    :param others: further names to suggest
    :raises UnknownParticleError: no particle has this name; the message has similar names
    """
    for pid, particle in _own.get().items():
        if particle.name == name:
            return pid
    names = _names()
    if name not in names:
        own = [*others, *(particle.name for particle in _own.get().values())]
        close = [*get_close_matches(name, own, 2, 0.5), *get_close_matches(name, names, 4, 0.6)]
        hint = f" Did you mean {', '.join(close)}?" if close else ""
        raise UnknownParticleError(f"There is no particle {name!r}.{hint} Names of LHCb, EvtGen and the PDG are known.")
    return names[name]


def name_of(pid: int) -> str:
    """Name of a particle: LHCb's if there is one, else the Particle Data Group's."""
    return _lhcb_names().get(pid) or str(_found(pid).name)


def is_parton(pid: int) -> bool:
    """Whether it is a quark, a diquark or a gluon."""
    from particle import pdgid

    return bool(pdgid.is_quark(pid) or pdgid.is_diquark(pid) or abs(pid) in (9, 21))


def conjugate(pid: int) -> int:
    """PDG code of the antiparticle; the same code for particles that are their own antiparticle."""
    return int(_found(pid).invert().pdgid)


def mass(pid: int) -> float:
    """Mass [MeV] in the tables of the Particle Data Group.

    :raises UnknownParticleError: the mass is unknown
    """
    value = _found(pid).mass
    if value is None:
        raise UnknownParticleError(f"No mass is known for {name_of(pid)}.")
    return float(value)


def charge(pid: int) -> float:
    """Electric charge [e]."""
    return float(_found(pid).charge)


def charge_change(mother: int, daughters: Sequence[int]) -> tuple[float, float] | None:
    """The charges [e] before and after a decay, given by PDG codes, if they differ."""
    before, after = charge(mother), sum(map(charge, daughters))
    return (before, after) if round(after - before) else None


def ctau(pid: int) -> float:
    """Mean proper decay length [mm]: 0 for resonances and unknown lifetimes, infinite for stable particles."""
    value = _found(pid).ctau
    return 0.0 if value is None else float(value)


def width(pid: int) -> float:
    """Total width [MeV]: 0 for stable particles and unknown widths."""
    return float(_found(pid).width or 0.0)


def is_known(particle: str | int) -> bool:
    """Whether there is a particle of this name or PDG code."""
    try:
        return bool(pid_of(particle) if isinstance(particle, str) else _found(particle))
    except DescriptorError:
        return False


@dataclass(frozen=True)
class OwnParticle:
    """A particle that is not in the tables, with the properties of one that is.

    :ivar pdgid: PDG code
    :ivar mass: [MeV]
    :ivar width: [MeV]; if 0, ``ctau`` is used
    :ivar ctau: mean proper decay length [mm]; None if unknown
    :ivar charge: [e]
    :ivar anti: PDG code of the antiparticle
    """

    name: str
    pdgid: int
    mass: float
    width: float
    ctau: float | None
    charge: int
    anti: int

    def invert(self) -> OwnParticle:
        """The antiparticle."""
        return replace(self, pdgid=self.anti, anti=self.pdgid, charge=-self.charge)


_own: ContextVar[Mapping[int, OwnParticle]] = ContextVar("own", default=MappingProxyType({}))


@contextmanager
def with_particles(particles: Mapping[int, OwnParticle]) -> Iterator[None]:
    """A context in which these particles, by their PDG codes, are known as well."""
    before = _own.set(particles)
    try:
        yield
    finally:
        _own.reset(before)


def _found(pid: int) -> Any:
    return _own.get().get(pid) or _of_tables(pid)


@cache
def _of_tables(pid: int) -> Any:
    package = _package()
    try:
        return package.Particle.from_pdgid(pid)
    except (package.ParticleNotFound, package.InvalidParticle) as error:
        raise UnknownParticleError(f"No particle has the PDG code {pid}.") from error
