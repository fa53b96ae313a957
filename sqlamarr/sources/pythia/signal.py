"""Collisions of Pythia with a signal, which is decayed separately, repeatedly if wanted (ReDecay)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlamarr.errors import InputError, SqlamarrError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.particles.descriptors import Decay
from sqlamarr.sources.pythia.engine import load, set_random, start
from sqlamarr.sources.pythia.record import TO_MEV, Record, graft, read

COLLISION, DECAY = 0, 1  # streams of random numbers
_HADRON = 83  # Pythia's status of a primary hadron
_FAILURES = 100  # how often in a row Pythia may fail to generate a collision


class NoEventError(SqlamarrError):
    """An event that cannot be made; the message says why."""


@dataclass(frozen=True)
class Signal:
    """What an event must contain.

    :ivar pid: PDG code
    :ivar conjugate: whether its antiparticle is accepted as well
    :ivar decay: settings that make Pythia decay it as requested; empty for Pythia's own decays
    :ivar eta: range of its pseudorapidity, or None
    :ivar hadronizations: how often to hadronize a collision
    :ivar redecay: how many events share a collision, or None
    :ivar tries: how many collisions to try
    """

    pid: int
    conjugate: bool
    decay: tuple[str, ...]
    eta: tuple[float, float] | None
    hadronizations: int
    redecay: int | None
    tries: int


class Sampler:
    """One instance of Pythia for collisions, and a second one only for decays of the signal.

    Only the second has the decay tables of the signal's decay, so that the same species elsewhere in the collision
    decay as usual.

    :param lines: Pythia's settings
    :param name: name of the description for messages
    :raises InputError: Pythia cannot be initialised with the settings
    """

    def __init__(self, lines: tuple[str, ...], signal: Signal | None, name: str) -> None:
        self.signal, self._name = signal, name
        self._original: tuple[tuple[int, int], tuple[Record, int, dict[str, Any]]] | None = None
        if signal is None:
            self.pythia = start(lines, name)
            return
        once = signal.hadronizations == 1
        own = (*lines, f"{abs(signal.pid)}:mayDecay = off", *(() if once else ("HadronLevel:all = off",)))
        self.pythia = start(own, name)
        _check_signal(self.pythia, signal, name)
        self._decays = start((*lines, *signal.decay, "ProcessLevel:all = off"), name)
        if not self._decays.particleData.canDecay(abs(signal.pid)):
            raise InputError(f"{name}: pythia.signal: Pythia knows no decay of {signal.pid}; give 'decay'.")
        self._decays.particleData.mayDecay(abs(signal.pid), True)

    def event(self, key: int, event_id: int) -> tuple[Record, dict[str, Any]]:
        """An event, which depends only on the arguments, and columns of GenEvents.

        :raises NoEventError: Pythia fails, or there is no signal
        """
        if self.signal is None:
            set_random(self.pythia.rndm, key, event_id, COLLISION)
            tried = self._collide(0)
            return read(self.pythia.event), {**self._header(), "collisions_tried": tried, "hadronizations": tried}
        original = event_id
        if self.signal.redecay:
            ordinal = event_id // ROWS_PER_EVENT
            original = ordinal // self.signal.redecay * self.signal.redecay * ROWS_PER_EVENT
        if self._original is None or self._original[0] != (key, original):
            self._original = None
            self._original = (key, original), self._find(self.signal, key, original)
        record, index, header = self._original[1]
        linked = {"original_id": original} if self.signal.redecay else {}
        return graft(record, index, self._decay(record, index, key, event_id)), {**header, **linked}

    def weight_names(self) -> tuple[str, ...]:
        """Pythia's weights after a collision, the nominal one first."""
        info = self.pythia.infoPython()
        return tuple(str(info.weightNameByIndex(i)) for i in range(info.numberOfWeights()))

    def version(self) -> str:
        """Names of Pythia's weights."""
        return f"{self.pythia.settings.parm('Pythia:versionNumber'):.3f}"

    def _collide(self, tried: int) -> int:
        """Generate until Pythia succeeds; return the number of attempts."""
        for attempt in range(1, _FAILURES + 1):
            if self.pythia.next():
                return attempt
        raise NoEventError(
            f"Pythia failed to generate a collision {_FAILURES} times in a row, after {tried} good ones."
        )

    def _header(self) -> dict[str, Any]:
        info = self.pythia.infoPython()
        return {
            "process_id": info.code(),
            "scale": info.QRen(),
            "alpha_qcd": info.alphaS(),
            "alpha_qed": info.alphaEM(),
            "weight": info.weight(),
            "weights": tuple(info.weightValueByIndex(i) for i in range(info.numberOfWeights())),
        }

    def _find(self, signal: Signal, key: int, event_id: int) -> tuple[Record, int, dict[str, Any]]:
        """A collision with an undecayed signal: its record, the signal's index in it, and columns of GenEvents."""
        set_random(self.pythia.rndm, key, event_id, COLLISION)
        collisions = hadronizations = 0
        while collisions < signal.tries:
            collisions += self._collide(collisions)
            hadronized, line = self._hadronize(signal)
            hadronizations += hadronized
            if line:
                self._decay_others(signal, line)
                tried = {"collisions_tried": collisions, "hadronizations": hadronizations}
                return read(self.pythia.event), line - 1, {**self._header(), **tried}
        raise NoEventError(
            f"No signal ({signal.pid}) was found in {collisions} collisions. Check that this config can produce it."
        )

    def _hadronize(self, signal: Signal) -> tuple[int, int]:
        """How often the collision was hadronized, and the signal's line in the record (0 if there is none)."""
        if signal.hadronizations == 1:
            return 1, self._choose(signal)
        event = self.pythia.event
        partons = load().Event(event)
        for n in range(1, signal.hadronizations + 1):
            event.assign(partons)
            # Do not search for string junctions: the event has them, and the search fails for one collision in eight.
            if self.pythia.forceHadronLevel(False) and (line := self._choose(signal)):
                return n, line
        return signal.hadronizations, 0

    def _choose(self, signal: Signal) -> int:
        """One of the signal particles, chosen at random."""
        wanted = {signal.pid, -signal.pid} if signal.conjugate else {signal.pid}
        lines = [
            line
            for line, particle in enumerate(self.pythia.event)
            if particle.id() in wanted and particle.isFinal() and _within(particle, signal.eta)
        ]
        return lines[min(int(self.pythia.rndm.flat() * len(lines)), len(lines) - 1)] if lines else 0

    def _decay_others(self, signal: Signal, line: int) -> None:
        """Decay other particles of the signal's species as usual, and then their daughters."""
        data, pid = self.pythia.particleData, abs(signal.pid)
        while others := self._others(pid, line):
            data.mayDecay(pid, True)
            try:
                if not all(self.pythia.moreDecays(other) for other in others):
                    raise NoEventError(f"Pythia cannot decay another particle of the signal's species ({pid}).")
            finally:
                data.mayDecay(pid, False)
            self.pythia.moreDecays()

    def _others(self, pid: int, line: int) -> list[int]:
        """Lines of undecayed particles of a species, except one."""
        particles = enumerate(self.pythia.event)
        return [i for i, other in particles if i != line and abs(other.id()) == pid and other.isFinal()]

    def _decay(self, record: Record, index: int, key: int, event_id: int) -> Record:
        """A decay of the signal, from its production vertex and with its momentum."""
        pythia, library = self._decays, load()
        set_random(pythia.rndm, key, event_id, DECAY)
        pid = int(record.pid[index])
        pe, px, py, pz, m = (record.momenta[index] / TO_MEV).tolist()
        t, x, y, z = record.vertices[record.production[index]].tolist()
        for _ in range(_FAILURES):
            pythia.event.reset()
            line = pythia.event.append(pid, _HADRON, 0, 0, 0, 0, 0, 0, library.Vec4(px, py, pz, pe), m)
            pythia.event[line].vProd(library.Vec4(x, y, z, t))
            pythia.event[line].tau(pythia.particleData.tau0(abs(pid)) * pythia.rndm.exp())
            if pythia.moreDecays():
                return read(pythia.event)
        raise NoEventError(f"Pythia cannot decay the signal ({pid}).")


