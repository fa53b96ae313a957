"""Pythia 8 in this process: initialised once per configuration, with a new random state for every event."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from sqlamarr.errors import InputError, missing_package
from sqlamarr.sources.pileup.poisson import words

#: Settings read before the user's lines. Particles with a mean path below 1 m decay, because the detector tracks the
#: products of K_S and Lambda. Initialisation always uses the same seed, so that all workers start in the same state.
DEFAULTS = (
    "Print:quiet = on",
    "ParticleDecays:limitTau0 = on",
    "ParticleDecays:tau0Max = 1000.",
    "Random:setSeed = on",
    "Random:seed = 1",
)
#: Settings that the run makes itself, by the beginning of their names, and where they are made.
IGNORED = {"random:": "the run's --seed", "main:": "'events: N' or -n"}
#: Settings that would break the guarantees of this source, and why.
REFUSED = {
    "phasespace:increasemaximum": "events would depend on those before them; without it, weights above 1 are possible",
    "beams:lhef": "give such a file as an input of the run instead",
    "hadronlevel:all": "set how often to hadronize with 'signal: {hadronizations: N}'",
}

#: Pythia treats any other value of an on/off setting as off.
SWITCHES = ("on", "yes", "true", "ok", "1", "off", "no", "false", "0")
#: Read after all other settings to learn why Pythia does not start: when quiet, it gives no reason.
LOUD = ("Print:quiet = off", "Print:errors = on", "Print:verbosity = 2")

_GENERATOR_SEEDS = 899_999_999  # Pythia's seeds range from 1 to this
_PHASES = 16_777_213  # values of its generator's arithmetic sequence, in units of 2^-24
_LAG, _SHORT_LAG = 97, 33


def load() -> Any:
    """The module pythia8mc.

    :raises InstallationError: it is not installed
    """
    try:
        return importlib.import_module("pythia8mc")
    except ImportError as error:
        raise missing_package("Pythia 8 in process", "pythia8mc", "pythia") from error


def start(lines: tuple[str, ...], name: str) -> Any:
    """Initialise Pythia with these settings.

    :param name: name of the description for messages
    :raises InputError: a setting is unknown or refused, or Pythia cannot be initialised with the settings
    """
    pythia = _set_up(lines, name)
    if not pythia.init():
        raise InputError(f"{name}: Pythia cannot be initialised with this configuration: {_reason(lines, name)}")
    return pythia


def _set_up(lines: tuple[str, ...], name: str) -> Any:
    pythia = load().Pythia("", False)
    for line in (*DEFAULTS, *lines):
        if not pythia.readString(line):
            raise InputError(f"{name}: Pythia does not understand {line!r}{_suggestion(pythia, line)}")
        key, value = (*line.replace("=", " ").split(), "", "")[:2]
        if pythia.settings.isFlag(key) and value.lower() not in SWITCHES:
            raise InputError(f"{name}: config's line {line!r}: expected on or off, found {value!r}.")
    return pythia


def _reason(lines: tuple[str, ...], name: str) -> str:
    """Start Pythia once more and capture what it prints."""
    pythia = _set_up(lines, name)
    for line in LOUD:
        pythia.readString(line)
    said = [line.partition("PYTHIA")[2] for line in _printed_by(pythia.init).splitlines() if "PYTHIA" in line]
    return "; ".join(" ".join(line.split()) for line in said) or "it gives no reason"


def _printed_by(run: Callable[[], Any]) -> str:
    """Capture what native code prints, which bypasses ``sys.stdout``."""
    flush_all = ctypes.CDLL(None).fflush
    sys.stdout.flush()
    with tempfile.TemporaryFile() as file:
        before = os.dup(1)
        try:
            flush_all(None)
            os.dup2(file.fileno(), 1)
            run()
        finally:
            flush_all(None)
            os.dup2(before, 1)
            os.close(before)
        file.seek(0)
        return file.read().decode(errors="replace")


def checked(lines: tuple[str, ...], name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The settings without those that the run makes itself, and sentences about the latter.

    :raises InputError: one is among REFUSED
    """
    kept, warnings = [], []
    for line in lines:
        key = line.split("=")[0].strip().lower()
        for refused, why in REFUSED.items():
            if key.startswith(refused):
                raise InputError(f"{name}: config sets {line.strip()!r}, which is not possible here: {why}.")
        instead = next((words for begin, words in IGNORED.items() if key.startswith(begin)), None)
        if instead:
            warnings.append(f"{name}: config's line {line.strip()!r} is ignored; {instead} is used instead.")
        else:
            kept.append(line)
    return tuple(kept), tuple(warnings)


