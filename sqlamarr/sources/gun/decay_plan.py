"""Decay chains and tables turned into the species and channels of a particle gun's plan."""

from __future__ import annotations

from collections.abc import Sequence

from sqlamarr.errors import DescriptorError, InputError
from sqlamarr.particles import conservation, descriptors
from sqlamarr.particles.codes import LHCB_DECAYED, LHCB_DECAYED_FIRST, LHCB_SIGNAL, LHCB_STABLE, NEUTRINOS, STABLE
from sqlamarr.particles.decay_tables import Channel, DecayTable, Key
from sqlamarr.particles.descriptors import Decay
from sqlamarr.sources.gun.plan import Plan, Species

LEAST_WIDTH = 1e-3  # MeV: decaying particles at least this wide have a varying mass; others have a lifetime
WIDTHS_OF_FIRST = 15  # how far above its mass the first particle of a chain may lie, as in src/gun/decay.cpp
SHORT_LIVED = 1000.0  # mm: mean flight distance below which leaving a particle undecayed causes a warning


class DecayPlan:
    """Adds particles and their decays to a plan.

    :param table: decays of particles whose decay is not spelled out in a chain
    :param stable: particles that do not decay unless a chain says so
    :param where: the place that messages name
    """

    def __init__(self, plan: Plan, table: DecayTable, stable: frozenset[int], where: str) -> None:
        self.plan, self.table, self.stable, self.where = plan, table, stable, where
        self.undecayed: set[str] = set()  # by their names in this plan
        self.notes: dict[str, None] = {}  # sentences for the user, in order
        self.by_table: list[Key] = []  # what decays by the table, or should
        self._least: list[float] = []  # by species: the lowest mass that its decays allow
        self._made: dict[Key, int] = {}  # species of particles that decay by the table
        self._making: list[Key] = []

    def chain(self, decay: Decay, status_first: int = LHCB_DECAYED) -> int:
        """The species of a particle that decays as a descriptor says.

        :raises InputError: the decay is impossible
        """
        if not decay.daughters:
            return self.particle(decay.pid)
        daughters = [self.chain(daughter) for daughter in decay.daughters]
        self._check(decay.pid, [daughter.pid for daughter in decay.daughters])
        return self._add(decay.pid, [(1.0, daughters)], status_first)

    def first(self, key: Key, signal: bool) -> int:
        """The species of a particle that comes from the collision itself and decays by the table, if at all.

        :raises InputError: the decay file's decays of it cannot be generated, or its decays are impossible
        """
        if (why := self.table.why_none(key)) and self.table.pid(key) not in self.stable:
            raise InputError(f"{why} To keep it from decaying, list it in 'stable'.")
        return self._by_table(key, LHCB_SIGNAL if signal else LHCB_DECAYED_FIRST)

    def particle(self, key: Key) -> int:
        """The species of a daughter that decays by the table, if at all.

        :raises InputError: its decays are impossible, or never end
        """
        if key in self._making:
            loop = " -> ".join(self._name(k) for k in [*self._making[self._making.index(key) :], key])
            raise InputError(f"{self.where}: the decays never end: {loop}.")
        if key not in self._made:
            self._making.append(key)
            self._made[key] = self._by_table(key, LHCB_DECAYED_FIRST)
            self._making.pop()
        return self._made[key]

    def _by_table(self, key: Key, status_first: int) -> int:
        pid = self.table.pid(key)
        channels: Sequence[Channel] = ()
        if pid not in self.stable:
            self.by_table.append(key)
            channels = self.table.of(key)
        if not channels and pid not in self.stable and is_short_lived(pid):
            self.undecayed.add(self._name(key))
        for channel in channels:
            self._check(pid, [self.table.pid(d) for d in channel.daughters])
        return self._add(pid, [(c.fraction, [self.particle(d) for d in c.daughters]) for c in channels], status_first)

    def _add(self, pid: int, channels: list[tuple[float, list[int]]], status_first: int) -> int:
        plan = self.plan
        mass, width, ctau = properties(pid)
        at = len(plan.channels)
        for fraction, daughters in channels:
            plan.channels.append((fraction, len(plan.daughters), len(daughters)))
            plan.daughters += daughters
        least = mass
        if channels:
            least = self._least_mass(pid, channels)
        statuses = (LHCB_DECAYED, status_first) if channels else (LHCB_STABLE, STABLE)
        plan.species.append(Species(pid, mass, width, ctau, at, len(channels), *statuses))
        self._least.append(least)
        return len(plan.species) - 1

    def _least_mass(self, pid: int, channels: list[tuple[float, list[int]]]) -> float:
        """The least mass that the decays allow. Every channel must be possible with the lightest possible daughters."""
        mass, width, _ = properties(pid)
        sums = [sum(self._least[d] for d in daughters) for _, daughters in channels]
        for needed, (_, daughters) in zip(sums, channels):
            if needed > mass + WIDTHS_OF_FIRST * width:
                names = " ".join(descriptors.name_of(self.plan.species[d].pid) for d in daughters)
                raise InputError(
                    f"{self.where}: {descriptors.name_of(pid)} -> {names} is impossible: the products have a "
                    f"total mass of {needed:.2f} MeV, but its own mass is {mass:.2f} MeV."
                )
        return min(sums) if width else mass

    def _check(self, pid: int, daughters: Sequence[int]) -> None:
        conservation.check(pid, daughters, self.where)
        self.notes.update(dict.fromkeys(conservation.notes_on(pid, daughters, self.where)))

    def _name(self, key: Key) -> str:
        return key if isinstance(key, str) else descriptors.name_of(key)


def properties(pid: int) -> tuple[float, float, float]:
    """Mass [MeV], width [MeV] and mean proper flight [mm] as a gun uses them: a width or a flight, not both.

    Neutrinos are massless. An unknown width or lifetime is 0.

    :raises DescriptorError: the mass is unknown
    """
    mass = 0.0 if abs(pid) in NEUTRINOS else descriptors.mass(pid)
    width = descriptors.width(pid)
    if width >= LEAST_WIDTH:
        return mass, width, 0.0
    ctau = descriptors.ctau(pid)
    return mass, 0.0, ctau if ctau < float("inf") else 0.0


def is_short_lived(pid: int) -> bool:
    """Whether the particle would decay before it is measured."""
    try:
        _, width, ctau = properties(pid)
    except DescriptorError:
        return False
    return width > 0 or 0 < ctau < SHORT_LIVED


def sentence_about(undecayed: set[str]) -> str:
    """The warning about particles that should decay but have no decay."""
    names = ", ".join(sorted(undecayed))
    return (
        f"no decay is given for {names}, so they are left undecayed. Spell out the decay in 'decay', or give it in "
        "'decays' or 'decay_file'. If they are meant to stay undecayed, list them in 'stable'."
    )


__all__ = ["DecayPlan", "is_short_lived", "properties", "sentence_about"]