def _within(particle: Any, eta: tuple[float, float] | None) -> bool:
    return eta is None or eta[0] <= particle.eta() <= eta[1]


def _check_signal(pythia: Any, signal: Signal, name: str) -> None:
    data, pid = pythia.particleData, abs(signal.pid)
    if not data.isParticle(pid):
        raise InputError(f"{name}: pythia.signal: Pythia knows no particle {signal.pid}.")
    if data.isResonance(pid) or not (data.isHadron(pid) or pid == 15):
        raise InputError(
            f"{name}: pythia.signal: {data.name(pid)} is not a hadron. Choose decays of what the hard process makes "
            f"in 'config', e.g. '{pid}:onIfAny = 13'."
        )


def decay_lines(decay: Decay, name: str) -> tuple[str, ...]:
    """Express a decay as settings of Pythia.

    :raises InputError: one particle decays in two ways
    """
    channels: dict[int, tuple[int, ...]] = {}
    for particle in decay.walk():
        if not particle.daughters:
            continue
        products = tuple(d.pid for d in particle.daughters)
        if particle.pid < 0:
            products = tuple(d.pid for d in particle.conjugated().daughters)
        if channels.setdefault(abs(particle.pid), products) != products:
            raise InputError(
                f"{name}: pythia.signal.decay: {particle.name} decays in two ways; Pythia can use only one."
            )
    lines = [f"{pid}:oneChannel = 1 1. 0 {' '.join(map(str, products))}" for pid, products in channels.items()]
    return (*lines, *(f"{pid}:mayDecay = on" for pid in channels))


__all__ = ["COLLISION", "DECAY", "NoEventError", "Sampler", "Signal", "decay_lines"]