def _suggestion(pythia: Any, line: str) -> str:
    settings = pythia.settings
    maps = (settings.getFlagMap(""), settings.getModeMap(""), settings.getParmMap(""), settings.getWordMap(""))
    names = {str(name): str(setting.name) for group in maps for name, setting in group.items()}
    key = line.split("=")[0].strip().lower()
    if key in names or key[:1].isdigit():
        return ": check its value, and the particle if it begins with one."
    close = get_close_matches(key, names, n=1)
    return f". Did you mean {names[close[0]]!r}?" if close else ": the names of the settings are in its manual."


def set_random(rndm: Any, key: int, event_id: int, stream: int) -> None:
    """Put Pythia's generator into the state that belongs to an event, independent of what it did before.

    Pythia's generator (Marsaglia, Zaman, Tsang) has 899,999,999 seeds. With one seed per event, a million events
    would have some 560 identical pairs. The state is therefore taken from 128 bits of Philox: the seed, the place in
    the table of 97 numbers where reading begins, and the phase of the arithmetic sequence. This gives 1.5e18 states.

    :param key: see :func:`sqlamarr.native.random.stream_key`
    :param stream: tells several uses for one event apart
    """
    first, second = words(key, event_id, stream)
    rndm.init(1 + first % _GENERATOR_SEEDS)
    state = rndm.getState()
    turn = (second & 0xFFFFFFFF) % _LAG
    state.i97, state.j97 = (_LAG - 1 + turn) % _LAG, (_SHORT_LAG - 1 + turn) % _LAG
    state.c = (second >> 32) % _PHASES / 2**24
    rndm.setState(state)


@dataclass(frozen=True)
class CrossSection:
    """The cross-section of the processes that are on, before any requirement on the event [pb]."""

    value: float
    error: float


PB_PER_MB = 1e9
_TRIALS = 20_000


def cross_section(lines: tuple[str, ...], key: int, name: str) -> CrossSection:
    """Integrate the cross-section with only the hard process. It is the same for every worker and split.

    :param key: key of the random numbers
    """
    pythia = start((*lines, "PartonLevel:all = off", "HadronLevel:all = off"), name)
    set_random(pythia.rndm, key, 0, _CROSS_SECTION_STREAM)
    for _ in range(_TRIALS):
        pythia.next()
    info = pythia.infoPython()
    return CrossSection(info.sigmaGen() * PB_PER_MB, info.sigmaErr() * PB_PER_MB)


_CROSS_SECTION_STREAM = 2

T = TypeVar("T")


class Instances:
    """A cache of the last few objects that are expensive to make, one per process.

    :param size: how many to keep
    """

    def __init__(self, size: int = 4) -> None:
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._size = size
        self.lock = threading.RLock()  # Pythia can serve only one caller at a time

    def get(self, key: Any, make: Any) -> Any:
        """The object made from ``key``. ``make()`` is called if it is not in the cache."""
        with self.lock:
            if key not in self._kept:
                self._kept[key] = make()
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
            return self._kept[key]


INSTANCES = Instances()

__all__ = ["INSTANCES", "CrossSection", "checked", "cross_section", "load", "set_random", "start"]
